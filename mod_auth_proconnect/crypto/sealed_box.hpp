#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "crypto/digest.hpp"

namespace proconnect::crypto {

// AES-256-GCM, NIST SP 800-38D, in two forms.

/// Form 1, a long-lived key: a random 192-bit salt per box derives the key of that one box by HMAC-SHA-256, so the
/// number of boxes under one key is not bounded by the 96-bit nonce. Layout: salt (24) | ciphertext | tag (16).
/// `associated` is authenticated, not stored: a box opens only in the context it was sealed for.
[[nodiscard]] std::expected<std::string, core::Error> seal(const Key256& key, std::string_view associated, std::string_view plaintext);
/// @return the plaintext, or PC4004 whatever was wrong with it
[[nodiscard]] std::expected<std::string, core::Error> open_sealed(const Key256& key, std::string_view associated, std::string_view box);
inline constexpr std::size_t kSaltedOverhead = 24 + 16;

/// Form 2, a key that is used for few messages, each with a nonce the caller never repeats (a session's record: the key
/// is random per session, the nonce counts the writes). Layout: ciphertext | tag (16). `out` must hold at least plaintext + 16 bytes;
/// it may not overlap the input. No allocation: the cipher context is per thread.
inline constexpr std::size_t kTagBytes = 16;
[[nodiscard]] std::expected<void, core::Error> seal_into(std::span<const std::uint8_t> key, std::uint64_t nonce, std::string_view associated,
                                                         std::string_view plaintext, std::span<std::uint8_t> out) noexcept;
/// Opens in place: after success the first size() - 16 bytes of `box` are the plaintext; after failure the content is undefined and wiped.
[[nodiscard]] bool open_in_place(std::span<const std::uint8_t> key, std::uint64_t nonce, std::string_view associated,
                                 std::span<std::uint8_t> box) noexcept;

}  // namespace proconnect::crypto
