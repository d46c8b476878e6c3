// Reads the lines `Require proconnect …` at configuration time. Whatever is not understood stops the configuration test.
#include <algorithm>
#include <array>

#include "access/domain.hpp"
#include "access/levels.hpp"
#include "access/rule.hpp"
#include "core/suggest.hpp"

namespace proconnect::access {
namespace {

using Refusal = std::unexpected<std::string>;

constexpr std::array<std::string_view, 20> kClaims{"sub",   "given_name", "usual_name", "email", "email_domain", "uid", "siret", "siren", "idp_id", "idp_acr", "organization_label", "roles",
                                                   "phone_number", "organizational_unit", "belonging_population", "chorusdt:matricule", "chorusdt:societe", "groups", "acr", "amr"};
constexpr std::string_view kCustom = "custom.";
constexpr std::string_view kFile = "file:";
constexpr std::array<std::string_view, 6> kForeignOperators{"=", "==", "!=", "<", "<=", ">"};

std::string quoted(std::string_view text) {
    return '\'' + std::string{text} + '\'';
}

std::string did_you_mean(std::string_view written, std::span<const std::string_view> known) {
    const auto nearest = core::nearest_word(written, known);
    return nearest.empty() ? "" : "; did you mean " + quoted(nearest) + "?";
}

std::string joined(std::span<const std::string_view> words) {
    std::string text;
    for (const auto word : words) {
        text += (text.empty() ? "" : ", ") + std::string{word};
    }
    return text;
}

Comparison comparison_of(std::string_view claim) {
    static constexpr std::array<std::pair<std::string_view, Comparison>, 6> kSpecial{{{"email", Comparison::email},
                                                                                      {"email_domain", Comparison::email_domain},
                                                                                      {"siret", Comparison::digits},
                                                                                      {"siren", Comparison::digits},
                                                                                      {"acr", Comparison::level},
                                                                                      {"amr", Comparison::method}}};
    for (const auto& [name, comparison] : kSpecial) {
        if (claim == name) {
            return comparison;
        }
    }
    return Comparison::exact;
}

std::optional<std::string> normalize_digits(std::string_view value, std::size_t wanted) {
    std::string digits;
    for (const char c : value) {
        if (c >= '0' && c <= '9') {
            digits += c;
        } else if (c != ' ') {
            return std::nullopt;
        }
    }
    return digits.size() == wanted ? std::optional{std::move(digits)} : std::nullopt;
}

std::optional<std::string> normalize_email(std::string_view value) {
    const auto domain = domain_of_email(value);
    if (!domain || domain->empty() || value.contains(' ')) {
        return std::nullopt;
    }
    std::string email{value};
    std::ranges::transform(email, email.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return email;
}

/// Fixed-size numbers differ between siret and siren, so the normaliser is made for a claim, not for a comparison.
Normalizer normalizer_of(std::string_view claim, Comparison comparison) {
    switch (comparison) {
        case Comparison::email: return normalize_email;
        case Comparison::email_domain: return normalized_domain;
        case Comparison::digits: return [wanted = claim == "siret" ? 14U : 9U](std::string_view value) { return normalize_digits(value, wanted); };
        case Comparison::exact:
        case Comparison::level:
        case Comparison::method: break;
    }
    return [](std::string_view value) { return value.empty() ? std::nullopt : std::optional{std::string{value}}; };
}

std::string example_of(std::string_view claim) {
    if (claim == "siret") return "14 digits, for instance 13002526500013";
    if (claim == "siren") return "9 digits, for instance 130025265";
    if (claim == "email_domain") return "a domain, for instance interieur.gouv.fr, or *.gouv.fr for every domain below it";
    if (claim == "email") return "an address, for instance camille.dupont@interieur.gouv.fr";
    return "a value";
}

}  // namespace

std::span<const std::string_view> known_claims() noexcept {
    return kClaims;
}

/// Fills a Rule step by step; each step returns what is wrong or nothing.
class Rule::Parser {
public:
    Parser(std::span<const std::string> words, const PatternCompiler& compile) : words_(words), compile_(compile) {}

