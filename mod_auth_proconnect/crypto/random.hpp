#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "core/error.hpp"

namespace proconnect::crypto {

/// Fills the buffer from OpenSSL's private random generator, or fails with PC9002; never leaves it half filled with use.
[[nodiscard]] std::expected<void, core::Error> fill_random(std::span<std::uint8_t> out) noexcept;

/// `bytes` random bytes as base64url text.
[[nodiscard]] std::expected<std::string, core::Error> random_token(std::size_t bytes);

}  // namespace proconnect::crypto
