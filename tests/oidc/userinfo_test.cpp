#include "oidc/userinfo.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/id_token_fixture.hpp"
#include "support/scripted_client.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

const oidc::JsonWebKeySet& provider_keys() {
    static const auto keys = *oidc::JsonWebKeySet::parse(jwk_set({ec_key().public_jwk("ec"), rsa_key().public_jwk("rsa")}));
    return keys;
}

/// What a signed userinfo says; a plain one is the same without iss, aud, exp and iat.
ClaimSet userinfo_claims() {
    return {{"iss", json::quoted(kLoginIssuer)}, {"aud", json::quoted(kLoginClient)},      {"exp", date(kLoginTime + 60s)},
            {"iat", date(kLoginTime)},           {"sub", json::quoted(kLoginSubject)},     {"email", R"("agent@example.gouv.fr")"}};
}

const std::string kPlain = R"({"sub":")" + kLoginSubject + R"(","email":"agent@example.gouv.fr"})";
const std::string kForbidden = "PC3007", kAccepted = "accepted";

/// A client that takes the answers this policy allows.
oidc::RelyingParty client_with(oidc::UserInfoPolicy policy) {
    oidc::RelyingParty client;
    client.issuer = kLoginIssuer;
    client.client_id = kLoginClient;
    client.client_secret = core::Secret{kLoginSecret};
    client.userinfo = policy;
    return client;
}

oidc::RelyingParty signed_only() {
    return client_with({.signed_with = oidc::AlgorithmPolicy::asymmetric(), .plain_json = false});
}

oidc::RelyingParty plain_only() {
    return client_with({.signed_with = {}, .plain_json = true});
}

oidc::RelyingParty encrypted_only() {
    auto client = signed_only();
    client.decryption_keys = {other_ec_key().private_key(), other_rsa_key().private_key()};
    return client;
}

auto verify(std::string_view body, const oidc::RelyingParty& client, std::string_view subject = kLoginSubject) {
    return oidc::verify_userinfo(body, client, provider_keys(), subject, kLoginTime);
}

std::string answer(std::string_view body, const oidc::RelyingParty& client) {
    return outcome(verify(body, client));
}

std::string es256(const ClaimSet& claims) {
    return signed_claims(ec_key(), claims.text(), "ec");
}

std::string signed_answer(const ClaimSet& claims) {
    return answer(es256(claims), signed_only());
}


}  // namespace

BOOST_AUTO_TEST_SUITE(userinfo)

BOOST_AUTO_TEST_CASE(asks_with_the_access_token_in_the_header) {
    ScriptedHttp http;
    http.always("https://provider.test/userinfo", 200, "the body");
    oidc::ProviderMetadata provider;
    provider.userinfo_endpoint = "https://provider.test/userinfo";
    const auto body = oidc::fetch_userinfo(http, provider, core::Secret{"the-access-token"});
    BOOST_TEST(body.value() == "the body");
    BOOST_REQUIRE(http.sent.size() == 1U);
    BOOST_TEST(!http.sent[0].is_post);
    BOOST_TEST(http.sent[0].body == "");
    BOOST_TEST(http.sent[0].header("Authorization") == "Bearer the-access-token");
    BOOST_TEST(http.sent[0].accept == "application/jwt, application/json");
}

BOOST_AUTO_TEST_CASE(refuses_every_status_but_200) {
    oidc::ProviderMetadata provider;
    provider.userinfo_endpoint = "https://provider.test/userinfo";
    for (const int status : {0, 100, 201, 204, 206, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503}) {
        ScriptedHttp http;
        http.always(provider.userinfo_endpoint, status, kPlain);
        const auto body = oidc::fetch_userinfo(http, provider, core::Secret{"the-access-token"});
        BOOST_TEST(outcome(body) == "PC2030", status);
        BOOST_TEST(body.error().detail == "userinfo endpoint: HTTP status " + std::to_string(status));
    }
}

BOOST_AUTO_TEST_CASE(passes_on_what_failed_in_the_network) {
    oidc::ProviderMetadata provider;
    provider.userinfo_endpoint = "https://provider.test/userinfo";
    ScriptedHttp http;
    http.fail(provider.userinfo_endpoint, core::ErrorCode::provider_timeout);
    BOOST_TEST(outcome(oidc::fetch_userinfo(http, provider, core::Secret{"t"})) == "PC2002");
}

