#include "oidc/token.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

/// What ProConnect answers.
ClaimSet answer() {
    return {{"access_token", R"("the-access-token")"}, {"id_token", R"("h.p.s")"}, {"refresh_token", R"("the-refresh-token")"},
            {"expires_in", "3600"}, {"scope", R"("openid email")"}, {"token_type", R"("Bearer")"}};
}

std::string parsed(const ClaimSet& body, bool needs_id_token = true) {
    return outcome(oidc::parse_token_response(body.text(), needs_id_token));
}

std::string parsed_with(std::string_view name, std::string_view json) {
    return parsed(answer().with(name, json));
}

core::Error error_of(int status, std::string body) {
    return oidc::token_endpoint_error(answer_of(status, std::move(body)), login_client());
}

std::string error_code(int status, std::string body) {
    return core::code_text(error_of(status, std::move(body)).code);
}

/// {"error":…}
std::string oauth_error(std::string_view error) {
    return ClaimSet{}.with_text("error", error).text();
}

auto exchange(ScriptedHttp& http, const oidc::RelyingParty& client = login_client()) {
    return oidc::exchange_code(http, login_metadata(), client, "the+code", "the-verifier", kLoginTime);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(token)

BOOST_AUTO_TEST_CASE(reads_a_good_answer) {
    const auto response = oidc::parse_token_response(answer().text(), true);
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->access_token.reveal() == "the-access-token");
    BOOST_TEST(response->id_token.reveal() == "h.p.s");
    BOOST_TEST(response->refresh_token.reveal() == "the-refresh-token");
    BOOST_TEST((response->expires_in == 3600s));
}

BOOST_AUTO_TEST_CASE(needs_no_more_than_the_specification_does) {
    const auto response = oidc::parse_token_response(answer().without("refresh_token").without("expires_in").without("scope").text(), true);
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->refresh_token.empty());
    BOOST_TEST((response->expires_in == 0s));
}

BOOST_AUTO_TEST_CASE(accepts_the_token_type_in_any_letter_case) {
    for (const std::string_view type : {R"("Bearer")", R"("bearer")", R"("BEARER")", R"("bEaReR")"}) {
        BOOST_TEST(parsed_with("token_type", type) == "accepted", type);
    }
}

