#pragma once
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "crypto/signature.hpp"
#include "json/document.hpp"
#include "oidc/jose_header.hpp"
#include "oidc/jwks.hpp"

namespace proconnect::oidc {

inline constexpr std::size_t kMaxJwtBytes = 128 * 1024;

/// The algorithms one kind of token may be signed with. Never taken from the token.
struct AlgorithmPolicy {
    bool es256 = false;
    bool rs256 = false;
    bool hs256 = false;
    [[nodiscard]] bool allows(crypto::SignatureAlgorithm algorithm) const noexcept;
    static AlgorithmPolicy asymmetric() noexcept { return {.es256 = true, .rs256 = true, .hs256 = false}; }
};

/// What is needed to verify a signature: the keys of the provider, and the client's secret for HS256 only.
struct VerificationKeys {
    const JsonWebKeySet* jwks = nullptr;             ///< may be null when only HS256 is allowed
    const core::Secret* client_secret = nullptr;     ///< may be null when HS256 is not allowed
};

/// A JWT whose signature is verified. There is no other way to make one than verify_jws(), so a function that takes it
/// cannot be given an unverified token.
class VerifiedJwt {
public:
    [[nodiscard]] json::Value claims() const noexcept { return claims_.root(); }
    [[nodiscard]] crypto::SignatureAlgorithm algorithm() const noexcept { return algorithm_; }
    /// The claims on their own, for a token that has been checked.
    [[nodiscard]] json::Document take_claims() && noexcept { return std::move(claims_); }

private:
    friend std::expected<VerifiedJwt, core::Error> verify_jws(std::string_view, const AlgorithmPolicy&, const VerificationKeys&, TokenType);
    VerifiedJwt(json::Document claims, crypto::SignatureAlgorithm algorithm) noexcept : claims_(std::move(claims)), algorithm_(algorithm) {}
    json::Document claims_;
    crypto::SignatureAlgorithm algorithm_;
};

/// Verifies a JWS in compact serialization, RFC 7515 sections 3.1 and 5.2, RFC 7519 section 7.2, RFC 8725.
/// `alg` must be allowed by the policy (PC3002; `none` in any spelling is not a name at all); `crit` and `b64` are refused (PC3005),
/// a `typ` of another kind of token too (PC3007); `jwk`, `jku`, `x5c`, `x5u`, `zip` are never used; `kid` selects the key, an absent or empty `kid` tries each
/// fitting key (at most 8), an unknown one is PC3008 so that the caller may refetch once. Claims must be a JSON object (PC3001).
std::expected<VerifiedJwt, core::Error> verify_jws(std::string_view compact, const AlgorithmPolicy& policy, const VerificationKeys& keys,
                                                  TokenType type = TokenType::jwt);

/// How many dots a compact token has tells what it is: 2 JWS, 4 JWE; anything else, or a JSON body, is `other`.
enum class TokenForm { jws, jwe, other };
[[nodiscard]] TokenForm token_form(std::string_view text) noexcept;

/// Decrypts a JWE in compact serialization, RFC 7516 section 5.2: ECDH-ES or RSA-OAEP with A256GCM only (PC3002 for others).
/// `crit` and `zip` are PC3005, a `typ` that is not JWT is PC3007. `kid` selects our key by RFC 7638 thumbprint, an absent or unknown `kid` tries each key of the
/// kind (at most 4; none at all is PC3004). Every failure after the header is PC3006 with one detail, whatever it was, and
/// so is an `epk` that cannot be used.
/// @return the plaintext, normally a nested JWS
std::expected<std::string, core::Error> decrypt_jwe(std::string_view compact, std::span<const crypto::PrivateKey> keys);

/// The signed token inside: decrypt_jwe() where decryption keys are configured, the token itself where none are. PC3007 when it comes in the other form.
std::expected<core::Secret, core::Error> decrypt_if_configured(std::string_view compact, std::span<const crypto::PrivateKey> decryption_keys);

/// decrypt_jwe() when `keys` is not empty, then verify_jws(). With decryption keys configured a bare JWS is PC3007;
/// without them a JWE is PC3007. RFC 7519 section 7.2, items 7 and 8.
std::expected<VerifiedJwt, core::Error> open_token(std::string_view compact, const AlgorithmPolicy& policy, const VerificationKeys& keys,
                                                   std::span<const crypto::PrivateKey> decryption_keys);

}  // namespace proconnect::oidc
