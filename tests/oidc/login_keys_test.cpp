// Logins under each algorithm and form of tokens, and with keys that changed meanwhile.
#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;

namespace {

std::string hs256(const std::string& claims) {
    return hs256_token(kLoginSecret, R"({"alg":"HS256"})", claims);
}

/// Adds what only a signed userinfo says.
ClaimSet as_signed(const ClaimSet& userinfo) {
    return userinfo.with_text("iss", kLoginIssuer).with_text("aud", kLoginClient).with("exp", date(kLoginTime + std::chrono::seconds{60})).with("iat", date(kLoginTime));
}

/// The provider signs with a key of this name.
auto signing_as(const TestKey& key, std::string kid) {
    return [&key, kid = std::move(kid)](const std::string& claims) { return signed_claims(key, claims, kid); };
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(login_keys, LoginFixture)

BOOST_AUTO_TEST_CASE(logs_in_under_each_algorithm) {
    sign = signing_as(ec_key(), "ec");
    BOOST_TEST(log_in() == "accepted");
    sign = signing_as(rsa_key(), "rsa");
    BOOST_TEST(log_in() == "accepted");
    client.id_token_algorithms = {.es256 = false, .rs256 = false, .hs256 = true};
    sign = hs256;
    BOOST_TEST(log_in() == "accepted");
    userinfo = as_signed(userinfo);
    for (const auto& signing : {std::function{signing_as(ec_key(), "ec")}, std::function{signing_as(rsa_key(), "rsa")}}) {
        form = signing;
        BOOST_TEST(log_in() == "accepted");
    }
    form = hs256;
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 0);
}

BOOST_AUTO_TEST_CASE(refuses_the_algorithm_that_was_not_configured) {
    sign = hs256;
    BOOST_TEST(log_in() == "PC3002");
    // The public key as the secret of an HMAC, the classic confusion.
    sign = [](const std::string& claims) { return hs256_token(rsa_key().n(), R"({"alg":"HS256","kid":"rsa"})", claims); };
    BOOST_TEST(log_in() == "PC3002");
    sign = [](const std::string& claims) { return encoded(R"({"alg":"none"})") + "." + encoded(claims) + "."; };
    BOOST_TEST(log_in() == "PC3002");
    client.id_token_algorithms = {.es256 = false, .rs256 = false, .hs256 = true};
    sign = signing_as(ec_key(), "ec");
    BOOST_TEST(log_in() == "PC3002");
    client.client_secret = core::Secret{};
    client.authentication = oidc::ClientAuthentication::client_secret_basic;
    sign = hs256;
    BOOST_TEST(log_in() == "PC3004");
}

BOOST_AUTO_TEST_CASE(logs_in_with_encrypted_tokens_and_keeps_the_signed_one_inside) {
    std::string inside;
    for (const auto* const recipient : {&other_ec_key(), &other_rsa_key()}) {
        client.decryption_keys = {recipient->private_key()};
        sign = [&, recipient](const std::string& claims) {
            inside = signed_claims(ec_key(), claims, "ec");
            return encrypted_token(*recipient, inside).compact();
        };
        const auto login = finish(callback(begin()));
        BOOST_REQUIRE(login.has_value());
        BOOST_TEST(login->tokens.id_token.reveal() == inside);
    }
    userinfo = as_signed(userinfo);
    form = [](const std::string& claims) { return encrypted_token(other_rsa_key(), signed_claims(ec_key(), claims, "ec")).compact(); };
    BOOST_TEST(log_in() == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_tokens_that_are_not_encrypted_as_configured) {
    client.decryption_keys = {other_ec_key().private_key()};
    BOOST_TEST(log_in() == "PC3007");
    sign = [](const std::string& claims) { return encrypted_token(ec_key(), signed_claims(ec_key(), claims, "ec")).compact(); };
    BOOST_TEST(log_in() == "PC3006");
    client.decryption_keys.clear();
    BOOST_TEST(log_in() == "PC3007");
    BOOST_TEST(http.count(kUserinfoEndpoint) == 0);
}

BOOST_AUTO_TEST_CASE(fetches_the_keys_once_when_the_id_token_names_an_unknown_one) {
    sign = signing_as(other_ec_key(), "new");
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 1);
    BOOST_TEST(http.count(kTokenEndpoint) == 1);
    BOOST_TEST(http.count(kUserinfoEndpoint) == 1);
}

BOOST_AUTO_TEST_CASE(fetches_the_keys_once_when_userinfo_names_an_unknown_one) {
    userinfo = as_signed(userinfo);
    form = signing_as(other_ec_key(), "new");
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new"), ec_key().public_jwk("ec")}));
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 1);
    BOOST_TEST(http.count(kUserinfoEndpoint) == 1);
}

