#include "oidc/refresh.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

const std::string kOldRefreshToken = "the+old/refresh-token";
const std::string kNewRefreshToken = "the-new-refresh-token";

/// A login of an hour ago, and a provider that renews its tokens as ProConnect does unless a test tells it otherwise.
struct RefreshFixture {
    oidc::RelyingParty client = login_client();
    FixedProvider provider{login_metadata(), usual_jwks()};
    ScriptedHttp http;
    core::UnixTime now = kLoginTime + 1h;
    core::Secret refresh_token{kOldRefreshToken};
    core::Secret nonce{kLoginNonce};
    oidc::IdTokenClaims identity = oidc::check_id_token(verified(id_token_claims()), usual_expectations(), kLoginTime).value();

    ClaimSet id_token = id_token_claims().with("iat", date(kLoginTime + 1h)).with("exp", date(kLoginTime + 2h));
    ClaimSet answer{{"access_token", json::quoted(kLoginAccessToken)},
                    {"token_type", R"("Bearer")"},
                    {"expires_in", "3600"},
                    {"refresh_token", json::quoted(kNewRefreshToken)},
                    {"scope", R"("openid email")"}};
    std::function<std::string(const std::string&)> sign = [](const std::string& claims) { return signed_claims(ec_key(), claims, "ec"); };

    std::expected<oidc::RefreshOutcome, core::Error> refresh() {
        auto result = oidc::refresh_tokens({.client = client, .source = provider, .http = http, .now = now},
                                           {.refresh_token = refresh_token, .identity = identity, .nonce = nonce});
        if (!result) {
            keeps_secrets(result.error().detail);
        } else if (const auto* gone = std::get_if<oidc::TokensGone>(&*result)) {
            keeps_secrets(gone->why.detail);
        }
        return result;
    }

    /// "renewed", "gone PC2021" when the old tokens are to be dropped, "kept PC2002" when they are not.
    std::string outcome_of_refresh() {
        const auto result = refresh();
        if (!result) {
            return "kept " + core::code_text(result.error().code);
        }
        const auto* gone = std::get_if<oidc::TokensGone>(&*result);
        return gone ? "gone " + core::code_text(gone->why.code) : "renewed";
    }
    /// With this answer of the token endpoint.
    std::string answered(int status, std::string body) {
        http.always(kTokenEndpoint, status, std::move(body));
        return outcome_of_refresh();
    }
    std::string answered(const ClaimSet& body) { return answered(200, body.text()); }
    /// With this ID token in an answer that is right otherwise.
    std::string with_token(const std::string& token) { return answered(answer.with_text("id_token", token)); }
    std::string with_claims(const ClaimSet& claims) { return with_token(sign(claims.text())); }

    oidc::RefreshedTokens renewed(const ClaimSet& body) {
        http.always(kTokenEndpoint, 200, body.text());
        auto result = refresh();
        BOOST_REQUIRE(result.has_value());
        BOOST_REQUIRE(std::holds_alternative<oidc::RefreshedTokens>(*result));
        return std::get<oidc::RefreshedTokens>(std::move(*result));
    }

    static void keeps_secrets(const std::string& detail) {
        BOOST_TEST(detail.starts_with("refresh: "), detail);
        for (const auto& secret : {kOldRefreshToken, kNewRefreshToken, kLoginAccessToken, kLoginSecret, kLoginNonce}) {
            BOOST_TEST((detail.find(secret) == std::string::npos), detail);
        }
    }
};

