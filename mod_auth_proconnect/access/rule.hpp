#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/value_list.hpp"
#include "core/clock.hpp"
#include "session/session.hpp"

namespace proconnect::access {

/// A compiled regular expression. An interface, so that rules use httpd's own dialect without knowing httpd.
class Pattern {
public:
    virtual ~Pattern() = default;
    [[nodiscard]] virtual bool matches_within(std::string_view text) const noexcept = 0;
};
/// @return the pattern, or what is wrong with it
using PatternCompiler = std::function<std::expected<std::unique_ptr<Pattern>, std::string>(const std::string& text)>;

/// How the values of a claim are compared.
enum class Comparison : std::uint8_t {
    exact,          ///< byte for byte
    email,          ///< without regard to the case of ASCII letters
    email_domain,   ///< what follows the one '@', as a whole domain; "*." in a rule stands for any labels before it
    digits,         ///< siret, siren: spaces do not count
    level,          ///< acr
    method,         ///< amr
};

/// What a rule found. Only `met` admits; and `not_met` alone is reason enough for a negated rule to admit.
enum class Outcome : std::uint8_t { met, not_met, claim_missing, list_unavailable };

/// One prepared line `Require proconnect …`; immutable apart from its files, which follow their content.
class Rule {
public:
    /// Reads what follows "Require proconnect": a claim, perhaps an operator, and values.
    /// @return the rule, or the end of a sentence that says what is wrong and what to write
    static std::expected<std::unique_ptr<Rule>, std::string> parse(std::span<const std::string> words, const PatternCompiler& compile);

    /// Against the claims of a session. Allocates only for what is not plain: an address outside ASCII, an escaped list element.
    [[nodiscard]] Outcome evaluate(const session::AttributeBlock& attributes, core::UnixTime now) const noexcept;
    /// As evaluate() of a rule on `acr`, for a session that had this level.
    [[nodiscard]] Outcome evaluate_level(std::string_view level) const noexcept;

    [[nodiscard]] const std::string& claim() const noexcept { return claim_; }
    [[nodiscard]] Comparison comparison() const noexcept { return comparison_; }
    /// The line as written, values included: for the audit log, never for a page.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Of a rule on `acr`: every level that meets it; of a rule on `amr`: the methods. Full names.
    [[nodiscard]] const std::vector<std::string>& accepted() const noexcept { return accepted_; }
    /// Whether the line itself names this value.
    [[nodiscard]] bool accepts(std::string_view value) const noexcept { return values_.contains(value); }
    [[nodiscard]] const std::vector<std::unique_ptr<ListFile>>& files() const noexcept { return files_; }

private:
    Rule() = default;
    class Parser;

    [[nodiscard]] bool is_own(const session::AttributeBlock::Item& item) const noexcept;
    [[nodiscard]] Outcome compare(std::string_view value, core::UnixTime now) const;
    [[nodiscard]] Outcome compare_email_domain(std::string_view email, core::UnixTime now) const;
    [[nodiscard]] Outcome find_value(std::string_view value, core::UnixTime now) const noexcept;

    std::string claim_, variable_, text_;
    bool claim_is_stored_ = false;          ///< the block holds the claim's name, since it cannot be told from the variable
    Comparison comparison_ = Comparison::exact;
    ValueList values_;
    std::vector<std::string> parents_;      ///< domains below which every domain is accepted (email_domain)
    std::vector<std::string> accepted_;
    std::vector<std::unique_ptr<ListFile>> files_;
    std::unique_ptr<Pattern> pattern_;
};

/// The claims a rule may name, beside "custom.NAME".
[[nodiscard]] std::span<const std::string_view> known_claims() noexcept;

}  // namespace proconnect::access
