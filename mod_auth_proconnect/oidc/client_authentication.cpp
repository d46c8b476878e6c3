#include "oidc/client_authentication.hpp"

#include "core/base64url.hpp"
#include "crypto/random.hpp"
#include "json/document.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;

constexpr std::chrono::seconds kAssertionLifetime{60};

std::expected<core::Secret, Error> client_assertion(const RelyingParty& client, std::string_view audience, core::UnixTime now) {
    if (!client.signing_key) {
        return std::unexpected(Error{core::ErrorCode::key_unusable, "private_key_jwt without ProConnectClientKey"});
    }
    auto jti = crypto::random_token(16);
    if (!jti) {
        return std::unexpected(std::move(jti.error()));
    }
    auto kid = client.signing_key->thumbprint();
    if (!kid) {
        return std::unexpected(std::move(kid.error()));
    }
    json::Writer header;
    header.begin_object().key("alg").string(crypto::to_text(crypto::algorithm_of(*client.signing_key))).key("typ").string("JWT").key("kid").string(*kid).end_object();
    json::Writer claims;
    claims.begin_object()
        .key("iss").string(client.client_id)
        .key("sub").string(client.client_id)
        .key("aud").string(audience)
        .key("jti").string(*jti)
        .key("iat").number(core::to_unix_seconds(now))
        .key("exp").number(core::to_unix_seconds(now + kAssertionLifetime))
        .end_object();
    std::string assertion = core::base64url_encode(header.take()) + "." + core::base64url_encode(claims.take());
    auto signature = crypto::sign(*client.signing_key, assertion);
    if (!signature) {
        return std::unexpected(std::move(signature.error()));
    }
    assertion += '.';
    assertion += core::base64url_encode(*signature);
    return core::Secret{std::move(assertion)};
}

// Basic credentials are base64 with the ordinary alphabet, RFC 7617; base64url differs in two characters and the padding.
std::string base64(std::string_view bytes) {
    std::string text = core::base64url_encode(bytes);
    for (char& c : text) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

}  // namespace

std::expected<void, Error> add_client_authentication(const RelyingParty& client, std::string_view token_endpoint, core::UnixTime now,
                                                     core::ParameterList& body, http::Request& request) {
    switch (client.authentication) {
        case ClientAuthentication::client_secret_post:
            body.add("client_id", client.client_id).add("client_secret", client.client_secret.reveal());
            return {};
        case ClientAuthentication::client_secret_basic: {
            const core::Secret pair{core::percent_encode(client.client_id) + ":" + core::percent_encode(client.client_secret.reveal())};
            request.headers.emplace_back("Authorization", core::Secret{"Basic " + base64(pair.reveal())});
            return {};
        }
        case ClientAuthentication::private_key_jwt: {
            auto assertion = client_assertion(client, token_endpoint, now);
            if (!assertion) {
                return std::unexpected(std::move(assertion.error()));
            }
            body.add("client_id", client.client_id)
                .add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                .add("client_assertion", assertion->reveal());
            return {};
        }
    }
    return std::unexpected(Error{core::ErrorCode::internal_error, "unknown client authentication"});
}

}  // namespace proconnect::oidc
