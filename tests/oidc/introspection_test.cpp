#include "oidc/introspection.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

const std::string kIntrospectionEndpoint = kLoginIssuer + "/token/introspection";
const std::string kHeader = R"({"alg":"ES256","kid":"ec","typ":"token-introspection+jwt"})";
const std::string kAccepted = "active", kInactive = "inactive";

/// What ProConnect says of an access token that was issued to another client.
ClaimSet token_claims() {
    return {{"active", "true"},
            {"sub", json::quoted(kLoginSubject)},
            {"client_id", R"("client-2")"},
            {"exp", date(kLoginTime + 3600s)},
            {"iat", date(kLoginTime - 60s)},
            {"iss", json::quoted(kLoginIssuer)},
            {"scope", R"("openid email")"},
            {"token_type", R"("Bearer")"}};
}

/// The answer around it.
ClaimSet answer_claims(const ClaimSet& token = token_claims()) {
    return {{"iss", json::quoted(kLoginIssuer)}, {"aud", json::quoted(kLoginClient)}, {"iat", date(kLoginTime)}, {"token_introspection", token.text()}};
}

std::string es256(const ClaimSet& claims) {
    return signed_token(ec_key(), kHeader, claims.text());
}

std::string outcome_of(const std::expected<oidc::Introspection, core::Error>& result) {
    if (!result) {
        BOOST_TEST(result.error().detail.starts_with("introspection: "), result.error().detail);
        BOOST_TEST((result.error().detail.find(kLoginAccessToken) == std::string::npos));
        BOOST_TEST((result.error().detail.find(kLoginSecret) == std::string::npos));
        return core::code_text(result.error().code);
    }
    return *result ? kAccepted : kInactive;
}

/// A provider that answers as ProConnect does unless a test tells it otherwise.
struct IntrospectionFixture {
    oidc::RelyingParty client = login_client();
    FixedProvider provider{metadata(), usual_jwks()};
    ScriptedHttp http;
    core::Secret token{kLoginAccessToken};

    static oidc::ProviderMetadata metadata() {
        auto known = login_metadata();
        known.introspection_endpoint = kIntrospectionEndpoint;
        return known;
    }

