#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/secret.hpp"
#include "crypto/signature.hpp"
#include "oidc/jwt.hpp"

namespace proconnect::oidc {

/// How the client proves itself at the token, introspection and revocation endpoints; Core section 9, RFC 6749 section 2.3.1, RFC 7523.
enum class ClientAuthentication { client_secret_post, client_secret_basic, private_key_jwt };

/// How userinfo may come, Core section 5.3.2.
struct UserInfoPolicy {
    AlgorithmPolicy signed_with;   ///< algorithms accepted for a signed answer; none allowed = a signed one is refused
    bool plain_json = false;       ///< an unsigned answer is accepted (TLS alone protects it)
};

/// One registered client of one provider: what the configuration of a virtual host says. Immutable after start.
struct RelyingParty {
    std::string issuer;
    std::string client_id;
    core::Secret client_secret;                          ///< empty with private_key_jwt
    std::optional<crypto::PrivateKey> signing_key;       ///< for private_key_jwt
    ClientAuthentication authentication = ClientAuthentication::client_secret_post;
    std::string redirect_uri;                            ///< exactly as registered
    std::string post_logout_redirect_uri;                ///< exactly as registered
    std::string scope;                                   ///< space-separated, holds "openid"
    AlgorithmPolicy id_token_algorithms = AlgorithmPolicy::asymmetric();
    UserInfoPolicy userinfo{.signed_with = {true, true, true}, .plain_json = true};
    AlgorithmPolicy introspection_algorithms = AlgorithmPolicy::asymmetric();
    std::vector<crypto::PrivateKey> decryption_keys;     ///< not empty: tokens must come encrypted
    std::chrono::seconds clock_skew{60};
};

/// The provider's keys, and the client's secret for HS256 where it has one; both are borrowed. An empty secret is no key.
[[nodiscard]] inline VerificationKeys verification_keys(const RelyingParty& client, const JsonWebKeySet& jwks) noexcept {
    return {.jwks = &jwks, .client_secret = client.client_secret.empty() ? nullptr : &client.client_secret};
}

}  // namespace proconnect::oidc
