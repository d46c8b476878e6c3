#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace proconnect::access {

/// The levels (`acr`) ProConnect knows, weakest first, with the role proof and the names of former times at the end.
[[nodiscard]] std::span<const std::string_view> known_levels() noexcept;
/// The full name of a level as it may be written in a rule; "certification-dirigeant" stands for its address. "" when there is none.
[[nodiscard]] std::string_view level_named(std::string_view written) noexcept;
/// Every level that is at least this one. From a level with two factors on, those with two factors only: eidas1 is no stronger eidas0-mfa.
/// Empty for what has no place in the order: the role proof and the former names.
[[nodiscard]] std::vector<std::string_view> levels_from(std::string_view level);
[[nodiscard]] bool has_two_factors(std::string_view level) noexcept;

/// The ways to log in (`amr`) that ProConnect names.
[[nodiscard]] std::span<const std::string_view> known_methods() noexcept;
/// Whether both name the same way: "totp" is the former name of "otp".
[[nodiscard]] bool is_same_method(std::string_view a, std::string_view b) noexcept;
/// Whether the method is part of a login with two factors, and can thus be asked for through the levels.
[[nodiscard]] bool implies_two_factors(std::string_view method) noexcept;

}  // namespace proconnect::access
