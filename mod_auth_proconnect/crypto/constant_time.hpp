#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace proconnect::crypto {

/// Byte-exact comparison whose time depends on the lengths only. Two empty inputs are NOT equal: an absent secret
/// must never match an absent secret.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;
[[nodiscard]] bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

}  // namespace proconnect::crypto
