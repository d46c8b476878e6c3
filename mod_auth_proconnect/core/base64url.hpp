#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace proconnect::core {

/// Encodes bytes as base64url without padding, RFC 4648 section 5 and RFC 7515 section 2.
[[nodiscard]] std::string base64url_encode(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::string base64url_encode(std::string_view bytes);

/// Decodes base64url strictly: no padding, no white space, no character of the other alphabet, no unused bits set.
/// So each byte string has exactly one accepted spelling. Empty text is an empty byte string.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

/// Decodes into a buffer that must have exactly the decoded length; for the hot path, no allocation.
/// @return false when the text is not the canonical encoding of `out.size()` bytes
[[nodiscard]] bool base64url_decode_exactly(std::string_view text, std::span<std::uint8_t> out) noexcept;

}  // namespace proconnect::core
