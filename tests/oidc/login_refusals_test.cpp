// Callbacks that are not this browser's, or not good: their code is never redeemed. And what is refused once it was.
#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

/// A finish that must end without a request to the provider.
struct RefusalFixture : LoginFixture {
    oidc::LoginFailure refused(std::string_view query) {
        const auto requests = http.sent.size();
        auto result = finish(query);
        BOOST_REQUIRE(!result.has_value());
        BOOST_TEST(http.sent.size() == requests);
        return std::move(result.error());
    }
    std::string refusal(std::string_view query) { return core::code_text(refused(query).error.code); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(login_refusals, RefusalFixture)

BOOST_AUTO_TEST_CASE(never_redeems_a_code_without_its_state) {
    begin();
    BOOST_TEST(refusal("code=" + kLoginCode) == "PC1001");
    BOOST_TEST(refusal("code=" + kLoginCode + "&state=") == "PC1001");
    BOOST_TEST(refusal("code=" + kLoginCode + "&State=x&iss=x") == "PC1001");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_under_a_state_it_did_not_make) {
    const auto state = begin();
    for (const auto& forged : std::vector<std::string>{"x", "0123456789abcdef0123456789abcdef", state + "A", state.substr(1), state.substr(0, state.size() - 4), " " + state, state + "=",
                               std::string(8001, 'A'), state + state}) {
        const auto failure = refused(callback(forged));
        BOOST_TEST(core::code_text(failure.error.code) == "PC1002");
        BOOST_TEST(!failure.ours);
        BOOST_TEST(failure.return_address == "");
        BOOST_TEST(failure.attempt == 1);
    }
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_under_the_state_of_another_browser) {
    const auto state = begin({.return_address = "/page?a=b", .wishes = {}, .attempt = 2});
    cookie.clear();
    begin();  // the victim's browser has a login of its own
    const auto failure = refused(callback(state));
    BOOST_TEST(core::code_text(failure.error.code) == "PC1004");
    BOOST_TEST(!failure.ours);
    BOOST_TEST(failure.return_address == "/page?a=b");
    BOOST_TEST(failure.attempt == 2);
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_without_the_cookie) {
    const auto state = begin();
    const auto good = cookie;
    for (const auto& bad : std::vector<std::string>{"", good.substr(1), good + "A", std::string(43, '!'), good.substr(0, 42), " " + good}) {
        cookie = bad;
        const auto failure = refused(callback(state));
        BOOST_TEST(core::code_text(failure.error.code) == "PC1004");
        BOOST_TEST(!failure.ours);
    }
    cookie = good;
    BOOST_TEST(ended(finish(callback(state))) == "accepted");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_of_a_login_that_took_too_long) {
    const auto state = begin();
    now = kLoginTime + 1h + 1s;
    const auto failure = refused(callback(state));
    BOOST_TEST(core::code_text(failure.error.code) == "PC1003");
    BOOST_TEST(failure.ours);
    BOOST_TEST(failure.return_address == "/page?a=b");
    now = kLoginTime + 1h;
    id_token = id_token.with("iat", date(now)).with("exp", date(now + 60s));
    BOOST_TEST(ended(finish(callback(state))) == "accepted");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_of_a_login_from_the_future) {
    const auto state = begin();
    now = kLoginTime - 61s;
    BOOST_TEST(refusal(callback(state)) == "PC1003");
    now = kLoginTime - 60s;
    BOOST_TEST(ended(finish(callback(state))) == "accepted");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_under_a_state_of_another_client_issuer_or_address) {
    const auto state = begin();
    client.client_id = "client-2";
    BOOST_TEST(refusal(callback(state)) == "PC1002");
    client = login_client();
    client.issuer = kLoginIssuer + "/";
    BOOST_TEST(refusal(callback(state)) == "PC1002");
    client = login_client();
    client.redirect_uri = kRedirectUri + "/";
    BOOST_TEST(refusal(callback(state)) == "PC1002");
    client = login_client();
    BOOST_TEST(ended(finish(callback(state))) == "accepted");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_sealed_by_another_server) {
    const auto state = begin();
    keys.current = server_key(9);
    BOOST_TEST(refusal(callback(state)) == "PC1002");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_among_repeated_or_broken_parameters) {
    const auto query = callback(begin());
    for (const std::string_view more : {"&code=other", "&state=other", "&c%6fde=other", "&iss=x", "&a=1&a=2", "&a=%", "&=x", "&", "&a=%00"}) {
        BOOST_TEST(refusal(query + std::string{more}) == "PC1005", more);
    }
    BOOST_TEST(refusal(query + "&long=" + std::string(core::Parameters::kMaxBytes, 'x')) == "PC1005");
    BOOST_TEST(ended(finish(query + "&session_state=x")) == "accepted");
}

BOOST_AUTO_TEST_CASE(never_redeems_a_code_that_comes_with_an_error) {
    const auto query = callback(begin());
    BOOST_TEST(refusal(query + "&error=access_denied") == "PC1006");
    BOOST_TEST(ended(finish(query + "&error=")) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_a_callback_with_nothing_in_it) {
    begin();
    BOOST_TEST(refusal("") == "PC1006");
    BOOST_TEST(refusal("code=&state=x") == "PC1006");
    BOOST_TEST(refusal("state=" + parameter_of(location, "state") + "&iss=x") == "PC1006");
}

BOOST_AUTO_TEST_CASE(never_redeems_the_code_of_another_provider) {
    const auto state = begin();
    for (const auto& issuer : std::vector<std::string>{kLoginIssuer + "/", "https://evil.example", ""}) {
        const auto failure = refused(callback(state, issuer));
        BOOST_TEST(core::code_text(failure.error.code) == "PC3040", issuer);
        BOOST_TEST(failure.ours);
    }
    core::ParameterList without_issuer;
    without_issuer.add("code", kLoginCode).add("state", state);
    BOOST_TEST(refusal(without_issuer.text()) == "PC3040");
}

BOOST_AUTO_TEST_CASE(takes_an_error_response_for_nothing_else) {
    auto silent = oidc::LoginIntent{.return_address = "/page", .wishes = {}};
    silent.wishes.prompt_none = true;
    const auto state = begin(silent);
    const auto failure = refused(error_callback(state, "login_required"));
    BOOST_TEST(core::code_text(failure.error.code) == "PC2041");
    BOOST_TEST(failure.ours);
    BOOST_TEST(failure.silent);
    BOOST_TEST(failure.return_address == "/page");
    BOOST_TEST(refusal(error_callback(state, "access_denied")) == "PC2040");
    // An error of another provider says nothing.
    core::ParameterList foreign;
    foreign.add("error", "access_denied").add("state", state).add("iss", "https://evil.example");
    BOOST_TEST(refusal(foreign.text()) == "PC3040");
    // And one that another browser was sent is not shown here.
    cookie.clear();
    BOOST_TEST(refusal(error_callback(state, "access_denied")) == "PC1004");
}

BOOST_AUTO_TEST_CASE(redeems_nothing_while_the_provider_is_unknown) {
    const auto state = begin();
    provider.down = core::Error{core::ErrorCode::provider_timeout, "down"};
    const auto failure = refused(callback(state));
    BOOST_TEST(core::code_text(failure.error.code) == "PC2002");
    BOOST_TEST(failure.ours);
    BOOST_TEST(failure.return_address == "/page?a=b");
}

BOOST_AUTO_TEST_CASE(refuses_what_the_token_endpoint_refuses) {
    const auto state = begin();
    const auto answered = [&](int status, const std::string& body) {
        http.always(kTokenEndpoint, status, body);
        return ended(finish(callback(state)));
    };
    BOOST_TEST(answered(400, R"({"error":"invalid_grant"})") == "PC2021");
    BOOST_TEST(answered(401, R"({"error":"invalid_client"})") == "PC2020");
    BOOST_TEST(answered(500, "<html>") == "PC2004");
    BOOST_TEST(answered(200, "") == "PC2023");
    BOOST_TEST(answered(200, R"({"access_token":"a","token_type":"Bearer"})") == "PC2023");
    http.fail(kTokenEndpoint, core::ErrorCode::provider_tls);
    BOOST_TEST(ended(finish(callback(state))) == "PC2003");
    BOOST_TEST(http.count(kUserinfoEndpoint) == 0);
}

BOOST_AUTO_TEST_CASE(redeems_no_code_with_the_verifier_of_another_login) {
    const auto first = begin();
    begin();  // the provider's code is of the second one
    BOOST_TEST(ended(finish(callback(first))) == "PC2021");
}

BOOST_AUTO_TEST_CASE(refuses_an_id_token_that_is_not_of_this_login) {
    const std::pair<ClaimSet, std::string_view> cases[] = {{id_token.with_text("iss", "https://evil.example"), "PC3010"}, {id_token.with_text("aud", "client-2"), "PC3011"},
                                                           {id_token.with_text("azp", "client-2"), "PC3012"}, {id_token.without("sub"), "PC3013"},
                                                           {id_token.with("exp", date(kLoginTime - 60s)), "PC3014"}, {id_token.with("iat", date(kLoginTime + 61s)), "PC3015"},
                                                           {id_token.with_text("at_hash", "wrong"), "PC3017"}, {id_token.with("acr", "1"), "PC3020"}};
    for (const auto& [claims, code] : cases) {
        id_token = claims;
        const auto result = finish(callback(begin()));
        BOOST_TEST(ended(result) == code);
        BOOST_TEST(result.error().ours);
        BOOST_TEST(result.error().return_address == "/page?a=b");
    }
    BOOST_TEST(http.count(kUserinfoEndpoint) == 0);
}

BOOST_AUTO_TEST_CASE(refuses_the_nonce_of_another_login) {
    begin();
    const auto other = nonce;
    const auto state = begin();
    nonce = other;
    BOOST_TEST(ended(finish(callback(state))) == "PC3016");
    nonce.clear();
    BOOST_TEST(ended(finish(callback(state))) == "PC3016");
}

BOOST_AUTO_TEST_CASE(refuses_a_login_whose_userinfo_fails) {
    const auto state = begin();
    for (const int status : {401, 403, 500, 302, 204}) {
        http.always(kUserinfoEndpoint, status, userinfo.text());
        BOOST_TEST(ended(finish(callback(state))) == "PC2030", status);
    }
    http.always(kUserinfoEndpoint, 200, "");
    BOOST_TEST(ended(finish(callback(state))) == "PC3001");
    http.always(kUserinfoEndpoint, 200, userinfo.with_text("sub", "somebody-else").text());
    BOOST_TEST(ended(finish(callback(state))) == "PC3030");
    http.fail(kUserinfoEndpoint, core::ErrorCode::provider_timeout);
    BOOST_TEST(ended(finish(callback(state))) == "PC2002");
    http.always(kUserinfoEndpoint, 200, userinfo.with_text("a", std::string(8000, 'a')).with_text("b", std::string(8000, 'a')).with_text("c", std::string(8000, 'a'))
                                            .with_text("d", std::string(8000, 'a')).with_text("e", std::string(8000, 'a')).with_text("f", std::string(8000, 'a'))
                                            .with_text("g", std::string(8000, 'a')).text());
    BOOST_TEST(ended(finish(callback(state))) == "PC4002");
}

BOOST_AUTO_TEST_SUITE_END()
