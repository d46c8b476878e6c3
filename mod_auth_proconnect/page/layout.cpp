#include "page/layout.hpp"

#include <stdexcept>

#include "page/html.hpp"
#include "page/style.hpp"

namespace proconnect::page {
namespace {

constexpr std::string_view kAboutProConnect = "https://www.proconnect.gouv.fr/";

bool is_french(const Content& content) {
    return content.language == core::Language::french;
}

std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string{name} + "=\"" + escape_html(value) + "\"";
}

std::string form(const Button& button) {
    std::string out = "<form method=\"post\"" + attribute("action", button.address) + " class=\"action\">";
    for (const auto& [name, value] : button.fields) {
        out += "<input type=\"hidden\"" + attribute("name", name) + attribute("value", value) + ">";
    }
    return out + "<button class=\"button\" type=\"submit\">" + escape_html(button.label) + "</button></form>\n";
}

/// ProConnect's own button: both of its lines are text, so that it reads "S’identifier avec ProConnect" to everybody.
std::string proconnect_button(const Content& content, const std::string& image) {
    const bool french = is_french(content);
    const std::string with = french ? "S’identifier avec" : "Sign in with";
    std::string out = "<div class=\"action\"><p>";
    if (image.empty()) {
        out += "<a class=\"proconnect\"" + attribute("href", content.button.address) + "><span>" + with + " </span><strong>ProConnect</strong></a>";
    } else {
        out += "<a class=\"image\"" + attribute("href", content.button.address) + "><img" + attribute("src", image) + attribute("alt", with + " ProConnect") + "></a>";
    }
    const std::string what = french ? "Qu’est-ce que ProConnect ?" : "What is ProConnect?";
    return out + "</p>\n<p class=\"what\"><a" + attribute("href", kAboutProConnect) + " target=\"_blank\" rel=\"noopener noreferrer\"" +
           attribute("title", what + (french ? " – nouvelle fenêtre" : " – new window")) + ">" + what + "</a></p></div>\n";
}

std::string button(const Content& content, const std::string& image) {
    if (content.button.label.empty() && !content.proconnect_button) {
        return {};
    }
    if (content.proconnect_button) {
        return proconnect_button(content, image);
    }
    return content.button.post ? form(content.button)
                               : "<p class=\"action\"><a class=\"button\"" + attribute("href", content.button.address) + ">" + escape_html(content.button.label) + "</a></p>\n";
}

std::string details(const std::vector<Block>& blocks) {
    std::string out;
    for (const auto& block : blocks) {
        out += block.heading.empty() ? "" : "<h2>" + escape_html(block.heading) + "</h2>\n";
        out += paragraphs(block.text);
        if (!block.items.empty()) {
            out += "<ul>";
            for (const auto& item : block.items) {
                out += "<li>" + escape_html(item) + "</li>";
            }
            out += "</ul>\n";
        }
        if (!block.terms.empty()) {
            out += "<dl>";
            for (const auto& [term, value] : block.terms) {
                out += "<dt>" + escape_html(term) + "</dt><dd>" + escape_html(value) + "</dd>";
            }
            out += "</dl>\n";
        }
    }
    return out;
}

std::string boxed(std::string_view name, std::string_view text) {
    return text.empty() ? std::string{} : "<div class=\"" + std::string{name} + "\">" + paragraphs(text) + "</div>\n";
}

std::string help(const Content& content) {
    if (content.support.empty() || content.support == content.button.address) {
        return {};
    }
    const bool french = is_french(content);
    const bool mail = content.support.starts_with("mailto:");
    return std::string{"<p>"} + (french ? "Besoin d’aide ? " : "Need help? ") + "<a" + attribute("href", content.support) + ">" +
           (mail ? (french ? "Écrire au support : " : "Write to support: ") + escape_html(content.support.substr(7)) : french ? "Contacter le support" : "Contact support") + "</a></p>\n";
}

Values values_of(const Content& content, const std::string& image) {
    const bool french = is_french(content);
    Values values;
    values[Placeholder::lang] = french ? "fr" : "en";
    values[Placeholder::title] = content.title;
    values[Placeholder::service] = content.service;
    values[Placeholder::style] = "<style>" + std::string{kStyle} + "</style>";
    values[Placeholder::notice] = boxed("notice", content.notice);
    values[Placeholder::text] = paragraphs(content.text);
    values[Placeholder::conditions] = boxed("conditions", content.conditions);
    values[Placeholder::button] = button(content, image);
    const auto& [words, address] = content.alternative;
    values[Placeholder::alternative] = address.empty() ? std::string{} : "<p><a" + attribute("href", address) + ">" + escape_html(words) + "</a></p>\n";
    values[Placeholder::details] = details(content.blocks);
    values[Placeholder::help] = help(content);
    values[Placeholder::reference] =
        content.reference.empty() ? std::string{} : std::string{"<p class=\"reference\">"} + (french ? "Référence : " : "Reference: ") + escape_html(content.reference) + "</p>\n";
    return values;
}

}  // namespace

Look::Look() {
    const auto built_in = Template::parse(kLayout);
    if (!built_in) {
        throw std::logic_error{"the built-in page " + built_in.error()};
    }
    for (auto& kind : faces_) {
        for (auto& face : kind) {
            face.html = *built_in;
            make_policy(face);
        }
    }
}

void Look::replace(Kind kind, core::Language language, const Template& own) {
    auto& face = faces_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(language)];
    face.html = own;
    face.own = true;
    make_policy(face);
}

void Look::set_button_image(std::string uri) {
    button_image_ = std::move(uri);
    for (auto& kind : faces_) {
        for (auto& face : kind) {
            make_policy(face);
        }
    }
}

// No form-action: browsers apply it to where a form is redirected to as well, and logging out goes on to ProConnect and from there to any
// identity provider. Whatever stands in our forms was escaped, so none can be planted.
void Look::make_policy(Face& face) const {
    const auto& sources = face.html.style_sources();
    std::string images = face.own ? " 'self' data:" : button_image_.empty() ? "" : " data:";
    face.policy = "default-src 'none'; ";
    if (face.own || !sources.empty()) {
        face.policy += "style-src" + std::string{face.own ? " 'self'" : ""} + (sources.empty() ? "" : " ") + sources + "; ";
    }
    face.policy += images.empty() ? "" : "img-src" + images + "; ";
    face.policy += face.own ? "font-src 'self'; " : "";
    face.policy += "base-uri 'none'; frame-ancestors 'none'";
}

const Look::Face& Look::face(const Content& content) const {
    return faces_[content.proconnect_button ? 1 : 0][content.language == core::Language::french ? 0 : 1];
}

std::string Look::render(const Content& content) const {
    return face(content).html.render(values_of(content, button_image_));
}

const std::string& Look::policy(const Content& content) const {
    return face(content).policy;
}

}  // namespace proconnect::page
