#include "page/template.hpp"

#include <algorithm>
#include <optional>

#include "json/utf8.hpp"
#include "page/html.hpp"
#include "page/style.hpp"

namespace proconnect::page {
namespace {

struct Name {
    std::string_view text;
    Placeholder placeholder;
};
constexpr std::array kNames{
    Name{"lang", Placeholder::lang},           Name{"title", Placeholder::title},   Name{"service", Placeholder::service}, Name{"style", Placeholder::style},
    Name{"notice", Placeholder::notice},       Name{"text", Placeholder::text},     Name{"conditions", Placeholder::conditions}, Name{"button", Placeholder::button},
    Name{"alternative", Placeholder::alternative}, Name{"details", Placeholder::details}, Name{"help", Placeholder::help}, Name{"reference", Placeholder::reference}};

constexpr Placeholder kNeeded[] = {Placeholder::lang, Placeholder::title, Placeholder::text, Placeholder::button, Placeholder::details, Placeholder::reference};

bool is_value(Placeholder placeholder) {
    return placeholder == Placeholder::lang || placeholder == Placeholder::title || placeholder == Placeholder::service;
}

std::string_view name_of(Placeholder placeholder) {
    return std::ranges::find(kNames, placeholder, &Name::placeholder)->text;
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return out;
}

bool takes_an_address(std::string_view attribute) {
    constexpr std::string_view kNamed[] = {"href", "src", "srcset", "action", "formaction", "poster", "data", "cite", "background", "ping", "content", "xlink:href"};
    return std::ranges::find(kNamed, attribute) != std::end(kNamed);
}

}  // namespace

/// Walks through a template as an HTML parser does, as far as it takes to know in which place a placeholder stands.
class TemplateParser {
public:
    explicit TemplateParser(std::string_view text) : text_(text) {}

    std::expected<Template, std::string> run() {
        if (text_.size() > Template::kMaxBytes) {
            return std::unexpected("is larger than " + std::to_string(Template::kMaxBytes / 1024) + " KiB");
        }
        if (!json::is_valid_utf8(text_) || text_.contains('\0')) {
            return std::unexpected(std::string{"is not UTF-8 text"});
        }
        while (at_ < text_.size() && problem_.empty()) {
            step();
        }
        if (problem_.empty() && place_ != Place::content) {
            fail("ends inside a tag, a comment or an element");
        }
        for (const auto needed : kNeeded) {
            if (problem_.empty() && std::ranges::find(result_.pieces_, needed, &std::pair<std::string, Placeholder>::second) == result_.pieces_.end()) {
                problem_ = "has no {{" + std::string{name_of(needed)} + "}}, which every page needs";
            }
        }
        if (!problem_.empty()) {
            return std::unexpected(std::move(problem_));
        }
        result_.pieces_.emplace_back(std::move(literal_), Placeholder::none);
        return std::move(result_);
    }

private:
    enum class Place { content, title, style, comment, tag, value };

    void step() {
        const auto rest = text_.substr(at_);
        if (rest.starts_with("{{")) {
            placeholder(rest);
            return;
        }
        switch (place_) {
            case Place::content: content(rest); break;
            case Place::title: closed_by(rest, "</title"); break;
            case Place::style: closed_by(rest, "</style"); break;
            case Place::comment:
                if (rest.starts_with("-->")) {
                    take(3);
                    place_ = Place::content;
                } else {
                    take(1);
                }
                break;
            case Place::tag: tag(rest); break;
            case Place::value:
                if (rest.front() == quote_) {
                    place_ = Place::tag;
                    attribute_.clear();
                }
                take(1);
                break;
        }
    }

    void content(std::string_view rest) {
        if (rest.starts_with("<!--")) {
            place_ = Place::comment;
            take(4);
        } else if (rest.starts_with('<') && rest.size() > 1 && (is_letter(rest[1]) || rest[1] == '/' || rest[1] == '!' || rest[1] == '?')) {
            const auto end = std::ranges::find_if(rest.substr(2), [](char c) { return is_blank(c) || c == '>' || c == '/' || c == '{'; }) - rest.begin();
            element_ = lower(rest.substr(1, static_cast<std::size_t>(end) - 1));
            if (element_.starts_with("script")) {
                fail("holds a script, which the pages' policy forbids");
            } else if (element_ == "textarea" || element_ == "xmp" || element_ == "iframe" || element_ == "noscript" || element_ == "plaintext" || element_ == "svg" || element_ == "math" || element_ == "template") {
                fail("holds an element <" + element_ + ">, which a template cannot use");
            }
            place_ = Place::tag;
            attribute_.clear();
            take(static_cast<std::size_t>(end));
        } else {
            take(1);
        }
    }