std::string oauth_error(std::string_view error) {
    return ClaimSet{}.with_text("error", error).text();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(refresh, RefreshFixture)

BOOST_AUTO_TEST_CASE(sends_the_refresh_token_with_the_credentials_of_the_client) {
    BOOST_TEST(answered(answer) == "renewed");
    BOOST_REQUIRE(http.sent.size() == 1U);
    BOOST_TEST(http.sent[0].is_post);
    BOOST_TEST(http.sent[0].url == kTokenEndpoint);
    BOOST_TEST(http.sent[0].accept == "application/json");
    BOOST_TEST(http.sent[0].parameter("grant_type").value() == "refresh_token");
    BOOST_TEST(http.sent[0].parameter("refresh_token").value() == kOldRefreshToken);
    BOOST_TEST(http.sent[0].parameter("client_id").value() == kLoginClient);
    BOOST_TEST(http.sent[0].parameter("client_secret").value() == kLoginSecret);
    // Without `scope` the scope stays what it was, RFC 6749 section 6.
    BOOST_TEST(!http.sent[0].parameter("scope"));
}

BOOST_AUTO_TEST_CASE(proves_the_client_by_its_key_where_it_has_one) {
    client.authentication = oidc::ClientAuthentication::private_key_jwt;
    client.client_secret = core::Secret{};
    client.signing_key = other_ec_key().private_key();
    BOOST_TEST(answered(answer) == "renewed");
    BOOST_TEST(http.sent[0].parameter("client_assertion").has_value());
    BOOST_TEST(!http.sent[0].parameter("client_secret"));
}

BOOST_AUTO_TEST_CASE(puts_the_new_tokens_in_place_of_the_old_ones) {
    const auto token = sign(id_token.text());
    const auto result = renewed(answer.with_text("id_token", token));
    BOOST_TEST(result.tokens.access_token.reveal() == kLoginAccessToken);
    BOOST_TEST(result.tokens.refresh_token.reveal() == kNewRefreshToken);
    BOOST_TEST(result.tokens.id_token.reveal() == token);
    BOOST_TEST((result.tokens.expires_in == 1h));
    BOOST_REQUIRE(result.identity.has_value());
    BOOST_TEST(result.identity->subject == kLoginSubject);
    BOOST_TEST((result.identity->expires == kLoginTime + 2h));
}

BOOST_AUTO_TEST_CASE(keeps_the_refresh_token_where_no_new_one_comes) {
    BOOST_TEST(renewed(answer.without("refresh_token")).tokens.refresh_token.reveal() == kOldRefreshToken);
}

BOOST_AUTO_TEST_CASE(needs_no_new_id_token) {
    const auto result = renewed(answer);
    BOOST_TEST(result.tokens.id_token.empty());
    BOOST_TEST(!result.identity.has_value());
}

BOOST_AUTO_TEST_CASE(says_that_the_tokens_are_gone_when_the_provider_takes_them_no_longer) {
    BOOST_TEST(answered(400, R"({"error":"invalid_grant","error_description":"refresh token is expired"})") == "gone PC2021");
    const auto result = refresh();
    BOOST_TEST(std::get<oidc::TokensGone>(*result).why.detail ==
               "refresh: ProConnect refused client_id client-1: invalid_grant: the refresh token has expired, was revoked or was used already");
}

BOOST_AUTO_TEST_CASE(says_that_there_is_nothing_to_refresh_with_and_asks_nobody) {
    refresh_token = core::Secret{};
    BOOST_TEST(outcome_of_refresh() == "gone PC2021");
    BOOST_TEST(http.sent.empty());
    BOOST_TEST(provider.asked == 0);
}

// The words of a gateway's page end nobody's session.
BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_invalid_grant_comes_with_another_status) {
    for (const int status : {201, 302, 401, 403, 404, 429, 500, 502, 503}) {
        BOOST_TEST(answered(status, oauth_error("invalid_grant")) == "kept PC2004", status);
    }
    BOOST_TEST(refresh().error().detail == "refresh: HTTP status 503 with invalid_grant");
    BOOST_TEST(answered(200, oauth_error("invalid_grant")) == "kept PC2023");
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_the_client_is_refused) {
    for (const int status : {400, 401}) {
        BOOST_TEST(answered(status, oauth_error("invalid_client")) == "kept PC2020", status);
    }
    BOOST_TEST(answered(400, oauth_error("unauthorized_client")) == "kept PC2020");
    BOOST_TEST(refresh().error().detail.find("client-1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_on_every_other_oauth_error) {
    for (const std::string_view error : {"invalid_request", "invalid_scope", "unsupported_grant_type", "server_error", "temporarily_unavailable", "INVALID_GRANT", "invalid_grant ", ""}) {
        BOOST_TEST(answered(400, oauth_error(error)) == "kept PC2022", error);
    }
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_an_error_cannot_be_read) {
    for (const auto& body : std::vector<std::string>{"", "invalid_grant", "<html>invalid_grant</html>", R"({"error":)", R"({"error":["invalid_grant"]})", R"(["invalid_grant"])",
                                                     R"({"error":"invalid_grant","error":"invalid_grant"})", R"({"error_description":"invalid_grant"})"}) {
        BOOST_TEST(answered(400, body) == "kept PC2004", body);
    }
    for (const int status : {302, 404, 500, 502, 503}) {
        BOOST_TEST(answered(status, "<html>503</html>") == "kept PC2004", status);
    }
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_the_network_fails) {
    for (const auto code : {core::ErrorCode::provider_unreachable, core::ErrorCode::provider_timeout, core::ErrorCode::provider_tls, core::ErrorCode::provider_body_too_large}) {
        http.fail(kTokenEndpoint, code);
        BOOST_TEST(outcome_of_refresh() == "kept " + core::code_text(code));
    }
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_the_provider_is_not_known) {
    provider.down = core::Error{core::ErrorCode::provider_unreachable, "down"};
    BOOST_TEST(outcome_of_refresh() == "kept PC2001");
    BOOST_TEST(http.sent.empty());
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_the_client_cannot_prove_itself) {
    client.authentication = oidc::ClientAuthentication::private_key_jwt;
    BOOST_TEST(outcome_of_refresh() == "kept PC5002");
    BOOST_TEST(http.sent.empty());
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_that_is_malformed_and_keeps_the_tokens) {
    const auto good = answer.text();
    for (const auto& body : std::vector<std::string>{"", "{}", "null", "[" + good + "]", good.substr(0, good.size() / 2), good + good, "<!DOCTYPE html><html></html>",
                                                     R"({"access_token":"x",)" + good.substr(1)}) {
        BOOST_TEST(answered(200, body) == "kept PC2023", body.substr(0, 40));
    }
}

BOOST_AUTO_TEST_CASE(refuses_another_token_type) {
    BOOST_TEST(answered(answer.without("token_type")) == "kept PC2023");
    for (const std::string_view type : {R"("DPoP")", R"("mac")", R"("")", "null", "1", R"(["Bearer"])"}) {
        BOOST_TEST(answered(answer.with("token_type", type)) == "kept PC2023", type);
    }
}

BOOST_AUTO_TEST_CASE(refuses_tokens_that_are_missing_too_large_or_no_text) {
    BOOST_TEST(answered(answer.without("access_token")) == "kept PC2023");
    for (const char* const name : {"access_token", "refresh_token", "id_token"}) {
        for (const auto& json : std::vector<std::string>{R"("")", "null", "1", "true", "[]", "{}", json::quoted(std::string(1 << 20, 'a'))}) {
            BOOST_TEST(answered(answer.with(name, json)) == "kept PC2023", name << json.substr(0, 20));
        }
    }
    for (const char* const name : {"access_token", "refresh_token"}) {
        BOOST_TEST(answered(answer.with_text(name, std::string(16 * 1024 + 1, 'a'))) == "kept PC2023", name);
        BOOST_TEST(answered(answer.with_text(name, "a\r\nb")) == "kept PC2023", name);
    }
}

BOOST_AUTO_TEST_CASE(drops_the_tokens_when_the_new_id_token_is_of_another_issuer) {
    for (const auto& issuer : std::vector<std::string>{"https://evil.example", kLoginIssuer + "/", ""}) {
        BOOST_TEST(with_claims(id_token.with_text("iss", issuer)) == "gone PC3010", issuer);
    }
    BOOST_TEST(with_claims(id_token.without("iss")) == "gone PC3010");
    identity.issuer = "https://former.example/api/v2";
    BOOST_TEST(with_claims(id_token) == "gone PC3010");
}

BOOST_AUTO_TEST_CASE(drops_the_tokens_when_the_new_id_token_is_about_somebody_else) {
    for (const auto& subject : std::vector<std::string>{"somebody-else", kLoginSubject + "x", kLoginSubject.substr(1), ""}) {
        BOOST_TEST(with_claims(id_token.with_text("sub", subject)) == "gone PC3013", subject);
    }
    BOOST_TEST(with_claims(id_token.without("sub")) == "gone PC3013");
    BOOST_TEST(std::get<oidc::TokensGone>(*refresh()).why.detail == "refresh: sub: missing, empty, too long or not a string");
}

// Whoever can write such a token could log anybody out otherwise.
BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_the_token_about_somebody_else_is_not_the_providers) {
    const auto other = id_token.with_text("sub", "somebody-else").text();
    BOOST_TEST(with_token(signed_claims(other_ec_key(), other, "ec")) == "kept PC3003");
    BOOST_TEST(with_token(encoded(R"({"alg":"none"})") + "." + encoded(other) + ".") == "kept PC3002");
}

BOOST_AUTO_TEST_CASE(refuses_an_id_token_that_is_not_for_this_login) {
    BOOST_TEST(with_claims(id_token) == "renewed");
    BOOST_TEST(with_claims(id_token.without("nonce")) == "renewed");
    BOOST_TEST(with_claims(id_token.with_text("nonce", "another")) == "kept PC3016");
    BOOST_TEST(with_claims(id_token.with_text("aud", "client-2")) == "kept PC3011");
    BOOST_TEST(with_claims(id_token.with_text("azp", "client-2")) == "kept PC3012");
    BOOST_TEST(with_claims(id_token.with("auth_time", date(kLoginTime + 1h))) == "kept PC3019");
    BOOST_TEST(with_claims(id_token.with_text("at_hash", "another")) == "kept PC3017");
    BOOST_TEST(with_claims(id_token.with("exp", date(now - 60s))) == "kept PC3014");
    BOOST_TEST(with_claims(id_token.with("iat", date(now + 61s))) == "kept PC3015");
    BOOST_TEST(with_claims(id_token.with("iat", date(kLoginTime - 61s))) == "kept PC3015");
    nonce = core::Secret{};
    BOOST_TEST(with_claims(id_token) == "kept PC3016");
    BOOST_TEST(with_claims(id_token.without("nonce")) == "renewed");
}

BOOST_AUTO_TEST_CASE(allows_the_clock_skew_of_the_client) {
    client.clock_skew = 5s;
    BOOST_TEST(with_claims(id_token.with("exp", date(now - 4s))) == "renewed");
    BOOST_TEST(with_claims(id_token.with("exp", date(now - 5s))) == "kept PC3014");
}

BOOST_AUTO_TEST_CASE(takes_the_hash_of_the_new_access_token) {
    BOOST_TEST(answered(answer.with_text("access_token", "another-one").with_text("id_token", sign(id_token.text()))) == "kept PC3017");
}

BOOST_AUTO_TEST_CASE(does_not_ask_for_a_level_again) {
    BOOST_TEST(with_claims(id_token.without("acr").without("amr").without("auth_time")) == "renewed");
}

BOOST_AUTO_TEST_CASE(refuses_an_algorithm_that_is_not_the_configured_one) {
    const auto claims = id_token.text();
    BOOST_TEST(with_token(hs256_token(kLoginSecret, R"({"alg":"HS256"})", claims)) == "kept PC3002");
    // The public key as the secret of an HMAC, the classic confusion.
    BOOST_TEST(with_token(hs256_token(rsa_key().n(), R"({"alg":"HS256","kid":"rsa"})", claims)) == "kept PC3002");
    for (const std::string_view alg : {"none", "None", "NONE", "nOnE", ""}) {
        BOOST_TEST(with_token(encoded(R"({"alg":")" + std::string{alg} + "\"}") + "." + encoded(claims) + ".") == "kept PC3002", alg);
    }
    client.id_token_algorithms = {.es256 = false, .rs256 = true, .hs256 = false};
    BOOST_TEST(with_claims(id_token) == "kept PC3002");
    BOOST_TEST(with_token(signed_claims(rsa_key(), claims, "rsa")) == "renewed");
}