BOOST_AUTO_TEST_CASE(accepts_a_signed_answer_of_each_allowed_algorithm) {
    const auto claims = userinfo_claims();
    BOOST_TEST(verify(es256(claims), signed_only())->root().string_member("email").value() == "agent@example.gouv.fr");
    BOOST_TEST(answer(signed_claims(rsa_key(), claims.text(), "rsa"), signed_only()) == kAccepted);
    BOOST_TEST(answer(hs256_token(kLoginSecret, R"({"alg":"HS256"})", claims.text()), client_with({.signed_with = {false, false, true}, .plain_json = false})) == kAccepted);
}

BOOST_AUTO_TEST_CASE(accepts_a_plain_answer_where_that_is_allowed) {
    BOOST_TEST(verify(kPlain, plain_only())->root().string_member("email").value() == "agent@example.gouv.fr");
    // By default both forms are taken, as ProConnect's own deployments differ.
    BOOST_TEST(answer(kPlain, client_with(oidc::RelyingParty{}.userinfo)) == kAccepted);
    BOOST_TEST(answer(es256(userinfo_claims()), client_with(oidc::RelyingParty{}.userinfo)) == kAccepted);
}

BOOST_AUTO_TEST_CASE(refuses_a_plain_answer_while_an_algorithm_is_configured) {
    BOOST_TEST(answer(kPlain, signed_only()) == kForbidden);
    BOOST_TEST(answer(" \r\n\t" + kPlain, signed_only()) == kForbidden);
    BOOST_TEST(answer("{}", signed_only()) == kForbidden);
}

BOOST_AUTO_TEST_CASE(refuses_a_signed_answer_where_only_a_plain_one_is_allowed) {
    BOOST_TEST(answer(es256(userinfo_claims()), plain_only()) == "PC3002");
}

BOOST_AUTO_TEST_CASE(refuses_an_algorithm_that_is_not_the_configured_one) {
    const auto claims = userinfo_claims().text();
    const auto rs256_only = client_with({.signed_with = {false, true, false}, .plain_json = false});
    BOOST_TEST(answer(signed_claims(ec_key(), claims, "ec"), rs256_only) == "PC3002");
    BOOST_TEST(answer(hs256_token(kLoginSecret, R"({"alg":"HS256"})", claims), signed_only()) == "PC3002");
    for (const std::string_view alg : {"none", "None", "NONE", "nOnE", ""}) {
        const auto unsigned_token = encoded(R"({"alg":")" + std::string{alg} + "\"}") + "." + encoded(claims) + ".";
        BOOST_TEST(answer(unsigned_token, signed_only()) == "PC3002", alg);
        BOOST_TEST(answer(unsigned_token, client_with(oidc::RelyingParty{}.userinfo)) == "PC3002", alg);
    }
}

BOOST_AUTO_TEST_CASE(never_takes_an_empty_client_secret_as_a_key) {
    auto client = client_with({.signed_with = {true, true, true}, .plain_json = false});
    client.client_secret = core::Secret{};
    const auto result = verify(hs256_token(kLoginSecret, R"({"alg":"HS256"})", userinfo_claims().text()), client);
    BOOST_TEST(outcome(result) == "PC3004");
    BOOST_TEST(result.error().detail == "userinfo: JWT: there is no client secret for HS256");
}

BOOST_AUTO_TEST_CASE(refuses_a_wrong_signature) {
    BOOST_TEST(answer(signed_claims(other_ec_key(), userinfo_claims().text(), "ec"), signed_only()) == "PC3003");
    auto token = es256(userinfo_claims());
    token.back() = token.back() == 'A' ? 'Q' : 'A';
    BOOST_TEST(answer(token, signed_only()) == "PC3003");
    BOOST_TEST(answer(hs256_token(std::string(40, 'x'), R"({"alg":"HS256"})", userinfo_claims().text()), client_with({.signed_with = {false, false, true}, .plain_json = false})) ==
               "PC3003");
}

BOOST_AUTO_TEST_CASE(tells_an_unknown_key_apart_so_that_the_keys_can_be_fetched_again) {
    const auto result = verify(signed_claims(ec_key(), userinfo_claims().text(), "new"), signed_only());
    BOOST_TEST(outcome(result) == "PC3008");
    BOOST_TEST(result.error().detail.starts_with("userinfo: "));
}

