#include "fuzz/fixtures.hpp"

#include <array>

#include "crypto/digest.hpp"
#include "json/document.hpp"
#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

namespace proconnect::fuzz {
namespace {

const test::TestKey& ec_key() {
    static const auto key = test::TestKey::from_jwk(test::kRfc7520Key55);
    return key;
}

const test::TestKey& rsa_key() {
    static const auto key = test::TestKey::from_jwk(test::kRfc7516A1Key);
    return key;
}

session::ServerKey server_key(std::uint8_t fill) {
    std::array<std::uint8_t, session::ServerKey::kMasterBytes> master;
    master.fill(fill);
    return session::ServerKey::derive(master).value();
}

}  // namespace

const oidc::JsonWebKeySet& provider_keys() {
    static const auto set = oidc::JsonWebKeySet::parse(test::jwk_set({ec_key().public_jwk("ec"), rsa_key().public_jwk("rsa"), std::string{test::kRfc7515A2Key},
                                                                      std::string{test::kRfc7515A3Key}}))
                                .value();
    return set;
}

const oidc::JsonWebKeySet& foreign_keys() {
    static const auto set = oidc::JsonWebKeySet::parse(test::kRfc7517A1).value();
    return set;
}

const core::Secret& client_secret() {
    static const core::Secret secret{test::decoded(test::kRfc7515A1Secret)};
    return secret;
}

const std::vector<crypto::PrivateKey>& decryption_keys() {
    static const std::vector<crypto::PrivateKey> keys{rsa_key().private_key(), test::TestKey::from_jwk(test::kRfc7518AppendixCBob).private_key()};
    return keys;
}

const session::ServerKeys& server_keys() {
    static const session::ServerKeys keys{.current = server_key(1), .previous = server_key(2)};
    return keys;
}

oidc::RelyingParty make_client() {
    oidc::RelyingParty client;
    client.issuer = kIssuer;
    client.client_id = kClientId;
    client.client_secret = client_secret().clone();
    client.redirect_uri = kRedirectUri;
    client.scope = "openid";
    client.id_token_algorithms = {.es256 = true, .rs256 = true, .hs256 = true};
    return client;
}

std::string signed_as_announced(std::string_view header, std::string_view payload, std::string_view hmac_secret) {
    const auto document = json::Document::parse_object(header);
    const auto alg = document ? document->root().string_member("alg").value_or("") : "";
    if (alg == "ES256" || alg == "RS256") {
        return test::signed_token(alg == "ES256" ? ec_key() : rsa_key(), header, payload);
    }
    return test::hs256_token(hmac_secret, header, payload);
}

std::string hs256_token(std::string_view payload, std::string_view header) {
    return test::hs256_token(client_secret().reveal(), header, payload);
}

}  // namespace proconnect::fuzz
