#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace proconnect::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Key256 = std::array<std::uint8_t, 32>;

/// Fetches the algorithms once for the process, so that no request does. Called at start; safe to call again.
std::expected<void, core::Error> initialize();

/// Frees what sha256(), seal_into() and open_in_place() keep for the calling thread; the next call makes it anew. For a
/// thread that ends before its process does, and for httpd's parent before the module is unloaded; otherwise a few
/// hundred bytes leak.
void release_thread_contexts() noexcept;

/// SHA-256, FIPS 180-4. Fails only when OpenSSL does (PC9002); no result is ever partial.
[[nodiscard]] std::expected<Sha256, core::Error> sha256(std::span<const std::uint8_t> bytes) noexcept;
[[nodiscard]] std::expected<Sha256, core::Error> sha256(std::string_view bytes) noexcept;

/// HMAC-SHA-256, RFC 2104. An empty key is PC9002: it authenticates nothing.
[[nodiscard]] std::expected<Sha256, core::Error> hmac_sha256(std::span<const std::uint8_t> key, std::string_view message) noexcept;

/// One 256-bit key for one purpose, derived from a master key: HKDF-SHA-256, RFC 5869, without salt, `purpose`
/// as info. An empty master key is PC9002.
[[nodiscard]] std::expected<Key256, core::Error> derive_key(std::span<const std::uint8_t> master, std::string_view purpose) noexcept;

}  // namespace proconnect::crypto