BOOST_AUTO_TEST_CASE(uses_the_fetched_keys_for_userinfo_too) {
    sign = signing_as(other_ec_key(), "new");
    userinfo = as_signed(userinfo);
    form = signing_as(other_ec_key(), "new");
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 1);
}

BOOST_AUTO_TEST_CASE(refuses_a_key_that_is_still_unknown_after_one_fetch) {
    sign = signing_as(other_ec_key(), "unknown");
    BOOST_TEST(log_in() == "PC3008");
    BOOST_TEST(provider.refetched == 1);
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(log_in() == "PC3008");
    BOOST_TEST(provider.refetched == 2);
    provider.refetch_fails = core::Error{core::ErrorCode::provider_unreachable, "down"};
    BOOST_TEST(log_in() == "PC3008");
    BOOST_TEST(http.count(kUserinfoEndpoint) == 0);
}

BOOST_AUTO_TEST_CASE(believes_no_fetched_key_more_than_another) {
    sign = signing_as(ec_key(), "new");
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(log_in() == "PC3003");
}

BOOST_AUTO_TEST_CASE(fetches_the_keys_once_for_a_signature_that_none_verifies) {
    sign = signing_as(other_ec_key(), "ec");
    BOOST_TEST(log_in() == "PC3003");
    BOOST_TEST(provider.refetched == 1);
    sign = signing_as(ec_key(), "rsa");
    BOOST_TEST(log_in() == "PC3004");
    BOOST_TEST(provider.refetched == 2);
    client.id_token_algorithms = {.es256 = false, .rs256 = false, .hs256 = true};
    sign = signing_as(ec_key(), "ec");
    BOOST_TEST(log_in() == "PC3002");
    BOOST_TEST(provider.refetched == 2);
}

BOOST_AUTO_TEST_CASE(follows_a_rotation_under_the_same_name) {
    sign = signing_as(other_ec_key(), "ec");
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("ec"), rsa_key().public_jwk("rsa")}));
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 1);
}

BOOST_AUTO_TEST_CASE(follows_a_rotation_of_keys_that_tokens_do_not_name) {
    sign = signing_as(other_ec_key(), "");
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 1);
}

BOOST_AUTO_TEST_CASE(follows_the_first_key_of_another_kind) {
    provider.known = FixedProvider::make(login_metadata(), jwk_set({rsa_key().public_jwk("rsa")}));
    sign = signing_as(ec_key(), "");
    provider.rotate_keys(usual_jwks());
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 1);
}

BOOST_AUTO_TEST_CASE(says_why_the_keys_could_not_be_fetched_again) {
    sign = signing_as(other_ec_key(), "unknown");
    provider.refetch_fails = core::Error{core::ErrorCode::provider_tls, "the certificate has expired"};
    const auto result = finish(callback(begin()));
    BOOST_REQUIRE(!result);
    BOOST_TEST(core::code_text(result.error().error.code) == "PC3008");
    BOOST_TEST(result.error().error.detail.contains("the certificate has expired"));
}

BOOST_AUTO_TEST_CASE(tries_the_fitting_keys_when_the_token_names_none) {
    sign = signing_as(rsa_key(), "");
    provider.known = FixedProvider::make(login_metadata(), jwk_set({other_rsa_key().public_jwk("a"), ec_key().public_jwk("b"), rsa_key().public_jwk("c")}));
    BOOST_TEST(log_in() == "accepted");
    BOOST_TEST(provider.refetched == 0);
}

BOOST_AUTO_TEST_CASE(refuses_an_unsigned_userinfo_while_an_algorithm_is_configured) {
    client.userinfo = {.signed_with = oidc::AlgorithmPolicy::asymmetric(), .plain_json = false};
    BOOST_TEST(log_in() == "PC3007");
    userinfo = as_signed(userinfo);
    BOOST_TEST(log_in() == "PC3007");
    form = signing_as(ec_key(), "ec");
    BOOST_TEST(log_in() == "accepted");
    form = signing_as(other_ec_key(), "ec");
    BOOST_TEST(log_in() == "PC3003");
}

BOOST_AUTO_TEST_SUITE_END()