    auto ask() { return oidc::introspect({.client = client, .source = provider, .http = http, .now = kLoginTime}, token); }
    std::string answered(int status, std::string body) {
        http.always(kIntrospectionEndpoint, status, std::move(body));
        return outcome_of(ask());
    }
    auto verify(std::string_view body) { return oidc::verify_introspection(body, client, provider.known->jwks, kLoginTime); }
    std::string judged(std::string_view body) { return outcome_of(verify(body)); }
    /// An answer that is rightly signed.
    std::string answer(const ClaimSet& claims) { return judged(es256(claims)); }
    /// What it says of the token.
    std::string about(const ClaimSet& claims) { return answer(answer_claims(claims)); }
    std::string about_with(std::string_view name, std::string_view json) { return about(token_claims().with(name, json)); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(introspection, IntrospectionFixture)

BOOST_AUTO_TEST_CASE(sends_the_token_with_the_credentials_of_the_client_and_asks_for_a_signed_answer) {
    BOOST_TEST(answered(200, es256(answer_claims())) == kAccepted);
    BOOST_REQUIRE(http.sent.size() == 1U);
    BOOST_TEST(http.sent[0].is_post);
    BOOST_TEST(http.sent[0].accept == "application/token-introspection+jwt");
    BOOST_TEST(http.sent[0].parameter("token").value() == kLoginAccessToken);
    BOOST_TEST(http.sent[0].parameter("token_type_hint").value() == "access_token");
    BOOST_TEST(http.sent[0].parameter("client_id").value() == kLoginClient);
    BOOST_TEST(http.sent[0].parameter("client_secret").value() == kLoginSecret);
}

BOOST_AUTO_TEST_CASE(gives_what_a_caller_relies_on) {
    const auto result = verify(es256(answer_claims(token_claims().with("aud", R"(["api-1","api-2"])"))));
    BOOST_REQUIRE((result.has_value() && result->has_value()));
    const auto& active = **result;
    BOOST_TEST(active.subject == kLoginSubject);
    BOOST_TEST(active.client_id == "client-2");
    BOOST_TEST(active.scope == "openid email");
    BOOST_TEST((active.audience == std::vector<std::string>{"api-1", "api-2"}));
    BOOST_TEST((active.expires == kLoginTime + 1h));
}

BOOST_AUTO_TEST_CASE(needs_no_more_than_sub_client_id_exp_and_the_kind_of_token) {
    const auto result = verify(es256(answer_claims(token_claims().without("iat").without("iss").without("scope"))));
    BOOST_REQUIRE((result.has_value() && result->has_value()));
    BOOST_TEST((*result)->scope == "");
    BOOST_TEST((*result)->audience.empty());
    const auto one = verify(es256(answer_claims(token_claims().with_text("aud", "api-1"))));
    BOOST_TEST((one.value()->audience == std::vector<std::string>{"api-1"}));
}

BOOST_AUTO_TEST_CASE(tells_a_token_that_is_not_in_force_apart_from_a_failure) {
    BOOST_TEST(answered(200, es256(answer_claims(ClaimSet{{"active", "false"}}))) == kInactive);
    // Whatever else is said of it.
    BOOST_TEST(about_with("active", "false") == kInactive);
    BOOST_TEST(about(ClaimSet{{"active", "false"}, {"sub", "1"}, {"exp", "null"}}) == kInactive);
}

BOOST_AUTO_TEST_CASE(refuses_an_inactive_answer_that_is_not_the_providers) {
    const auto inactive = answer_claims(ClaimSet{{"active", "false"}});
    BOOST_TEST(judged(signed_token(other_ec_key(), kHeader, inactive.text())) == "PC3003");
    BOOST_TEST(answer(inactive.with_text("iss", "https://evil.example")) == "PC3010");
    BOOST_TEST(answer(inactive.with_text("aud", "client-2")) == "PC3011");
    BOOST_TEST(answer(inactive.with("iat", date(kLoginTime - 1h))) == "PC3015");
}

BOOST_AUTO_TEST_CASE(asks_nobody_about_a_text_that_cannot_be_a_token) {
    for (const auto& text : std::vector<std::string>{"", " ", "a b", "a\r\nb", "é", std::string("a\0b", 3), std::string(16 * 1024 + 1, 'a')}) {
        token = core::Secret{text};
        BOOST_TEST(outcome_of(ask()) == kInactive, text.size());
    }
    BOOST_TEST(http.sent.empty());
    BOOST_TEST(provider.asked == 0);
}

BOOST_AUTO_TEST_CASE(asks_nobody_when_the_provider_offers_none_or_is_not_known) {
    provider.known = FixedProvider::make(login_metadata(), usual_jwks());
    BOOST_TEST(outcome_of(ask()) == "PC2032");
    provider.down = core::Error{core::ErrorCode::provider_unreachable, "down"};
    BOOST_TEST(outcome_of(ask()) == "PC2001");
    BOOST_TEST(http.sent.empty());
}

BOOST_AUTO_TEST_CASE(tells_the_administrator_when_the_client_is_refused) {
    for (const int status : {400, 401}) {
        BOOST_TEST(answered(status, R"({"error":"invalid_client"})") == "PC2020", status);
    }
    BOOST_TEST(ask().error().detail.find("client_id client-1: invalid_client") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(refuses_every_status_but_200) {
    for (const int status : {0, 201, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503}) {
        BOOST_TEST(answered(status, es256(answer_claims())) == "PC2032", status);
        BOOST_TEST(answered(status, R"({"error":"invalid_request"})") == "PC2032", status);
        BOOST_TEST(ask().error().detail == "introspection: HTTP status " + std::to_string(status));
    }
}

BOOST_AUTO_TEST_CASE(passes_on_what_failed_in_the_network) {
    for (const auto code : {core::ErrorCode::provider_timeout, core::ErrorCode::provider_tls, core::ErrorCode::provider_body_too_large}) {
        http.fail(kIntrospectionEndpoint, code);
        BOOST_TEST(outcome_of(ask()) == core::code_text(code));
    }
}

BOOST_AUTO_TEST_CASE(cannot_ask_without_the_key_of_the_client) {
    client.authentication = oidc::ClientAuthentication::private_key_jwt;
    BOOST_TEST(outcome_of(ask()) == "PC5002");
    BOOST_TEST(http.sent.empty());
}

BOOST_AUTO_TEST_CASE(refuses_a_body_that_is_no_signed_answer) {
    const auto good = es256(answer_claims());
    for (const auto& body : std::vector<std::string>{"", " \r\n", "<!DOCTYPE html><html></html>", "null", "[]", "a.b.c", "..", good.substr(0, good.find('.')), good + ".x", good + "\n",
                                                     "\"" + good + "\"", std::string(200'000, 'a'), encoded(kHeader) + "." + std::string(200'000, 'a') + ".a"}) {
        BOOST_TEST(judged(body) == "PC3001", body.substr(0, 40));
    }
    const auto cut = judged(good.substr(0, good.size() - 10));
    BOOST_TEST(cut == "PC3003");
}

BOOST_AUTO_TEST_CASE(refuses_plain_json_whatever_it_says) {
    for (const auto& body : std::vector<std::string>{R"({"active":true})", R"({"active":false})", token_claims().text(), answer_claims().text(), "{", "{}"}) {
        BOOST_TEST(judged(body) == "PC3007", body);
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_encrypted_answer) {
    const auto sealed = encrypted_token(other_ec_key(), es256(answer_claims())).compact();
    BOOST_TEST(judged(sealed) == "PC3007");
    client.decryption_keys = {other_ec_key().private_key()};
    BOOST_TEST(judged(sealed) == "PC3007");
    BOOST_TEST(answer(answer_claims()) == kAccepted);
}

BOOST_AUTO_TEST_CASE(refuses_a_token_of_another_kind_in_place_of_an_answer) {
    BOOST_TEST(judged(signed_token(ec_key(), R"({"alg":"ES256","kid":"ec"})", answer_claims().text())) == "PC3007", "it must say so itself");
    const auto typed = [&](const std::string& type) { return judged(signed_token(ec_key(), R"({"alg":"ES256","kid":"ec","typ":)" + type + "}", answer_claims().text())); };
    for (const char* const type : {R"("token-introspection+jwt")", R"("Token-Introspection+JWT")", R"("application/token-introspection+jwt")"}) {
        BOOST_TEST(typed(type) == kAccepted, type);
    }
    for (const char* const type : {R"("JWT")", R"("at+jwt")", R"("logout+jwt")", R"("token-introspection")", R"("token-introspection+jwt ")", R"("application/jwt")", R"("")", "null", "1",
                                   R"(["token-introspection+jwt"])"}) {
        BOOST_TEST(typed(type) == "PC3007", type);
    }
    // An ID token, which the same provider signed with the same key for the same client.
    BOOST_TEST(judged(signed_claims(ec_key(), id_token_claims().text(), "ec")) == "PC3007");
    BOOST_TEST(judged(signed_token(ec_key(), kHeader, id_token_claims().text())) == "PC3020");
}

BOOST_AUTO_TEST_CASE(refuses_an_algorithm_that_is_not_the_configured_one) {
    const auto claims = answer_claims().text();
    BOOST_TEST(judged(hs256_token(kLoginSecret, R"({"alg":"HS256","typ":"token-introspection+jwt"})", claims)) == "PC3002");
    BOOST_TEST(judged(hs256_token(rsa_key().n(), R"({"alg":"HS256","kid":"rsa","typ":"token-introspection+jwt"})", claims)) == "PC3002");
    for (const std::string_view alg : {"none", "None", "NONE", "nOnE", ""}) {
        BOOST_TEST(judged(encoded(R"({"typ":"token-introspection+jwt","alg":")" + std::string{alg} + "\"}") + "." + encoded(claims) + ".") == "PC3002", alg);
    }
    client.introspection_algorithms = {.es256 = false, .rs256 = true, .hs256 = false};
    BOOST_TEST(judged(es256(answer_claims())) == "PC3002");
    BOOST_TEST(judged(signed_token(rsa_key(), R"({"alg":"RS256","kid":"rsa","typ":"token-introspection+jwt"})", claims)) == kAccepted);
}

BOOST_AUTO_TEST_CASE(accepts_the_secret_of_the_client_where_it_is_configured_and_there) {
    client.introspection_algorithms = {.es256 = false, .rs256 = false, .hs256 = true};
    const auto token_of_secret = hs256_token(kLoginSecret, R"({"alg":"HS256","typ":"token-introspection+jwt"})", answer_claims().text());
    BOOST_TEST(judged(token_of_secret) == kAccepted);
    client.client_secret = core::Secret{};
    BOOST_TEST(judged(token_of_secret) == "PC3004");
}

BOOST_AUTO_TEST_CASE(refuses_a_wrong_signature_and_critical_headers) {
    BOOST_TEST(judged(signed_token(other_ec_key(), kHeader, answer_claims().text())) == "PC3003");
    BOOST_TEST(judged(signed_token(ec_key(), R"({"alg":"ES256","kid":"ec","crit":["exp"]})", answer_claims().text())) == "PC3005");
}

BOOST_AUTO_TEST_CASE(fetches_the_keys_once_when_the_answer_names_an_unknown_one) {
    const auto body = signed_token(other_ec_key(), R"({"alg":"ES256","kid":"new","typ":"token-introspection+jwt"})", answer_claims().text());
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(answered(200, body) == kAccepted);
    BOOST_TEST(provider.refetched == 1);
    BOOST_TEST(http.count(kIntrospectionEndpoint) == 1);
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_that_the_fetched_keys_do_not_verify_either) {
    const auto body = signed_token(other_ec_key(), R"({"alg":"ES256","kid":"new","typ":"token-introspection+jwt"})", answer_claims().text());
    BOOST_TEST(answered(200, body) == "PC3008");
    BOOST_TEST(provider.refetched == 1);
    provider.refetch_fails = core::Error{core::ErrorCode::provider_unreachable, "down"};
    BOOST_TEST(answered(200, body) == "PC3008");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_of_another_issuer) {
    BOOST_TEST(answer(answer_claims().without("iss")) == "PC3010");
    for (const char* const json : {R"("https://evil.example")", R"("")", "null", "1", "[]"}) {
        BOOST_TEST(answer(answer_claims().with("iss", json)) == "PC3010", json);
    }
    BOOST_TEST(answer(answer_claims().with_text("iss", kLoginIssuer + "/")) == "PC3010");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_that_is_not_for_this_client_alone) {
    BOOST_TEST(answer(answer_claims().without("aud")) == "PC3011");
    for (const char* const json : {R"("client-2")", R"("")", "null", "1", "[]", R"(["client-2"])", R"(["client-1",1])", R"({"client-1":1})", R"(["client-1","client-1"])"}) {
        const auto code = answer(answer_claims().with("aud", json));
        BOOST_TEST((code == "PC3011" || code == "PC3012"), json << code);
    }
    BOOST_TEST(answer(answer_claims().with("aud", R"(["client-1"])")) == kAccepted);
    BOOST_TEST(answer(answer_claims().with("aud", R"(["client-1","client-2"])").with_text("azp", "client-1")) == "PC3011");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_that_is_stale_or_from_the_future) {
    client.clock_skew = 10s;
    BOOST_TEST(answer(answer_claims().without("iat")) == "PC3015");
    for (const char* const json : {"null", R"("1790000000")", "true", "1e300", "-1", "0"}) {
        BOOST_TEST(answer(answer_claims().with("iat", json)) == "PC3015", json);
    }
    BOOST_TEST(answer(answer_claims().with("iat", date(kLoginTime + 10s))) == kAccepted);
    BOOST_TEST(answer(answer_claims().with("iat", date(kLoginTime + 11s))) == "PC3015");
    BOOST_TEST(answer(answer_claims().with("iat", date(kLoginTime - 70s))) == kAccepted);
    BOOST_TEST(answer(answer_claims().with("iat", date(kLoginTime - 71s))) == "PC3015");
    BOOST_TEST(verify(es256(answer_claims().with("iat", date(kLoginTime - 71s)))).error().detail == "introspection: iat: stale, the answer was made for another request");
}

BOOST_AUTO_TEST_CASE(heeds_the_other_times_of_an_answer_where_they_are_there) {
    client.clock_skew = 10s;
    BOOST_TEST(answer(answer_claims().with("exp", date(kLoginTime - 9s))) == kAccepted);
    BOOST_TEST(answer(answer_claims().with("exp", date(kLoginTime - 10s))) == "PC3014");
    BOOST_TEST(answer(answer_claims().with("exp", "null")) == "PC3014");
    BOOST_TEST(answer(answer_claims().with("nbf", date(kLoginTime + 10s))) == kAccepted);
    BOOST_TEST(answer(answer_claims().with("nbf", date(kLoginTime + 11s))) == "PC3021");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_that_does_not_say_whether_the_token_is_in_force) {
    BOOST_TEST(answer(answer_claims().without("token_introspection")) == "PC3020");
    for (const char* const json : {"null", "true", "1", R"("active")", "[]", R"([{"active":true}])", "{}"}) {
        BOOST_TEST(answer(answer_claims().with("token_introspection", json)) == "PC3020", json);
    }
    BOOST_TEST(about(token_claims().without("active")) == "PC3020");
    for (const char* const json : {"null", "1", "0", R"("true")", R"("false")", "[]", "[true]", "{}"}) {
        BOOST_TEST(about_with("active", json) == "PC3020", json);
    }
    // Beside token_introspection it means nothing.
    BOOST_TEST(answer(answer_claims(token_claims().without("active")).with("active", "true")) == "PC3020");
    BOOST_TEST(answer(answer_claims().without("token_introspection").with("active", "true").with_text("sub", kLoginSubject)) == "PC3020");
}

BOOST_AUTO_TEST_CASE(refuses_members_that_are_repeated) {
    const auto outer = answer_claims().text(), inner = token_claims().text();
    BOOST_TEST(judged(signed_token(ec_key(), kHeader, R"({"aud":"client-1",)" + outer.substr(1))) == "PC3001");
    BOOST_TEST(answer(answer_claims().with("token_introspection", R"({"active":false,)" + inner.substr(1))) == "PC3001");
    BOOST_TEST(answer(answer_claims().with("token_introspection", R"({"sub":"somebody-else",)" + inner.substr(1))) == "PC3001");
}

BOOST_AUTO_TEST_CASE(refuses_an_active_token_without_a_usable_subject) {
    BOOST_TEST(about(token_claims().without("sub")) == "PC3013");
    for (const char* const json : {"null", "1", R"("")", "[]", R"(["a"])", R"("a b")", R"("a\nb")", R"("é")"}) {
        BOOST_TEST(about_with("sub", json) == "PC3013", json);
    }
    BOOST_TEST(about_with("sub", json::quoted(std::string(255, 's'))) == kAccepted);
    BOOST_TEST(about_with("sub", json::quoted(std::string(256, 's'))) == "PC3013");
}

BOOST_AUTO_TEST_CASE(refuses_an_active_token_that_does_not_say_whose_it_is) {
    BOOST_TEST(about(token_claims().without("client_id")) == "PC3020");
    for (const char* const json : {"null", "1", R"("")", "[]", R"(["client-2"])", R"("a\nb")", R"("a\u001fb")", R"("a\u007fb")", R"("é")"}) {
        BOOST_TEST(about_with("client_id", json) == "PC3020", json);
    }
    BOOST_TEST(about_with("client_id", R"("a ~b")") == kAccepted);
    BOOST_TEST(about_with("client_id", json::quoted(std::string(255, 'c'))) == kAccepted);
    BOOST_TEST(about_with("client_id", json::quoted(std::string(256, 'c'))) == "PC3020");
}

BOOST_AUTO_TEST_CASE(refuses_an_active_token_that_has_expired_or_never_does) {
    client.clock_skew = 10s;
    BOOST_TEST(about(token_claims().without("exp")) == "PC3014");
    for (const char* const json : {"null", R"("1800000000")", "true", "1e300", "-1", "0"}) {
        BOOST_TEST(about_with("exp", json) == "PC3014", json);
    }
    BOOST_TEST(about_with("exp", date(kLoginTime - 9s)) == kAccepted);
    BOOST_TEST(about_with("exp", date(kLoginTime - 10s)) == "PC3014");
}

BOOST_AUTO_TEST_CASE(refuses_an_active_token_that_is_not_valid_yet) {
    client.clock_skew = 10s;
    BOOST_TEST(about_with("nbf", date(kLoginTime + 10s)) == kAccepted);
    BOOST_TEST(about_with("nbf", date(kLoginTime + 11s)) == "PC3021");
    BOOST_TEST(about_with("nbf", "null") == "PC3021");
    BOOST_TEST(about_with("iat", date(kLoginTime + 10s)) == kAccepted);
    BOOST_TEST(about_with("iat", date(kLoginTime + 11s)) == "PC3015");
    BOOST_TEST(about_with("iat", "null") == "PC3015");
    BOOST_TEST(about_with("iat", R"("1790000000")") == "PC3015");
    // A token may be as old as it likes while it has not expired.
    BOOST_TEST(about_with("iat", date(kLoginTime - 24h * 6)) == kAccepted);
}

BOOST_AUTO_TEST_CASE(refuses_an_active_token_of_another_issuer) {
    for (const char* const json : {R"("https://evil.example")", R"("")", "null"}) {
        BOOST_TEST(about_with("iss", json) == "PC3010", json);
    }
}

// ProConnect calls a refresh token active too, and leaves token_type out.
BOOST_AUTO_TEST_CASE(refuses_a_refresh_token_and_whatever_is_no_bearer_token) {
    BOOST_TEST(about(token_claims().without("token_type")) == "PC3020");
    for (const char* const json : {"null", "1", R"("")", R"("DPoP")", R"("N_A")", R"("refresh_token")", R"(["Bearer"])", R"("Bearer ")"}) {
        BOOST_TEST(about_with("token_type", json) == "PC3020", json);
    }
    BOOST_TEST(about_with("token_type", R"("bearer")") == kAccepted);
    for (const char* const json : {R"({"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})", "{}", "null"}) {
        BOOST_TEST(about_with("cnf", json) == "PC3020", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_audience_or_a_scope_of_another_type_or_size) {
    for (const char* const json : {"null", "1", R"("")", "[]", "[1]", R"(["a",1])", R"([""])", R"(["a",""])", "{}"}) {
        BOOST_TEST(about_with("aud", json) == "PC3020", json);
    }
    const auto list_of = [](int count) {
        std::string text = R"(["a")";
        for (int i = 1; i < count; ++i) text += R"(,"a")";
        return text + "]";
    };
    BOOST_TEST(about_with("aud", list_of(32)) == kAccepted);
    BOOST_TEST(about_with("aud", list_of(33)) == "PC3020");
    BOOST_TEST(about_with("aud", json::quoted(std::string(1024, 'a'))) == kAccepted);
    BOOST_TEST(about_with("aud", json::quoted(std::string(1025, 'a'))) == "PC3020");
    for (const char* const json : {"null", "1", "[]", R"(["openid"])", R"("openid\nemail")", R"("a\u001fb")", R"("a\u007fb")", R"("é")"}) {
        BOOST_TEST(about_with("scope", json) == "PC3020", json);
    }
    BOOST_TEST(about_with("scope", R"("")") == kAccepted);
    BOOST_TEST(about_with("scope", R"("a ~b")") == kAccepted);
    BOOST_TEST(about_with("scope", json::quoted(std::string(4096, 's'))) == kAccepted);
    BOOST_TEST(about_with("scope", json::quoted(std::string(4097, 's'))) == "PC3020");
}

BOOST_AUTO_TEST_SUITE_END()
