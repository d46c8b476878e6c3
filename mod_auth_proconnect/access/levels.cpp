#include "access/levels.hpp"

#include <algorithm>
#include <array>

namespace proconnect::access {
namespace {

constexpr std::size_t kOrdered = 6;
constexpr std::string_view kRoleProof = "https://proconnect.gouv.fr/assurance/certification-dirigeant";
constexpr std::string_view kAssurance = "https://proconnect.gouv.fr/assurance/";

constexpr std::array<std::string_view, 11> kLevels{"eidas0",
                                                   "eidas0-mfa",
                                                   "eidas1",
                                                   "eidas1-mfa",
                                                   "eidas2",
                                                   "eidas3",
                                                   kRoleProof,
                                                   "https://proconnect.gouv.fr/assurance/self-asserted",
                                                   "https://proconnect.gouv.fr/assurance/self-asserted-2fa",
                                                   "https://proconnect.gouv.fr/assurance/consistency-checked",
                                                   "https://proconnect.gouv.fr/assurance/consistency-checked-2fa"};

constexpr std::array<std::string_view, 9> kMethods{"pwd", "mail", "otp", "totp", "pin", "pop", "hwk", "swk", "mfa"};

}  // namespace

std::span<const std::string_view> known_levels() noexcept {
    return kLevels;
}

std::string_view level_named(std::string_view written) noexcept {
    for (const auto level : kLevels) {
        if (written == level || (written == "certification-dirigeant" && level == kRoleProof)) {
            return level;
        }
    }
    return {};
}

std::vector<std::string_view> levels_from(std::string_view level) {
    const auto ordered = std::span{kLevels}.first(kOrdered);
    const auto first = std::ranges::find(ordered, level);
    std::vector<std::string_view> found;
    for (auto each = first; each != ordered.end(); ++each) {
        if (has_two_factors(*each) || !has_two_factors(level)) {
            found.push_back(*each);
        }
    }
    return found;
}

bool has_two_factors(std::string_view level) noexcept {
    return level == "eidas0-mfa" || level == "eidas1-mfa" || level == "eidas2" || level == "eidas3" || (level.starts_with(kAssurance) && level.ends_with("-2fa"));
}

std::span<const std::string_view> known_methods() noexcept {
    return kMethods;
}

bool is_same_method(std::string_view a, std::string_view b) noexcept {
    const auto current = [](std::string_view method) { return method == "totp" ? std::string_view{"otp"} : method; };
    return current(a) == current(b);
}

bool implies_two_factors(std::string_view method) noexcept {
    return method == "mfa" || is_same_method(method, "otp");
}

}  // namespace proconnect::access