    /// Title and style hold no elements: only their own end ends them.
    void closed_by(std::string_view rest, std::string_view end) {
        if (lower(rest.substr(0, end.size())) == end) {
            if (place_ == Place::style) {
                add_source(style_hash_source(text_.substr(style_begin_, at_ - style_begin_)));
            }
            element_ = end.substr(1);
            place_ = Place::tag;
            take(end.size());
        } else {
            take(1);
        }
    }

    void tag(std::string_view rest) {
        const char c = rest.front();
        if (c == '>') {
            place_ = element_ == "title" ? Place::title : element_ == "style" ? Place::style : Place::content;
            take(1);
            style_begin_ = at_;
        } else if ((c == '"' || c == '\'') && !attribute_.empty() && attribute_.back() == '=') {
            attribute_.pop_back();
            quote_ = c;
            place_ = Place::value;
            take(1);
        } else if (is_blank(c) && !attribute_.empty() && attribute_.back() == '=') {
            take(1);
        } else if (is_blank(c) || c == '/') {
            const auto next = rest.find_first_not_of(" \t\n\r\f");
            if (next == std::string_view::npos || rest[next] != '=') {
                attribute_.clear();
            }
            take(1);
        } else if (c == '=' && (attribute_.empty() || attribute_.back() == '=')) {
            fail("has an attribute that begins with '='");   // a name, or a value without quotes: a quote behind it would open nothing
        } else {
            attribute_ += lower(rest.substr(0, 1));
            take(1);
            if (c == '=' && (attribute_.starts_with("on") || attribute_ == "style=" || attribute_ == "srcdoc=")) {
                fail("holds an attribute " + attribute_.substr(0, attribute_.size() - 1) + ", which the pages' policy forbids");
            }
        }
    }

    void placeholder(std::string_view rest) {
        const auto end = rest.find("}}");
        const auto name = end == std::string_view::npos ? std::string_view{} : rest.substr(2, end - 2);
        const auto known = std::ranges::find(kNames, name, &Name::text);
        if (known == kNames.end()) {
            std::string all;
            for (const auto& each : kNames) {
                all += (all.empty() ? "" : ", ") + std::string{each.text};
            }
            fail("has an unknown placeholder {{" + std::string{name.substr(0, 40)} + "}}; known are " + all);
            return;
        }
        const bool opens_a_tag = literal_.ends_with('<');
        const bool in_text = !opens_a_tag && (place_ == Place::content || (place_ == Place::title && is_value(known->placeholder)));
        // A text at the begin of an address could make it one of another kind; two letters cannot.
        const bool in_value = place_ == Place::value && is_value(known->placeholder) && (known->placeholder == Placeholder::lang || !takes_an_address(attribute_));
        if (!in_text && !in_value) {
            fail("has {{" + std::string{name} + "}} where " + (is_value(known->placeholder) ? "no text can stand; put it between tags or into a quoted attribute that is no address" : "no element can stand; put it between tags"));
            return;
        }
        if (known->placeholder == Placeholder::style) {
            add_source(style_hash_source(kStyle));
        }
        result_.pieces_.emplace_back(std::move(literal_), known->placeholder);
        literal_.clear();
        at_ += end + 2;
    }

    void add_source(const std::string& source) {
        if (!result_.style_sources_.contains(source)) {
            result_.style_sources_ += (result_.style_sources_.empty() ? "" : " ") + source;
        }
    }

    void take(std::size_t count) {
        count = std::min(count, text_.size() - at_);
        literal_ += text_.substr(at_, count);
        at_ += count;
    }

    void fail(const std::string& what) {
        const auto line = 1 + std::ranges::count(text_.substr(0, at_), '\n');
        problem_ = what + " (line " + std::to_string(line) + ")";
    }

    std::string_view text_;
    std::size_t at_ = 0, style_begin_ = 0;
    Place place_ = Place::content;
    std::string element_, attribute_;   ///< of the tag being read; an attribute ends with '=' while its value is awaited
    char quote_ = '"';
    std::string literal_, problem_;
    Template result_;
};

std::expected<Template, std::string> Template::parse(std::string_view text) {
    return TemplateParser{text}.run();
}

std::string Template::render(const Values& values) const {
    std::string out;
    for (const auto& [literal, placeholder] : pieces_) {
        out += literal;
        if (placeholder != Placeholder::none) {
            out += is_value(placeholder) ? escape_html(values[placeholder]) : values[placeholder];
        }
    }
    return out;
}

}  // namespace proconnect::page
