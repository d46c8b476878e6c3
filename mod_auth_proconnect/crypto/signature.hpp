#pragma once
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace proconnect::crypto {

/// The signature algorithms of RFC 7518 section 3.1 that ProConnect offers. There is no `none`.
enum class SignatureAlgorithm { es256, rs256, hs256 };
/// Exact, case-sensitive names; nothing for any other, `none` included.
[[nodiscard]] std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) noexcept;
[[nodiscard]] std::string_view to_text(SignatureAlgorithm algorithm) noexcept;

enum class KeyKind { rsa, ec_p256 };

/// A public key for verification or encryption. Made only from checked parameters: RSA of 2048 to 8192 bits with an odd exponent
/// of at least 3 and at most 64 bits; EC points on P-256 only, validated. Immutable, shareable between threads.
class PublicKey {
public:
    /// RFC 7518 section 6.3.1; both base64url-decoded, big-endian.
    static std::expected<PublicKey, core::Error> from_rsa(std::string_view modulus, std::string_view exponent);
    /// RFC 7518 section 6.2.1; both coordinates exactly 32 bytes.
    static std::expected<PublicKey, core::Error> from_p256(std::string_view x, std::string_view y);
    [[nodiscard]] KeyKind kind() const noexcept;
    struct Impl;
    [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
    explicit PublicKey(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

/// A private key of ours, from PEM (PKCS#8, PKCS#1 or SEC1, not encrypted): for private_key_jwt and for decryption.
class PrivateKey {
public:
    static std::expected<PrivateKey, core::Error> from_pem(std::string_view pem);
    [[nodiscard]] KeyKind kind() const noexcept;
    /// The public half as a JWK without private members, RFC 7517; `use` is "sig" or "enc", `kid` the RFC 7638 thumbprint.
    [[nodiscard]] std::expected<std::string, core::Error> public_jwk(std::string_view use, std::string_view algorithm) const;
    /// RFC 7638 thumbprint, SHA-256, base64url.
    [[nodiscard]] std::expected<std::string, core::Error> thumbprint() const;
    struct Impl;
    [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

private:
    explicit PrivateKey(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

/// Verifies a JWS signature, RFC 7518 sections 3.3 and 3.4. ES256 takes the 64 raw bytes r||s only (never DER), each in [1, n-1].
/// The key's kind must fit the algorithm (PC3004 when it does not), a wrong signature is PC3003. HS256 is not for public keys: PC3004.
[[nodiscard]] std::expected<void, core::Error> verify_signature(SignatureAlgorithm algorithm, const PublicKey& key,
                                                                std::string_view signing_input, std::string_view signature);
/// HS256, RFC 7518 section 3.2, constant-time; the secret must have at least 32 bytes (PC3004 when shorter).
[[nodiscard]] std::expected<void, core::Error> verify_hs256(const core::Secret& secret, std::string_view signing_input, std::string_view signature);

/// Signs for private_key_jwt; the algorithm follows from the key's kind. @return raw JWS signature bytes
[[nodiscard]] std::expected<std::string, core::Error> sign(const PrivateKey& key, std::string_view signing_input);
[[nodiscard]] SignatureAlgorithm algorithm_of(const PrivateKey& key) noexcept;

}  // namespace proconnect::crypto