BOOST_AUTO_TEST_CASE(refuses_a_signed_answer_of_another_issuer) {
    BOOST_TEST(signed_answer(userinfo_claims().without("iss")) == "PC3010");
    BOOST_TEST(signed_answer(userinfo_claims().with_text("iss", kLoginIssuer + "/")) == "PC3010");
    BOOST_TEST(signed_answer(userinfo_claims().with("iss", "null")) == "PC3010");
}

BOOST_AUTO_TEST_CASE(refuses_a_signed_answer_for_another_client) {
    BOOST_TEST(signed_answer(userinfo_claims().without("aud")) == "PC3011");
    BOOST_TEST(signed_answer(userinfo_claims().with_text("aud", "client-2")) == "PC3011");
    BOOST_TEST(signed_answer(userinfo_claims().with("aud", R"(["client-2","client-1"])")) == "PC3012");
    BOOST_TEST(signed_answer(userinfo_claims().with_text("azp", "client-2")) == "PC3012");
}

BOOST_AUTO_TEST_CASE(refuses_a_signed_answer_that_is_too_old_or_from_the_future) {
    auto client = signed_only();
    client.clock_skew = 10s;
    const auto at = [&](const ClaimSet& claims) { return answer(es256(claims), client); };
    BOOST_TEST(at(userinfo_claims().without("exp")) == "PC3014");
    BOOST_TEST(at(userinfo_claims().with("exp", date(kLoginTime - 9s))) == kAccepted);
    BOOST_TEST(at(userinfo_claims().with("exp", date(kLoginTime - 10s))) == "PC3014");
    BOOST_TEST(at(userinfo_claims().without("iat")) == "PC3015");
    BOOST_TEST(at(userinfo_claims().with("iat", date(kLoginTime + 10s))) == kAccepted);
    BOOST_TEST(at(userinfo_claims().with("iat", date(kLoginTime + 11s))) == "PC3015");
    BOOST_TEST(at(userinfo_claims().with("nbf", date(kLoginTime + 10s))) == kAccepted);
    BOOST_TEST(at(userinfo_claims().with("nbf", date(kLoginTime + 11s))) == "PC3021");
    BOOST_TEST(at(userinfo_claims().with("iat", date(kLoginTime - 24h - 1s))) == "PC3015");
}