    std::expected<std::unique_ptr<Rule>, std::string> run() {
        using Step = std::expected<void, std::string> (Parser::*)();
        for (const Step step : {&Parser::claim, &Parser::operation}) {
            if (auto done = (this->*step)(); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        return std::move(rule_);
    }

private:
    using Result = std::expected<void, std::string>;

    Result claim() {
        if (words_.empty()) {
            return Refusal{"names no claim; write for instance 'Require proconnect roles agent_public'"};
        }
        const std::string_view name{words_.front()};
        const bool is_custom = name.starts_with(kCustom) && name.size() > kCustom.size();
        if (!is_custom && std::ranges::find(kClaims, name) == kClaims.end()) {
            if (const auto at = name.find_first_of("<>=!~"); at != std::string_view::npos && at != 0) {
                return Refusal{"needs a space before and after the operator: " + quoted(name)};
            }
            if (name == "custom" || name == kCustom) {
                return Refusal{"needs a name after 'custom.', for instance 'custom.structureTravail 59194'"};
            }
            return Refusal{"names the claim " + quoted(name) + ", which ProConnect does not send" + did_you_mean(name, kClaims)};
        }
        for (const auto& word : words_) {
            rule_->text_ += (rule_->text_.empty() ? "" : " ") + word;
        }
        rule_->claim_ = name;
        const std::string_view read_from = name == "email_domain" ? "email" : name;
        rule_->variable_ = session::variable_name(read_from);
        rule_->claim_is_stored_ = !std::ranges::all_of(read_from, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
        rule_->comparison_ = comparison_of(name);
        values_ = words_.subspan(1);
        return {};
    }

    Result operation() {
        if (values_.empty()) {
            return Refusal{"names no value for " + quoted(rule_->claim_) + "; write " + example_for_claim()};
        }
        const std::string_view first{values_.front()};
        if (first == ">=") {
            return at_least();
        }
        if (first == "=~") {
            return matching();
        }
        if (std::ranges::find(kForeignOperators, first) != kForeignOperators.end()) {
            return Refusal{"has no operator " + quoted(first) + "; write the values alone for 'one of', '>=' for a level, '=~' for a regular expression, and 'Require not' for the contrary"};
        }
        return one_of();
    }

    Result at_least() {
        if (rule_->comparison_ != Comparison::level) {
            return Refusal{"takes '>=' with acr only; write the accepted values of " + quoted(rule_->claim_)};
        }
        if (values_.size() != 2) {
            return Refusal{"takes one level after 'acr >='"};
        }
        const auto level = level_named(values_[1]);
        if (level.empty()) {
            return unknown_level(values_[1]);
        }
        for (const auto each : levels_from(level)) {
            rule_->accepted_.emplace_back(each);
        }
        if (rule_->accepted_.empty()) {
            return Refusal{"cannot compare with " + quoted(values_[1]) + ", which has no place in the order of levels; write it without '>='"};
        }
        return {};
    }

    Result matching() {
        if (rule_->comparison_ == Comparison::level || rule_->comparison_ == Comparison::method || rule_->comparison_ == Comparison::email_domain) {
            return Refusal{"takes no '=~' with " + quoted(rule_->claim_) + "; write " + example_for_claim()};
        }
        if (values_.size() != 2 || values_[1].empty()) {
            return Refusal{"takes one regular expression after '=~', in quotes when it has spaces"};
        }
        auto pattern = compile_(values_[1]);
        if (!pattern) {
            return Refusal{"has a regular expression that cannot be read: " + pattern.error()};
        }
        rule_->pattern_ = std::move(*pattern);
        return {};
    }

    Result one_of() {
        const auto normalize = normalizer_of(rule_->claim_, rule_->comparison_);
        std::vector<std::string> plain;
        for (const std::string_view value : values_) {
            if (auto done = add(value, normalize, plain); !done) {
                return done;
            }
        }
        rule_->values_ = ValueList{std::move(plain)};
        return {};
    }

    Result add(std::string_view value, const Normalizer& normalize, std::vector<std::string>& plain) {
        if (rule_->comparison_ == Comparison::level) {
            const auto level = level_named(value);
            if (level.empty()) {
                return unknown_level(value);
            }
            rule_->accepted_.emplace_back(level);
            return {};
        }
        if (rule_->comparison_ == Comparison::method) {
            if (std::ranges::find(known_methods(), value) == known_methods().end()) {
                return Refusal{"names the method " + quoted(value) + ", which ProConnect does not know" + did_you_mean(value, known_methods()) + " Known are " + joined(known_methods())};
            }
            rule_->accepted_.emplace_back(value);
            return {};
        }
        if (value.starts_with(kFile)) {
            return add_file(value.substr(kFile.size()), normalize);
        }
        if (rule_->comparison_ == Comparison::email_domain && value.starts_with("*.")) {
            auto parent = normalized_domain(value.substr(2));
            if (!parent) {
                return no_value(value);
            }
            rule_->parents_.push_back(std::move(*parent));
            return {};
        }
        auto normalized = normalize(value);
        if (!normalized) {
            return no_value(value);
        }
        plain.push_back(std::move(*normalized));
        return {};
    }

    Result add_file(std::string_view path, const Normalizer& normalize) {
        if (!path.starts_with('/')) {
            return Refusal{"needs the whole path of a list, for instance file:/etc/apache2/proconnect/agents.txt; not " + quoted(path)};
        }
        rule_->files_.push_back(std::make_unique<ListFile>(std::string{path}, normalize));
        return {};
    }

    Result no_value(std::string_view value) const {
        return Refusal{"needs " + example_of(rule_->claim_) + "; not " + quoted(value)};
    }

    static Result unknown_level(std::string_view value) {
        auto words = std::vector<std::string_view>(known_levels().begin(), known_levels().end());
        words.emplace_back("certification-dirigeant");
        return Refusal{"names the level " + quoted(value) + ", which ProConnect does not know" + did_you_mean(value, words)};
    }

    [[nodiscard]] std::string example_for_claim() const {
        switch (rule_->comparison_) {
            case Comparison::level: return "'acr >= eidas1-mfa', or the accepted levels";
            case Comparison::method: return "the accepted methods, for instance 'amr mfa'";
            default: return example_of(rule_->claim_);
        }
    }

    std::span<const std::string> words_, values_;
    const PatternCompiler& compile_;
    std::unique_ptr<Rule> rule_{new Rule};
};

std::expected<std::unique_ptr<Rule>, std::string> Rule::parse(std::span<const std::string> words, const PatternCompiler& compile) {
    return Parser{words, compile}.run();
}

}  // namespace proconnect::access
