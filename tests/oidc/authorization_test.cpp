#include "oidc/authorization.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using oidc::AuthorizationWishes;

namespace {

std::expected<std::string, core::Error> try_url(const AuthorizationWishes& wishes, const oidc::RelyingParty& client = login_client(), const oidc::ProviderMetadata& provider = login_metadata()) {
    return oidc::authorization_url(provider, client, "the-state", "the-nonce", "the-challenge", wishes);
}

std::string url(const AuthorizationWishes& wishes = {}) {
    return try_url(wishes).value();
}

std::string refusal(const AuthorizationWishes& wishes) {
    // What is refused is refused before a URL is made of it, too.
    BOOST_TEST(outcome(oidc::check_wishes(wishes)) == outcome(try_url(wishes)));
    return outcome(oidc::check_wishes(wishes));
}

AuthorizationWishes wish(std::string AuthorizationWishes::*hint, std::string value) {
    AuthorizationWishes wishes;
    wishes.*hint = std::move(value);
    return wishes;
}

std::string parsed(std::string_view query) {
    return outcome(oidc::parse_authorization_response(query));
}

oidc::AuthorizationResponse error_response(std::string error, std::string description = "") {
    oidc::AuthorizationResponse response;
    response.error = std::move(error);
    response.error_description = std::move(description);
    return response;
}

std::string error_code(std::string error, std::string description = "") {
    return core::code_text(oidc::authorization_error(error_response(std::move(error), std::move(description))).code);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(authorization)

BOOST_AUTO_TEST_CASE(asks_with_the_documented_parameters_and_no_others) {
    BOOST_TEST(url() ==
               "https://auth.example.gouv.fr/api/v2/authorize?response_type=code&client_id=client-1"
               "&redirect_uri=https%3A%2F%2Fservice.example.gouv.fr%2Fproconnect%2Fcallback&scope=openid%20email&state=the-state&nonce=the-nonce"
               "&code_challenge=the-challenge&code_challenge_method=S256&claims=%7B%22id_token%22%3A%7B%22amr%22%3Anull%7D%7D");
}

BOOST_AUTO_TEST_CASE(asks_for_levels_as_essential) {
    AuthorizationWishes wishes;
    wishes.acr_values = {"eidas2", "https://proconnect.gouv.fr/assurance/certification-dirigeant", "\"é"};
    BOOST_TEST(parameter_of(url(wishes), "claims") ==
               R"({"id_token":{"amr":null,"acr":{"essential":true,"values":["eidas2","https://proconnect.gouv.fr/assurance/certification-dirigeant","\"é"]}}})");
    // Together with an essential acr its behaviour would be undefined.
    BOOST_TEST(parameter_of(url(wishes), "acr_values") == "");
}

BOOST_AUTO_TEST_CASE(asks_for_one_prompt_at_most) {
    AuthorizationWishes wishes;
    BOOST_TEST((url(wishes).find("prompt") == std::string::npos));
    wishes.prompt_login = true;
    BOOST_TEST(parameter_of(url(wishes), "prompt") == "login");
    wishes.prompt_none = true;
    BOOST_TEST(refusal(wishes) == "PC5001");
    wishes.prompt_login = false;
    BOOST_TEST(parameter_of(url(wishes), "prompt") == "none");
}

BOOST_AUTO_TEST_CASE(escapes_what_could_end_a_parameter) {
    auto client = login_client();
    client.client_id = "a&b=c#d e+f%g?h/i\"é\r\n";
    client.scope = "openid&prompt=none";
    client.redirect_uri = "https://s.example/?x=1&state=evil";
    const auto text = oidc::authorization_url(login_metadata(), client, "s&nonce=x", "n#", "c+ ", {}).value();
    BOOST_TEST(parameter_of(text, "client_id") == client.client_id);
    BOOST_TEST(parameter_of(text, "scope") == client.scope);
    BOOST_TEST(parameter_of(text, "redirect_uri") == client.redirect_uri);
    BOOST_TEST(parameter_of(text, "state") == "s&nonce=x");
    BOOST_TEST(parameter_of(text, "nonce") == "n#");
    BOOST_TEST(parameter_of(text, "code_challenge") == "c+ ");
    BOOST_TEST(core::parse_url(text).has_value());
}

BOOST_AUTO_TEST_CASE(keeps_the_query_of_an_endpoint) {
    auto provider = login_metadata();
    provider.authorization_endpoint = "https://p.example/authorize?tenant=a";
    BOOST_TEST(try_url({}, login_client(), provider)->starts_with("https://p.example/authorize?tenant=a&response_type=code&"));
}

BOOST_AUTO_TEST_CASE(passes_good_hints_on) {
    BOOST_TEST(parameter_of(url(wish(&AuthorizationWishes::idp_hint, "71144ab3-ee1a-4401-b7b3-79b44f7daeeb")), "idp_hint") == "71144ab3-ee1a-4401-b7b3-79b44f7daeeb");
    BOOST_TEST(parameter_of(url(wish(&AuthorizationWishes::login_hint, "a.b+c@example.gouv.fr")), "login_hint") == "a.b+c@example.gouv.fr");
    BOOST_TEST(parameter_of(url(wish(&AuthorizationWishes::siret_hint, "13002526500013")), "siret_hint") == "13002526500013");
    BOOST_TEST((url().find("hint") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(refuses_an_idp_hint_that_is_none) {
    for (const auto& hint : std::vector<std::string>{" ", "a b", "a\n", "é", std::string("a\0b", 3), "\x7f", std::string(256, 'a')}) {
        BOOST_TEST(refusal(wish(&AuthorizationWishes::idp_hint, hint)) == "PC5001", hint);
    }
    BOOST_TEST(refusal(wish(&AuthorizationWishes::idp_hint, std::string(255, 'a'))) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_a_login_hint_that_is_no_address) {
    for (const auto& hint : std::vector<std::string>{"a", "@", "a@", "@b.fr", "a@b", "a@b.", "a@.fr", "a@b@c.fr",
                             "a b@c.fr", "a@c.fr\n", "é@c.fr", "a@c.fr.", std::string("a\0@c.fr", 7), " a@b.fr", std::string(250, 'a') + "@bc.fr"}) {
        BOOST_TEST(refusal(wish(&AuthorizationWishes::login_hint, hint)) == "PC5001", hint);
    }
    BOOST_TEST(refusal(wish(&AuthorizationWishes::login_hint, "a@b.c")) == "accepted");
    BOOST_TEST(refusal(wish(&AuthorizationWishes::login_hint, std::string(249, 'a') + "@bc.fr")) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_a_siret_hint_of_anything_but_14_digits) {
    for (const std::string_view hint : {"1", "1300252650001", "130025265000133", "1300252650001x", "130 0252650001", "13002526500013\n", "-3002526500013", "\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1"}) {
        BOOST_TEST(refusal(wish(&AuthorizationWishes::siret_hint, std::string{hint})) == "PC5001", hint);
    }
}

BOOST_AUTO_TEST_CASE(repeats_no_hint_in_the_detail) {
    BOOST_TEST((oidc::check_wishes(wish(&AuthorizationWishes::login_hint, "jane doe@example.org")).error().detail.find("jane") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(reads_the_answer_with_a_code) {
    const auto response = oidc::parse_authorization_response("code=a%2Fb&state=s&iss=https%3A%2F%2Fi.example&session_state=x");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->code.reveal() == "a/b");
    BOOST_TEST(response->state.reveal() == "s");
    BOOST_TEST(response->issuer.value() == "https://i.example");
    BOOST_TEST(response->error == "");
    BOOST_TEST(!oidc::parse_authorization_response("code=a")->issuer.has_value());
    BOOST_TEST(oidc::parse_authorization_response("code=a&iss=")->issuer.value() == "");
}

BOOST_AUTO_TEST_CASE(reads_the_answer_with_an_error) {
    const auto response = oidc::parse_authorization_response("error=access_denied&error_description=Non+merci&state=s&iss=i");
    BOOST_REQUIRE(response.has_value());
    BOOST_TEST(response->error == "access_denied");
    BOOST_TEST(response->error_description == "Non merci");
    BOOST_TEST(response->code.empty());
    BOOST_TEST(response->issuer.value() == "i");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_with_neither_or_both) {
    for (const std::string_view query : {"", "state=s", "code=&state=s", "code=&error=", "error_description=x", "iss=i", "Code=a"}) {
        BOOST_TEST(parsed(query) == "PC1006", query);
    }
    const auto both = oidc::parse_authorization_response("code=a&error=b&state=s");
    BOOST_TEST(outcome(both) == "PC1006");
    BOOST_TEST(both.error().detail == "callback: both code and error");
    BOOST_TEST(oidc::parse_authorization_response("state=s").error().detail == "callback: neither code nor error");
}

BOOST_AUTO_TEST_CASE(refuses_repeated_oversized_and_broken_parameters) {
    for (const std::string_view query : {"code=a&code=a", "code=a&state=s&state=s", "code=a&iss=i&iss=j", "code=a&x=1&x=2", "code=a&c%6Fde=b", "code=%", "code=a%00b", "code=a&", "=a&code=b"}) {
        BOOST_TEST(parsed(query) == "PC1005", query);
    }
    BOOST_TEST(parsed("code=" + std::string(core::Parameters::kMaxBytes, 'a')) == "PC1005");
    std::string many = "code=a";
    for (int i = 0; i < 64; ++i) {
        many += "&p" + std::to_string(i) + "=";
    }
    BOOST_TEST(parsed(many) == "PC1005");
}

// RFC 9207 section 2.4.
BOOST_AUTO_TEST_CASE(compares_the_issuer_of_an_answer_byte_for_byte) {
    auto provider = login_metadata();
    const auto from = [&](std::optional<std::string> issuer) {
        oidc::AuthorizationResponse response;
        response.issuer = std::move(issuer);
        return outcome(oidc::check_response_issuer(response, provider));
    };
    for (const bool announced : {true, false}) {
        provider.response_iss = announced;
        BOOST_TEST(from(kLoginIssuer) == "accepted");
        BOOST_TEST(from(std::nullopt) == (announced ? "PC3040" : "accepted"));
        for (const auto& issuer : std::vector<std::string>{"", kLoginIssuer + "/", "https://evil.example", kLoginIssuer.substr(1), "https://AUTH.example.gouv.fr/api/v2"}) {
            BOOST_TEST(from(issuer) == "PC3040", issuer);
        }
    }
}

BOOST_AUTO_TEST_CASE(gives_each_error_its_code) {
    BOOST_TEST(error_code("access_denied") == "PC2040");
    BOOST_TEST(error_code("login_required") == "PC2041");
    BOOST_TEST(error_code("invalid_scope") == "PC2042");
    BOOST_TEST(error_code("invalid_request") == "PC2043");
    BOOST_TEST(error_code("server_error") == "PC2044");
    BOOST_TEST(error_code("temporarily_unavailable") == "PC2045");
    BOOST_TEST(error_code("unsupported_response_type") == "PC2046");
    for (const std::string_view error : {"unauthorized_client", "consent_required", "interaction_required", "Access_Denied", "access_denied ", "x", "<script>"}) {
        BOOST_TEST(error_code(std::string{error}) == "PC2047", error);
    }
}

BOOST_AUTO_TEST_CASE(tells_a_level_that_was_not_reached_from_a_user_who_gave_up) {
    BOOST_TEST(error_code("access_denied", "requested ACRs could not be satisfied") == "PC2048");
    BOOST_TEST(error_code("access_denied", "none of the requested ACRs could not be satisfied (x)") == "PC2048");
    BOOST_TEST(error_code("access_denied", "User auth aborted") == "PC2040");
    BOOST_TEST(error_code("server_error", "requested ACRs could not be satisfied") == "PC2044");
}

BOOST_AUTO_TEST_CASE(bounds_what_it_repeats_of_an_error) {
    const auto error = oidc::authorization_error(error_response(std::string(5000, 'e'), std::string(5000, 'd')));
    BOOST_TEST(error.detail == "ProConnect answered " + std::string(64, 'e') + ": " + std::string(200, 'd'));
    BOOST_TEST(oidc::authorization_error(error_response("server_error")).detail == "ProConnect answered server_error");
    BOOST_TEST((oidc::authorization_error(error_response("invalid_scope", "requested scope is not allowed")).detail.find("ask ProConnect to open the scopes") != std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