BOOST_AUTO_TEST_CASE(says_that_it_is_about_userinfo) {
    for (const auto& claims : {userinfo_claims().without("iss"), userinfo_claims().without("aud"), userinfo_claims().without("exp"), userinfo_claims().without("iat"),
                               userinfo_claims().without("sub")}) {
        BOOST_TEST(verify(es256(claims), signed_only()).error().detail.starts_with("userinfo: "));
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_subject_of_somebody_else_signed_or_not) {
    for (const auto& subject : std::vector<std::string>{kLoginSubject + "x", kLoginSubject.substr(1), "somebody-else", "", kLoginSubject + " "}) {
        BOOST_TEST(signed_answer(userinfo_claims().with_text("sub", subject)) == "PC3030", subject);
        BOOST_TEST(answer(ClaimSet{}.with_text("sub", subject).text(), plain_only()) == "PC3030", subject);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_subject_or_one_of_another_type) {
    BOOST_TEST(signed_answer(userinfo_claims().without("sub")) == "PC3030");
    BOOST_TEST(verify("{}", plain_only()).error().detail == "userinfo: sub is missing");
    BOOST_TEST(verify(R"({"sub":"x"})", plain_only()).error().detail == "userinfo: sub is not the id_token's");
    for (const std::string_view json : {"null", "1", "true", "[]", "{}"}) {
        BOOST_TEST(answer(ClaimSet{}.with("sub", json).text(), plain_only()) == "PC3030", json);
    }
    BOOST_TEST(answer(R"({"sub":[")" + kLoginSubject + "\"]}", plain_only()) == "PC3030");
}

BOOST_AUTO_TEST_CASE(refuses_every_subject_when_the_id_token_gave_none) {
    BOOST_TEST(outcome(verify(R"({"sub":""})", plain_only(), "")) == "PC3030");
    BOOST_TEST(outcome(verify(es256(userinfo_claims().with_text("sub", "")), signed_only(), "")) == "PC3030");
}

BOOST_AUTO_TEST_CASE(reads_the_body_for_what_it_is_whatever_stands_around_it) {
    for (const std::string_view blank : {" ", "\t", "\r\n", "\n \t\r"}) {
        const std::string around{blank};
        BOOST_TEST(answer(around + kPlain + around, plain_only()) == kAccepted);
        BOOST_TEST(answer(around + es256(userinfo_claims()) + around, signed_only()) == kAccepted);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_body_that_is_neither) {
    const auto any = client_with(oidc::RelyingParty{}.userinfo);
    const auto token = es256(userinfo_claims());
    for (const auto& body : std::vector<std::string>{"", " \r\n", "<!DOCTYPE html><html></html>", "\xEF\xBB\xBF" + kPlain, "\xEF\xBB\xBF" + token, "[" + kPlain + "]",
                             "\"" + token + "\"", "null", "true", std::string("\0", 1) + kPlain, "\v" + kPlain, "\f" + kPlain, token + ".x", "Bearer " + token,
                             token.substr(0, 20) + "\n" + token.substr(20), "..", "...", std::string(200'000, 'a')}) {
        BOOST_TEST(answer(body, any) == "PC3001", body.substr(0, 40));
    }
}

BOOST_AUTO_TEST_CASE(refuses_plain_json_that_is_malformed) {
    for (const auto& body : std::vector<std::string>{"{", kPlain + "x", kPlain + kPlain, R"({"sub":"a","sub":"b"})", R"({"sub":"\ud800"})",
                             "{\"sub\":\"\xff\"}", R"({"a":)" + std::string(300, '[') + std::string(300, ']') + "}", std::string("{\"sub\":\"a\0b\"}", 13)}) {
        BOOST_TEST(answer(body, plain_only()) == "PC2006", body.substr(0, 40));
    }
}

BOOST_AUTO_TEST_CASE(decrypts_an_encrypted_answer) {
    for (const auto* const recipient : {&other_ec_key(), &other_rsa_key()}) {
        const auto token = encrypted_token(*recipient, es256(userinfo_claims())).compact();
        BOOST_TEST(answer(token, encrypted_only()) == kAccepted);
        BOOST_TEST(answer("\n" + token + "\n", encrypted_only()) == kAccepted);
    }
}

BOOST_AUTO_TEST_CASE(checks_what_was_encrypted_as_it_checks_what_was_not) {
    const auto sealed = [](std::string_view token) { return answer(encrypted_token(other_ec_key(), token).compact(), encrypted_only()); };
    BOOST_TEST(sealed(es256(userinfo_claims().with_text("sub", "x"))) == "PC3030");
    BOOST_TEST(sealed(es256(userinfo_claims().with_text("aud", "x"))) == "PC3011");
    BOOST_TEST(sealed(signed_claims(other_ec_key(), userinfo_claims().text(), "ec")) == "PC3003");
    BOOST_TEST(sealed(encrypted_token(other_ec_key(), es256(userinfo_claims())).compact()) == "PC3007");
    // Whoever has our public key can encrypt: without a signature it proves nothing.
    BOOST_TEST(sealed(kPlain) == "PC3001");
    BOOST_TEST(sealed("") == "PC3001");
}

BOOST_AUTO_TEST_CASE(refuses_encryption_that_is_missing_not_configured_or_broken) {
    const auto token = es256(userinfo_claims());
    BOOST_TEST(answer(token, encrypted_only()) == "PC3007");
    BOOST_TEST(answer(kPlain, encrypted_only()) == "PC3007");
    BOOST_TEST(answer(encrypted_token(other_ec_key(), token).compact(), signed_only()) == "PC3007");
    auto broken = encrypted_token(other_ec_key(), token);
    broken.tag[0] = static_cast<char>(broken.tag[0] ^ 1);
    BOOST_TEST(answer(broken.compact(), encrypted_only()) == "PC3006");
    BOOST_TEST(answer(encrypted_token(ec_key(), token).compact(), encrypted_only()) == "PC3006");
}

BOOST_AUTO_TEST_SUITE_END()