BOOST_AUTO_TEST_CASE(accepts_the_secret_of_the_client_where_it_is_configured_and_there) {
    client.id_token_algorithms = {.es256 = false, .rs256 = false, .hs256 = true};
    const auto token = hs256_token(kLoginSecret, R"({"alg":"HS256"})", id_token.text());
    BOOST_TEST(with_token(token) == "renewed");
    client.client_secret = core::Secret{};
    BOOST_TEST(with_token(token) == "kept PC3004");
}

BOOST_AUTO_TEST_CASE(refuses_an_id_token_that_is_no_jwt_or_another_kind) {
    for (const auto& token : std::vector<std::string>{"x", "a.b", "a.b.c", "..", sign(id_token.text()) + ".x"}) {
        BOOST_TEST(with_token(token) == "kept PC3001", token.substr(0, 20));
    }
    for (const std::string_view type : {"at+jwt", "logout+jwt", "token-introspection+jwt"}) {
        BOOST_TEST(with_token(signed_token(ec_key(), R"({"alg":"ES256","kid":"ec","typ":")" + std::string{type} + "\"}", id_token.text())) == "kept PC3007", type);
    }
    const auto claims = id_token.text();
    BOOST_TEST(with_token(sign(R"({"sub":"somebody-else",)" + claims.substr(1))) == "kept PC3001");
}

