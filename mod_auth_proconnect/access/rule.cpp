#include "access/rule.hpp"

#include <algorithm>
#include <array>

#include "access/domain.hpp"
#include "access/levels.hpp"

namespace proconnect::access {
namespace {

using session::Attribute;
using session::AttributeBlock;

constexpr std::size_t kMaxEmailBytes = 320;   // RFC 5321: 64 before the '@', 255 after it
constexpr std::size_t kSiretDigits = 14;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// What a list says: on it, not on it, or not to be known.
Outcome outcome_of(std::optional<bool> found) noexcept {
    return !found ? Outcome::list_unavailable : *found ? Outcome::met : Outcome::not_met;
}

/// Of several values, one that meets the rule is enough; one that cannot be judged leaves the whole unjudged.
Outcome any_of(Outcome a, Outcome b) noexcept {
    if (a == Outcome::met || b == Outcome::met) {
        return Outcome::met;
    }
    return a == Outcome::not_met ? b : a;
}

}  // namespace

bool Rule::is_own(const AttributeBlock::Item& item) const noexcept {
    // Another claim may have taken the variable: "custom.a b" and "custom.a_b" share one.
    return claim_is_stored_ ? item.stored_claim == claim_ : item.stored_claim.empty();
}

Outcome Rule::find_value(std::string_view value, core::UnixTime now) const noexcept {
    if (values_.contains(value)) {
        return Outcome::met;
    }
    Outcome outcome = Outcome::not_met;
    for (const auto& file : files_) {
        outcome = any_of(outcome, outcome_of(file->contains(value, now)));
    }
    return outcome;
}

Outcome Rule::compare_email_domain(std::string_view email, core::UnixTime now) const {
    const auto domain = domain_of_email(email);
    DomainBuffer buffer;
    const auto normalized = domain ? buffer.normalize(*domain) : std::nullopt;
    if (!normalized) {
        return Outcome::claim_missing;   // no address, so no domain: neither inside nor outside
    }
    auto outcome = find_value(*normalized, now);
    for (const auto& parent : parents_) {
        const bool below = normalized->size() > parent.size() + 1 && normalized->ends_with(parent) && (*normalized)[normalized->size() - parent.size() - 1] == '.';
        outcome = any_of(outcome, below ? Outcome::met : Outcome::not_met);
    }
    return outcome;
}

Outcome Rule::compare(std::string_view value, core::UnixTime now) const {
    if (pattern_) {
        return pattern_->matches_within(value) ? Outcome::met : Outcome::not_met;
    }
    switch (comparison_) {
        case Comparison::exact:
            return find_value(value, now);
        case Comparison::level:
            return evaluate_level(value);
        case Comparison::method:
            return std::ranges::any_of(accepted_, [&](const std::string& method) { return is_same_method(method, value); }) ? Outcome::met : Outcome::not_met;
        case Comparison::email_domain:
            return compare_email_domain(value, now);
        case Comparison::email: {
            std::array<char, kMaxEmailBytes> lowered{};
            if (value.empty() || value.size() > lowered.size()) {
                return Outcome::claim_missing;
            }
            std::ranges::transform(value, lowered.begin(), lower);
            return find_value({lowered.data(), value.size()}, now);
        }
        case Comparison::digits: {
            std::array<char, kSiretDigits> digits{};
            std::size_t count = 0;
            for (const char c : value) {
                if (c == ' ') {
                    continue;
                }
                if (c < '0' || c > '9' || count == digits.size()) {
                    return Outcome::claim_missing;
                }
                digits[count++] = c;
            }
            return count == 0 ? Outcome::claim_missing : find_value({digits.data(), count}, now);
        }
    }
    return Outcome::claim_missing;
}

Outcome Rule::evaluate_level(std::string_view level) const noexcept {
    return std::ranges::find(accepted_, level) != accepted_.end() ? Outcome::met : Outcome::not_met;
}

Outcome Rule::evaluate(const AttributeBlock& attributes, core::UnixTime now) const noexcept {
    try {
        const auto item = attributes.find(variable_);
        if (!item || !is_own(*item)) {
            return Outcome::claim_missing;
        }
        if (item->kind != Attribute::Kind::list) {
            return compare(item->value_view, now);
        }
        auto outcome = Outcome::not_met;
        session::any_list_element(item->value_view, [&](std::string_view element) {
            outcome = any_of(outcome, compare(element, now));
            return outcome == Outcome::met;
        });
        return outcome;
    } catch (...) {
        return Outcome::claim_missing;   // no memory: nothing is proved
    }
}

}  // namespace proconnect::access