BOOST_AUTO_TEST_CASE(refuses_another_token_type) {
    BOOST_TEST(parsed(answer().without("token_type")) == "PC2023");
    for (const std::string_view type : {R"("DPoP")", R"("mac")", R"("")", R"("Bearer ")", R"(" Bearer")", R"("Bearers")", R"("Beare")", R"("\u0002earer")", R"("be`rer")", "null", "1", "true",
                                        R"(["Bearer"])", R"({"Bearer":1})"}) {
        BOOST_TEST(parsed_with("token_type", type) == "PC2023", type);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_or_malformed_access_token) {
    BOOST_TEST(parsed(answer().without("access_token")) == "PC2023");
    for (const std::string_view json : {R"("")", "null", "1", "true", "[]", R"(["t"])", "{}"}) {
        BOOST_TEST(parsed_with("access_token", json) == "PC2023", json);
    }
    BOOST_TEST(parsed_with("access_token", json::quoted(std::string(16 * 1024, 'a'))) == "accepted");
    BOOST_TEST(parsed_with("access_token", json::quoted(std::string(16 * 1024 + 1, 'a'))) == "PC2023");
}

// An access token travels back in a header: a line break in it would add another one.
BOOST_AUTO_TEST_CASE(refuses_tokens_that_could_not_be_sent_back) {
    for (const std::string_view name : {"access_token", "refresh_token"}) {
        for (int byte = 1; byte < 0x80; ++byte) {
            const bool plain = byte > 0x20 && byte < 0x7f;
            BOOST_TEST(parsed(answer().with_text(name, std::string{"a"} + static_cast<char>(byte) + "b")) == (plain ? "accepted" : "PC2023"), byte);
        }
        BOOST_TEST(parsed(answer().with_text(name, "token\r\nX-Injected: 1")) == "PC2023");
        BOOST_TEST(parsed(answer().with_text(name, "é")) == "PC2023");
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_or_malformed_id_token) {
    BOOST_TEST(parsed(answer().without("id_token")) == "PC2023");
    BOOST_TEST(parsed(answer().without("id_token"), false) == "accepted");
    for (const bool needed : {true, false}) {
        for (const std::string_view json : {R"("")", "null", "1", "true", "[]", R"(["t"])", "{}"}) {
            BOOST_TEST(parsed(answer().with("id_token", json), needed) == "PC2023", json);
        }
    }
}

BOOST_AUTO_TEST_CASE(bounds_the_size_of_the_answer) {
    // No string of the answer may be longer than the JSON reader's own limit, which is below kMaxJwtBytes.
    BOOST_TEST(parsed_with("id_token", json::quoted(std::string(60'000, 'a'))) == "accepted");
    BOOST_TEST(parsed_with("id_token", json::quoted(std::string(70'000, 'a'))) == "PC2023");
    BOOST_TEST(parsed_with("id_token", json::quoted(std::string(200'000, 'a'))) == "PC2023");
    BOOST_TEST(parsed_with("more", json::quoted(std::string(1 << 20, 'a'))) == "PC2023");
}

BOOST_AUTO_TEST_CASE(refuses_a_malformed_refresh_token) {
    for (const std::string_view json : {R"("")", "null", "1", "true", "[]", "{}"}) {
        BOOST_TEST(parsed_with("refresh_token", json) == "PC2023", json);
    }
    BOOST_TEST(parsed_with("refresh_token", json::quoted(std::string(16 * 1024, 'a'))) == "accepted");
    BOOST_TEST(parsed_with("refresh_token", json::quoted(std::string(16 * 1024 + 1, 'a'))) == "PC2023");
}

BOOST_AUTO_TEST_CASE(refuses_a_lifetime_that_is_none) {
    for (const std::string_view json : {"-1", "-9223372036854775808", R"("3600")", "3600.5", "3.6e3", "1e300", "9223372036854775808", "null", "true", "[]", "{}"}) {
        BOOST_TEST(parsed_with("expires_in", json) == "PC2023", json);
    }
}

BOOST_AUTO_TEST_CASE(bounds_the_lifetime) {
    const auto lifetime = [](std::string_view json) { return oidc::parse_token_response(answer().with("expires_in", json).text(), true)->expires_in; };
    BOOST_TEST((lifetime("0") == 0s));
    BOOST_TEST((lifetime("1") == 1s));
    BOOST_TEST((lifetime("604800") == 24h * 7));
    BOOST_TEST((lifetime("604801") == 24h * 7));
    BOOST_TEST((lifetime("9223372036854775807") == 24h * 7));
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_that_is_no_json_object) {
    const auto good = answer().text();
    for (const auto& body : std::vector<std::string>{"", " ", "<html></html>", "null", "[]", "[" + good + "]", good.substr(0, good.size() - 1), good + good,
                             good + "x", R"("text")", "access_token=a&token_type=Bearer", "\xEF\xBB\xBF" + good, good + std::string(1, '\0')}) {
        BOOST_TEST(outcome(oidc::parse_token_response(body, true)) == "PC2023", body.substr(0, 30));
    }
    // Which of the two would count?
    BOOST_TEST(outcome(oidc::parse_token_response(R"({"access_token":"a","access_token":"b","id_token":"c","token_type":"Bearer"})", true)) == "PC2023");
}

BOOST_AUTO_TEST_CASE(takes_an_oauth_error_with_status_200_for_no_success) {
    BOOST_TEST(outcome(oidc::parse_token_response(oauth_error("invalid_grant"), true)) == "PC2023");
}

BOOST_AUTO_TEST_CASE(repeats_no_token_in_the_detail) {
    const auto quiet = answer().with_text("access_token", "QUIET").with_text("id_token", "QUIET").with_text("refresh_token", "QUIET");
    for (const auto& body : {quiet.with("token_type", R"("QUIET")"), quiet.with("expires_in", R"("QUIET")"), quiet.with("refresh_token", R"(["QUIET"])"), quiet.with("id_token", R"(["QUIET"])")}) {
        BOOST_TEST((oidc::parse_token_response(body.text(), true).error().detail.find("QUIET") == std::string::npos));
    }
    BOOST_TEST((oidc::parse_token_response(quiet.text() + "QUIET", true).error().detail.find("QUIET") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(tells_the_administrator_plainly_when_the_client_is_refused) {
    for (const int status : {400, 401}) {
        const auto error = error_of(status, oauth_error("invalid_client"));
        BOOST_TEST((error.code == core::ErrorCode::client_refused));
        BOOST_TEST(error.detail == "ProConnect refused client_id client-1: invalid_client (HTTP " + std::to_string(status) +
                                       "): ProConnectClientSecret or ProConnectClientKey is not the one registered for this client on this platform");
    }
    const auto unauthorized = error_of(400, oauth_error("unauthorized_client"));
    BOOST_TEST((unauthorized.code == core::ErrorCode::client_refused));
    BOOST_TEST((unauthorized.detail.find("client-1: unauthorized_client (HTTP 400)") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(tells_a_refused_code_from_a_refused_request) {
    BOOST_TEST(error_code(400, oauth_error("invalid_grant")) == "PC2021");
    for (const std::string_view error : {"invalid_request", "unsupported_grant_type", "invalid_scope", "server_error", "INVALID_GRANT", "invalid_grant ", "", "x"}) {
        BOOST_TEST(error_code(400, oauth_error(error)) == "PC2022", error);
    }
    BOOST_TEST((error_of(400, oauth_error("invalid_request")).detail == "ProConnect refused client_id client-1: invalid_request (HTTP 400)"));
    BOOST_TEST(error_code(503, oauth_error("temporarily_unavailable")) == "PC2022");
}

BOOST_AUTO_TEST_CASE(takes_a_failure_without_an_oauth_error_for_one_of_the_provider) {
    for (const auto& body : std::vector<std::string>{"", "<html>Internal Server Error</html>", "{", "{}", R"({"error":1})", R"({"error":null})",
                             R"({"error":{"code":"invalid_grant"}})", R"(["invalid_grant"])", R"("invalid_client")", std::string(300'000, 'x')}) {
        for (const int status : {204, 302, 400, 401, 500, 502, 503}) {
            const auto error = error_of(status, body);
            BOOST_TEST((error.code == core::ErrorCode::provider_status));
            BOOST_TEST(error.detail == "token endpoint: HTTP status " + std::to_string(status) + " without an OAuth error");
        }
    }
}

BOOST_AUTO_TEST_CASE(repeats_only_readable_error_codes) {
    for (const auto& error : std::vector<std::string>{"a\r\nPC9999 forged line", "a b", "\x1b[31m", "é", std::string(65, 'e'), "\x7f", ""}) {
        BOOST_TEST(error_of(400, oauth_error(error)).detail == "ProConnect refused client_id client-1: an unreadable error (HTTP 400)");
    }
    BOOST_TEST((error_of(400, oauth_error(std::string(64, 'e'))).detail.find(std::string(64, 'e')) != std::string::npos));
    // Descriptions are free text, and stay away.
    BOOST_TEST((error_of(400, R"({"error":"invalid_request","error_description":"QUIET\r\n","error_uri":"QUIET"})").detail.find("QUIET") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(redeems_a_code_with_a_form) {
    ScriptedHttp http;
    http.always(kTokenEndpoint, 200, answer().text());
    BOOST_REQUIRE(exchange(http).has_value());
    BOOST_REQUIRE(http.sent.size() == 1U);
    BOOST_TEST(http.sent[0].is_post);
    BOOST_TEST(http.sent[0].accept == "application/json");
    BOOST_TEST(http.sent[0].body == "grant_type=authorization_code&code=the%2Bcode&redirect_uri=https%3A%2F%2Fservice.example.gouv.fr%2Fproconnect%2Fcallback"
                                    "&code_verifier=the-verifier&client_id=client-1&client_secret=a%20client%20secret%20of%20more%20than%2032%20bytes");
    BOOST_TEST(http.sent[0].headers.empty());
}

BOOST_AUTO_TEST_CASE(takes_nothing_but_status_200_for_success) {
    for (const int status : {0, 100, 201, 202, 204, 206, 301, 302, 307, 400, 500}) {
        ScriptedHttp http;
        http.always(kTokenEndpoint, status, answer().text());
        BOOST_TEST(outcome(exchange(http)) == "PC2004", status);
    }
}

BOOST_AUTO_TEST_CASE(passes_on_what_failed_in_the_network) {
    ScriptedHttp http;
    http.fail(kTokenEndpoint, core::ErrorCode::provider_tls);
    BOOST_TEST(outcome(exchange(http)) == "PC2003");
    http.always(kTokenEndpoint, 401, oauth_error("invalid_client"));
    BOOST_TEST(outcome(exchange(http)) == "PC2020");
    http.always(kTokenEndpoint, 200, answer().without("id_token").text());
    BOOST_TEST(outcome(exchange(http)) == "PC2023");
}

BOOST_AUTO_TEST_CASE(asks_nothing_when_the_client_cannot_prove_itself) {
    ScriptedHttp http;
    auto client = login_client();
    client.authentication = oidc::ClientAuthentication::private_key_jwt;
    BOOST_TEST(outcome(exchange(http, client)) == "PC5002");
    BOOST_TEST(http.sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()
