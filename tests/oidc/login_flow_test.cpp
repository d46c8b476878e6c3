// A login from beginning to end. What must not be redeemed is in login_refusals_test.cpp, keys and forms of tokens in login_keys_test.cpp.
#include "oidc/login_flow.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

session::TicketContext ticket_context(const oidc::RelyingParty& client) {
    return {.issuer = client.issuer, .client_id = client.client_id, .redirect_uri = client.redirect_uri};
}

session::LoginTicket ticket_of(const LoginFixture& login, const std::string& state) {
    return session::open_ticket(state, ticket_context(login.client), login.keys).value().ticket;
}

oidc::LoginIntent to(std::string return_address) {
    return {.return_address = std::move(return_address), .wishes = {}};
}

oidc::LoginIntent asking_for(std::vector<std::string> levels) {
    auto intent = to("/");
    intent.wishes.acr_values = std::move(levels);
    return intent;
}

std::string value_of(const oidc::Claims& claims, std::string_view name) {
    const auto found = std::ranges::find(claims.attributes, name, &session::Attribute::claim);
    return found == claims.attributes.end() ? "" : found->value;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(login_flow, LoginFixture)

BOOST_AUTO_TEST_CASE(logs_in_from_beginning_to_end) {
    const auto state = begin();
    BOOST_TEST(http.sent.empty());
    const auto login = finish(callback(state));
    BOOST_REQUIRE(login.has_value());
    BOOST_TEST(login->return_address == "/page?a=b");
    BOOST_TEST(login->claims.subject == kLoginSubject);
    BOOST_TEST(value_of(login->claims, "sub") == kLoginSubject);
    BOOST_TEST(value_of(login->claims, "email") == "agent@example.gouv.fr");
    BOOST_TEST(value_of(login->claims, "acr") == "eidas1");
    BOOST_TEST(login->tokens.access_token.reveal() == kLoginAccessToken);
    BOOST_TEST(login->tokens.refresh_token.reveal() == kLoginRefreshToken);
    BOOST_TEST((login->tokens.expires_in == 3600s));
    BOOST_TEST(oidc::verify_jws(login->tokens.id_token.reveal(), oidc::AlgorithmPolicy::asymmetric(), {.jwks = &provider.known->jwks, .client_secret = nullptr}).has_value());
    BOOST_TEST(login->session_name == session::derive_session_name(ticket_of(*this, state), keys.current).value());
    BOOST_TEST(provider.refetched == 0);
}

BOOST_AUTO_TEST_CASE(sends_the_code_once_with_its_verifier_and_then_the_access_token) {
    const auto state = begin();
    BOOST_REQUIRE(finish(callback(state)).has_value());
    BOOST_REQUIRE(http.sent.size() == 2U);
    const auto& token = http.sent[0];
    BOOST_TEST(token.url == kTokenEndpoint);
    BOOST_TEST(token.is_post);
    BOOST_TEST(token.parameter("grant_type").value() == "authorization_code");
    BOOST_TEST(token.parameter("code").value() == kLoginCode);
    BOOST_TEST(token.parameter("redirect_uri").value() == kRedirectUri);
    BOOST_TEST(token.parameter("client_id").value() == kLoginClient);
    BOOST_TEST(token.parameter("client_secret").value() == kLoginSecret);
    BOOST_TEST(core::base64url_encode(crypto::sha256(token.parameter("code_verifier").value()).value()) == parameter_of(location, "code_challenge"));
    BOOST_TEST(http.sent[1].url == kUserinfoEndpoint);
    BOOST_TEST(http.sent[1].header("Authorization") == "Bearer " + kLoginAccessToken);
}

BOOST_AUTO_TEST_CASE(shows_neither_verifier_nor_binding_in_the_authorization_request) {
    begin();
    BOOST_REQUIRE(finish(callback(parameter_of(location, "state"))).has_value());
    BOOST_TEST((location.find(http.sent[0].parameter("code_verifier").value()) == std::string::npos));
    BOOST_TEST((location.find(cookie) == std::string::npos));
    BOOST_TEST((location.find(kLoginSecret) == std::string::npos));
}

BOOST_AUTO_TEST_CASE(asks_with_state_nonce_and_challenge_of_this_login_alone) {
    std::set<std::string> seen;
    for (int i = 0; i < 20; ++i) {
        const auto state = begin();
        BOOST_TEST(state.size() >= 32U);
        BOOST_TEST(nonce.size() == 43U);
        BOOST_TEST(challenge.size() == 43U);
        seen.insert({state, nonce, challenge});
    }
    BOOST_TEST(seen.size() == 60U);
}

BOOST_AUTO_TEST_CASE(gives_a_browser_a_cookie_only_when_it_has_no_usable_one) {
    const auto first = try_begin();
    BOOST_REQUIRE(first->new_binding_cookie.has_value());
    BOOST_TEST(first->new_binding_cookie->size() == session::BrowserBinding::kCookieChars);
    cookie = *first->new_binding_cookie;
    BOOST_TEST(!try_begin()->new_binding_cookie.has_value());
    const auto good = cookie;
    for (const auto& bad : std::vector<std::string>{"", good.substr(1), good + "A", good + "=", std::string(43, '!'), std::string(43, '_'), good.substr(0, 42) + "\n", std::string(100'000, 'A')}) {
        cookie = bad;
        const auto started = try_begin();
        BOOST_REQUIRE(started->new_binding_cookie.has_value());
        BOOST_TEST(*started->new_binding_cookie != good);
        BOOST_TEST(*started->new_binding_cookie != bad);
    }
}

BOOST_AUTO_TEST_CASE(finishes_fifty_logins_of_one_browser_in_any_order) {
    std::vector<std::pair<std::string, std::string>> tabs;
    for (int i = 0; i < 50; ++i) {
        const auto state = begin(to("/tab/" + std::to_string(i)));
        tabs.emplace_back(state, location);
    }
    std::swap(tabs[3], tabs[40]);
    std::ranges::reverse(tabs);
    std::set<std::string> names, addresses;
    for (const auto& [state, url] : tabs) {
        arrive(url);
        const auto login = finish(callback(state));
        BOOST_REQUIRE(login.has_value());
        names.insert(login->session_name);
        addresses.insert(login->return_address);
    }
    BOOST_TEST(names.size() == 50U);
    BOOST_TEST(addresses.size() == 50U);
}

BOOST_AUTO_TEST_CASE(keeps_only_addresses_of_this_site) {
    for (const std::string_view address : {"//evil.example", "/\\evil.example", "https://evil.example/", "https:evil.example", "javascript:alert(1)", "", "page", "/a\r\nb", "/%0d%0aSet-Cookie:x",
                                           "/%2f/evil.example", "/a#b", "/é", "/a b", "\\\\evil.example", "/../x", "@evil.example"}) {
        BOOST_TEST(ticket_of(*this, begin(to(std::string{address}))).return_address == "/", address);
    }
    BOOST_TEST(ticket_of(*this, begin(to("/" + std::string(core::kMaxReturnBytes, 'a')))).return_address == "/");
    for (const std::string_view address : {"/", "/page", "/page?next=https://other.example/", "/a/b;c=d?e=%C3%A9"}) {
        BOOST_TEST(ticket_of(*this, begin(to(std::string{address}))).return_address == address, address);
    }
}

BOOST_AUTO_TEST_CASE(remembers_in_the_ticket_what_was_asked_for) {
    auto intent = asking_for({"eidas2", "eidas3"});
    intent.wishes.prompt_login = true;
    intent.attempt = 2;
    const auto loud = ticket_of(*this, begin(intent));
    BOOST_TEST((loud.acr_values == std::vector<std::string>{"eidas2", "eidas3"}));
    BOOST_TEST(loud.reauthenticate);
    BOOST_TEST(!loud.silent);
    BOOST_TEST(loud.attempt == 2);
    BOOST_TEST((loud.issued == now));
    intent.wishes.prompt_login = false;
    intent.wishes.prompt_none = true;
    const auto silent = ticket_of(*this, begin(intent));
    BOOST_TEST(silent.silent);
    BOOST_TEST(!silent.reauthenticate);
    BOOST_TEST(parameter_of(location, "prompt") == "none");
}

BOOST_AUTO_TEST_CASE(begins_nothing_with_wishes_the_provider_would_refuse) {
    auto intent = to("/");
    intent.wishes.siret_hint = "123";
    BOOST_TEST(outcome(try_begin(intent)) == "PC5001");
}

BOOST_AUTO_TEST_CASE(begins_nothing_while_the_provider_is_unknown) {
    provider.down = core::Error{core::ErrorCode::provider_unreachable, "down"};
    BOOST_TEST(outcome(try_begin()) == "PC2001");
}

BOOST_AUTO_TEST_CASE(begins_nothing_that_could_not_be_finished) {
    BOOST_TEST(outcome(try_begin(asking_for({std::string(256, 'a')}))) == "PC9001");
    BOOST_TEST(outcome(try_begin(asking_for(std::vector<std::string>(17, "eidas2")))) == "PC9001");
}

BOOST_AUTO_TEST_CASE(insists_on_the_level_it_asked_for) {
    BOOST_TEST(log_in(asking_for({"eidas1", "eidas2"})) == "accepted");
    BOOST_TEST(log_in(asking_for({"eidas2", "eidas3"})) == "PC3018");
    id_token = id_token.without("acr");
    BOOST_TEST(log_in(asking_for({"eidas1"})) == "PC3018");
    BOOST_TEST(log_in() == "accepted");
}

BOOST_AUTO_TEST_CASE(insists_on_the_fresh_sign_in_it_asked_for) {
    auto intent = to("/");
    intent.wishes.prompt_login = true;
    const auto signed_in_at = [&](core::UnixTime time) {
        now = kLoginTime - 600s;
        const auto state = begin(intent);
        now = kLoginTime;
        id_token = id_token.with("auth_time", date(time));
        return ended(finish(callback(state)));
    };
    BOOST_TEST(signed_in_at(kLoginTime) == "accepted");
    BOOST_TEST(signed_in_at(kLoginTime - 660s) == "accepted");
    BOOST_TEST(signed_in_at(kLoginTime - 661s) == "PC3019");
    id_token = id_token.without("auth_time");
    BOOST_TEST(log_in(intent) == "PC3019");
    BOOST_TEST(log_in() == "accepted");
}

BOOST_AUTO_TEST_CASE(goes_by_the_skew_of_the_client) {
    client.clock_skew = 5s;
    id_token = id_token.with("exp", date(kLoginTime - 4s));
    BOOST_TEST(log_in() == "accepted");
    id_token = id_token.with("exp", date(kLoginTime - 5s));
    BOOST_TEST(log_in() == "PC3014");
}

BOOST_AUTO_TEST_CASE(knows_a_login_whose_callback_comes_back) {
    const auto state = begin();
    const auto login = finish(callback(state));
    live_session = login->session_name;
    const auto requests = http.sent.size();
    const auto again = finish(callback(state));
    BOOST_TEST(ended(again) == "PC1016");
    BOOST_TEST(again.error().ours);
    BOOST_TEST(again.error().return_address == "/page?a=b");
    // Also when the login is long over.
    now += 2h;
    BOOST_TEST(ended(finish(callback(state))) == "PC1016");
    BOOST_TEST(http.sent.size() == requests);
}

BOOST_AUTO_TEST_CASE(knows_a_login_whose_callback_comes_back_when_its_session_is_over) {
    const auto state = begin();
    finished_session = finish(callback(state))->session_name;
    const auto requests = http.sent.size();
    const auto again = finish(callback(state));
    BOOST_TEST(ended(again) == "PC1016");
    BOOST_TEST(again.error().ours);
    BOOST_TEST(!again.error().answered_no);
    BOOST_TEST(http.sent.size() == requests, "the code was sent twice");
    BOOST_TEST(log_in() == "accepted");
}

BOOST_AUTO_TEST_CASE(says_whether_the_provider_said_no_even_when_the_state_is_of_no_use) {
    BOOST_TEST(finish("error=access_denied&state=" + std::string(200, 'A')).error().answered_no);
    BOOST_TEST(finish("error=access_denied").error().answered_no);
    BOOST_TEST(finish("error=access_denied&error=access_denied&state=A").error().answered_no);
    BOOST_TEST(finish("error=access_denied&code=c&state=A").error().answered_no);
    BOOST_TEST(!finish("code=c&state=A").error().answered_no);
    BOOST_TEST(!finish("").error().answered_no);
}

BOOST_AUTO_TEST_CASE(lets_a_new_login_follow_while_another_session_lives) {
    live_session = finish(callback(begin()))->session_name;
    BOOST_TEST(log_in() == "accepted");
}

BOOST_AUTO_TEST_CASE(finishes_a_login_that_was_begun_before_the_key_changed) {
    const auto state = begin();
    keys = {.current = server_key(2), .previous = server_key(1)};
    const auto login = finish(callback(state));
    BOOST_REQUIRE(login.has_value());
    BOOST_TEST(login->session_name == session::derive_session_name(ticket_of(*this, state), server_key(1)).value());
    BOOST_TEST(log_in() == "accepted");
    keys.previous.reset();
    BOOST_TEST(ended(finish(callback(state))) == "PC1002");
}

BOOST_AUTO_TEST_SUITE_END()