BOOST_AUTO_TEST_CASE(fetches_the_keys_once_when_the_id_token_names_an_unknown_one) {
    sign = [](const std::string& claims) { return signed_claims(other_ec_key(), claims, "new"); };
    provider.rotate_keys(jwk_set({other_ec_key().public_jwk("new")}));
    BOOST_TEST(with_claims(id_token) == "renewed");
    BOOST_TEST(provider.refetched == 1);
    BOOST_TEST(http.count(kTokenEndpoint) == 1);
}

BOOST_AUTO_TEST_CASE(keeps_the_tokens_when_the_fetched_keys_do_not_verify_either) {
    sign = [](const std::string& claims) { return signed_claims(other_ec_key(), claims, "new"); };
    BOOST_TEST(with_claims(id_token) == "kept PC3008");
    BOOST_TEST(provider.refetched == 1);
    provider.refetch_fails = core::Error{core::ErrorCode::provider_unreachable, "down"};
    BOOST_TEST(with_claims(id_token) == "kept PC3008");
    BOOST_TEST(provider.refetched == 2);
}

BOOST_AUTO_TEST_CASE(decrypts_an_id_token_and_keeps_the_signed_one_inside) {
    client.decryption_keys = {other_rsa_key().private_key()};
    const auto inside = sign(id_token.text());
    const auto sealed = encrypted_token(other_rsa_key(), inside);
    BOOST_TEST(renewed(answer.with_text("id_token", sealed.compact())).tokens.id_token.reveal() == inside);
    BOOST_TEST(with_token(inside) == "kept PC3007");
    auto broken = sealed;
    broken.tag[0] = static_cast<char>(broken.tag[0] ^ 1);
    BOOST_TEST(with_token(broken.compact()) == "kept PC3006");
    const auto other = sign(id_token.with_text("sub", "somebody-else").text());
    BOOST_TEST(with_token(encrypted_token(other_rsa_key(), other).compact()) == "gone PC3013");
    client.decryption_keys.clear();
    BOOST_TEST(with_token(sealed.compact()) == "kept PC3007");
}

BOOST_AUTO_TEST_SUITE_END()
