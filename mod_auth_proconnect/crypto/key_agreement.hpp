#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "crypto/signature.hpp"

namespace proconnect::crypto {

/// The key derivation of ECDH-ES, NIST SP 800-56A section 5.8.1 with SHA-256 as RFC 7518 section 4.6.2 fills it in.
/// @param shared     Z, the shared secret
/// @param algorithm  AlgorithmID: the name of `enc`
/// @param key_bytes  at most 32
[[nodiscard]] std::expected<core::Secret, core::Error> concat_kdf(const core::Secret& shared, std::string_view algorithm, std::string_view apu,
                                                                  std::string_view apv, std::size_t key_bytes);

/// ECDH-ES in direct key agreement, RFC 7518 section 4.6: Concat KDF of the shared secret to a 256-bit key for `enc` A256GCM.
/// @param x, y  the ephemeral point, 32 bytes each, checked to be on P-256
/// @param apu, apv  decoded PartyUInfo and PartyVInfo, may be empty
/// @return the key, or PC3006
[[nodiscard]] std::expected<core::Secret, core::Error> agree_ecdh_es(const PrivateKey& key, std::string_view x, std::string_view y,
                                                                     std::string_view apu, std::string_view apv);

/// RSA-OAEP with SHA-1 and MGF1-SHA-1 as RFC 7518 section 4.3 defines the name. A padding error yields a random key of 32 bytes,
/// not an error, so that it cannot be told from a wrong tag (RFC 7516 section 11.5).
[[nodiscard]] std::expected<core::Secret, core::Error> unwrap_rsa_oaep(const PrivateKey& key, std::string_view encrypted_key);

/// A256GCM content decryption, RFC 7518 section 5.3: iv 12 bytes, tag 16. @return plaintext, or PC3006 for every failure
[[nodiscard]] std::expected<std::string, core::Error> decrypt_a256gcm(const core::Secret& key, std::string_view iv, std::string_view associated,
                                                                      std::string_view ciphertext, std::string_view tag);

}  // namespace proconnect::crypto
