#include "oidc/client_authentication.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using oidc::ClientAuthentication;

namespace {

constexpr std::string_view kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What was added to the request.
struct Added {
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    [[nodiscard]] std::string parameter(std::string_view name) const { return std::string{core::Parameters::parse(body)->find(name).value_or("")}; }
};

Added add(const oidc::RelyingParty& client, core::UnixTime now = kLoginTime) {
    core::ParameterList body;
    http::Request request;
    BOOST_REQUIRE(oidc::add_client_authentication(client, kTokenEndpoint, now, body, request).has_value());
    Added added{.body = body.text()};
    for (const auto& [name, value] : request.headers) {
        added.headers.emplace_back(name, value.reveal());
    }
    return added;
}

oidc::RelyingParty client_of(ClientAuthentication method) {
    auto client = login_client();
    client.authentication = method;
    return client;
}

oidc::RelyingParty client_with(const TestKey& key) {
    auto client = client_of(ClientAuthentication::private_key_jwt);
    client.client_secret = core::Secret{};
    client.signing_key = key.private_key();
    return client;
}

/// The assertion, verified as the provider does with the registered public key.
oidc::VerifiedJwt verified_assertion(const Added& added, const TestKey& key) {
    const auto keys = oidc::JsonWebKeySet::parse(jwk_set({key.public_jwk(key.private_key().thumbprint().value())})).value();
    return oidc::verify_jws(added.parameter("client_assertion"), oidc::AlgorithmPolicy::asymmetric(), {.jwks = &keys, .client_secret = nullptr}).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_authentication)

BOOST_AUTO_TEST_CASE(puts_the_secret_into_the_body) {
    auto client = client_of(ClientAuthentication::client_secret_post);
    client.client_id = "client & 1";
    client.client_secret = core::Secret{"s=&+% é"};
    const auto added = add(client);
    BOOST_TEST(added.body == "client_id=client%20%26%201&client_secret=s%3D%26%2B%25%20%C3%A9");
    BOOST_TEST(added.headers.empty());
}

// RFC 6749 section 2.3.1: both are encoded as in forms before they are joined, so that a ':' in either does no harm.
BOOST_AUTO_TEST_CASE(puts_the_secret_into_a_header) {
    auto client = client_of(ClientAuthentication::client_secret_basic);
    client.client_id = "client:1";
    client.client_secret = core::Secret{"s:/é"};
    const auto added = add(client);
    BOOST_TEST(added.body == "");
    BOOST_REQUIRE(added.headers.size() == 1U);
    BOOST_TEST(added.headers[0].first == "Authorization");
    BOOST_TEST(added.headers[0].second == "Basic Y2xpZW50JTNBMTpzJTNBJTJGJUMzJUE5");
}

// All the lengths modulo 3, and the two characters in which base64 and base64url differ.
BOOST_AUTO_TEST_CASE(writes_ordinary_base64_into_the_header) {
    const auto header = [](std::string id, std::string secret) {
        auto client = client_of(ClientAuthentication::client_secret_basic);
        client.client_id = std::move(id);
        client.client_secret = core::Secret{std::move(secret)};
        return add(client).headers[0].second;
    };
    BOOST_TEST(header("a", "b") == "Basic YTpi");
    BOOST_TEST(header("a", "bc") == "Basic YTpiYw==");
    BOOST_TEST(header("a", "bcd") == "Basic YTpiY2Q=");
    BOOST_TEST(header("aa", "~~~") == "Basic YWE6fn5+");
}

BOOST_AUTO_TEST_CASE(signs_an_assertion_with_the_key_of_the_client) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        const auto added = add(client_with(*key));
        BOOST_TEST(added.headers.empty());
        BOOST_TEST(added.parameter("client_id") == kLoginClient);
        BOOST_TEST(added.parameter("client_assertion_type") == kAssertionType);
        BOOST_TEST(added.parameter("client_secret") == "");
        const auto assertion = verified_assertion(added, *key);
        const auto claims = assertion.claims();
        BOOST_TEST(claims.string_member("iss").value() == kLoginClient);
        BOOST_TEST(claims.string_member("sub").value() == kLoginClient);
        BOOST_TEST(claims.string_member("aud").value() == kTokenEndpoint);
        BOOST_TEST(claims.find("iat")->as_int64().value() == core::to_unix_seconds(kLoginTime));
        BOOST_TEST(claims.find("exp")->as_int64().value() == core::to_unix_seconds(kLoginTime) + 60);
        BOOST_TEST(claims.string_member("jti")->size() >= 22U);
        BOOST_TEST(claims.size() == 6U);
    }
}

BOOST_AUTO_TEST_CASE(names_algorithm_and_key_in_the_header) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        const auto assertion = add(client_with(*key)).parameter("client_assertion");
        BOOST_TEST(decoded(assertion.substr(0, assertion.find('.'))) ==
                   std::string{R"({"alg":")"} + (key->is_rsa() ? "RS256" : "ES256") + R"(","typ":"JWT","kid":")" + key->private_key().thumbprint().value() + "\"}");
    }
}

BOOST_AUTO_TEST_CASE(never_signs_the_same_assertion_twice) {
    std::set<std::string> seen;
    const auto client = client_with(ec_key());
    for (int i = 0; i < 50; ++i) {
        const auto added = add(client);
        seen.insert(std::string{verified_assertion(added, ec_key()).claims().string_member("jti").value()});
    }
    BOOST_TEST(seen.size() == 50U);
}

BOOST_AUTO_TEST_CASE(escapes_a_client_id_inside_the_assertion) {
    auto client = client_with(ec_key());
    client.client_id = R"(client","aud":"https://evil.example)";
    const auto assertion = verified_assertion(add(client), ec_key());
    BOOST_TEST(assertion.claims().string_member("iss").value() == client.client_id);
    BOOST_TEST(assertion.claims().string_member("aud").value() == kTokenEndpoint);
}

BOOST_AUTO_TEST_CASE(cannot_sign_without_a_key) {
    core::ParameterList body;
    http::Request request;
    const auto result = oidc::add_client_authentication(client_of(ClientAuthentication::private_key_jwt), kTokenEndpoint, kLoginTime, body, request);
    BOOST_TEST(outcome(result) == "PC5002");
    BOOST_TEST(body.text() == "");
    BOOST_TEST(request.headers.empty());
}

BOOST_AUTO_TEST_CASE(knows_no_other_method) {
    core::ParameterList body;
    http::Request request;
    const auto result = oidc::add_client_authentication(client_of(static_cast<ClientAuthentication>(7)), kTokenEndpoint, kLoginTime, body, request);
    BOOST_TEST(outcome(result) == "PC9001");
    BOOST_TEST(body.text() == "");
}

BOOST_AUTO_TEST_SUITE_END()
