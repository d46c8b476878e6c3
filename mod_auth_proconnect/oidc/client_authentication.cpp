#include "oidc/client_authentication.hpp"

#include <initializer_list>

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
    const auto padding = (4 - text.size() % 4) % 4;
    if (text.size() + padding > text.capacity()) {
        std::string padded;
        padded.reserve(text.size() + padding);
        padded.append(text);
        core::wipe(text.data(), text.size());
        text.swap(padded);
    }
    text.append(padding, '=');
    return text;
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (const auto part : parts) {
        size += part.size();
    }
    std::string text;
    text.reserve(size);
    for (const auto part : parts) {
        text += part;
    }
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
            // Every intermediate form of the secret is wiped, and none grows step by step, which would leave copies behind.
            const core::Secret secret{core::percent_encode(client.client_secret.reveal())};
            const core::Secret pair{joined({core::percent_encode(client.client_id), ":", secret.reveal()})};
            const core::Secret encoded{base64(pair.reveal())};
            request.headers.emplace_back("Authorization", core::Secret{joined({"Basic ", encoded.reveal()})});
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
