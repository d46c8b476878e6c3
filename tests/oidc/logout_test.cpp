#include "oidc/logout.hpp"

#include <boost/test/unit_test.hpp>

#include "crypto/sealed_box.hpp"
#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

struct LogoutFixture {
    oidc::RelyingParty client = login_client();
    session::ServerKeys keys{.current = server_key(1), .previous = std::nullopt};
    session::BrowserBinding binding = session::BrowserBinding::make_random().value();
    std::string cookie = binding.cookie_value();
    std::string state = make();

    [[nodiscard]] std::string make(core::UnixTime now = kLoginTime) const { return oidc::make_logout_state(client, binding, keys.current, now).value(); }
    [[nodiscard]] bool is_own(std::string_view text, core::UnixTime now = kLoginTime) const { return oidc::is_own_logout_state(text, client, cookie, keys, now); }
    /// A state whose content is of the test's own making.
    [[nodiscard]] std::string sealed(const std::string& content) const {
        const std::string context = "logout state 2\n" + std::to_string(client.issuer.size()) + ":" + client.issuer + "\n" + client.client_id;
        return encoded(crypto::seal(keys.current.logout_state, context, content).value());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(logout, LogoutFixture)

BOOST_AUTO_TEST_CASE(knows_its_own_state) {
    BOOST_TEST(state.size() >= 32U);
    BOOST_TEST((oidc::token_form(state) == oidc::TokenForm::other));
    BOOST_TEST((state.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos));
    BOOST_TEST(is_own(state));
    BOOST_TEST(make() != state);
    BOOST_TEST(is_own(make()));
}

BOOST_AUTO_TEST_CASE(refuses_the_state_of_another_browser) {
    cookie = session::BrowserBinding::make_random()->cookie_value();
    BOOST_TEST(!is_own(state));
    for (const auto& bad : std::vector<std::string>{"", binding.cookie_value() + "A", binding.cookie_value().substr(1), std::string(43, '!')}) {
        cookie = bad;
        BOOST_TEST(!is_own(state));
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_state_of_another_client_or_issuer) {
    client.client_id = "client-2";
    BOOST_TEST(!is_own(state));
    client = login_client();
    client.issuer += "/";
    BOOST_TEST(!is_own(state));
    // The same bytes, cut elsewhere.
    client.issuer = kLoginIssuer + "\n";
    client.client_id = "";
    const auto shifted = make();
    client.issuer = kLoginIssuer;
    client.client_id = "\n";
    BOOST_TEST(!is_own(shifted));
    client = login_client();
    BOOST_TEST(is_own(state));
}

BOOST_AUTO_TEST_CASE(refuses_the_state_of_another_key_but_for_the_previous_one) {
    keys = {.current = server_key(2), .previous = std::nullopt};
    BOOST_TEST(!is_own(state));
    keys.previous = server_key(3);
    BOOST_TEST(!is_own(state));
    keys.previous = server_key(1);
    BOOST_TEST(is_own(state));
}

BOOST_AUTO_TEST_CASE(is_good_for_an_hour) {
    BOOST_TEST(is_own(state, kLoginTime + 1h));
    BOOST_TEST(!is_own(state, kLoginTime + 1h + 1s));
    // A clock that was set back.
    BOOST_TEST(is_own(state, kLoginTime - 1h));
    BOOST_TEST(!is_own(state, kLoginTime - 1h - 1s));
}

BOOST_AUTO_TEST_CASE(refuses_every_change_of_the_state) {
    for (std::size_t i = 0; i < state.size(); ++i) {
        auto changed = state;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(!is_own(changed), i);
        BOOST_TEST(!is_own(state.substr(0, i)), i);
    }
    for (const auto& text : std::vector<std::string>{state + "A", state + "AAAA", state + "=", " " + state, state + state, std::string(512, 'A'), std::string(513, 'A'), std::string(1 << 20, 'A'), "é"}) {
        BOOST_TEST(!is_own(text));
    }
}

BOOST_AUTO_TEST_CASE(takes_no_login_for_a_logout) {
    session::LoginTicket ticket;
    ticket.browser = binding.fingerprint().value();
    ticket.issued = kLoginTime;
    const auto login = session::seal_ticket(ticket, {.issuer = client.issuer, .client_id = client.client_id, .redirect_uri = client.redirect_uri}, keys.current).value();
    BOOST_TEST(!is_own(login));
    BOOST_TEST(outcome(session::open_ticket(state, {.issuer = client.issuer, .client_id = client.client_id, .redirect_uri = client.redirect_uri}, keys)) == "PC1002");
}

BOOST_AUTO_TEST_CASE(refuses_content_it_would_not_have_sealed) {
    const auto mine = binding.fingerprint().value();
    BOOST_TEST(is_own(sealed(mine + date(kLoginTime) + "-")));
    BOOST_TEST(is_own(sealed(mine + date(kLoginTime) + "L/page")));
    for (const auto& content : std::vector<std::string>{"", mine, mine.substr(1), mine + "x", mine + "-", mine + date(kLoginTime), mine + date(kLoginTime) + "x", mine + " " + date(kLoginTime) + "-",
                                mine + "99999999999999999999-", mine.substr(1) + date(kLoginTime) + "-", std::string(32, 'x') + date(kLoginTime) + "-", mine + "+" + date(kLoginTime) + "-",
                                mine + "0-", mine + "0", mine + "-" + date(kLoginTime) + "-"}) {
        BOOST_TEST(!is_own(sealed(content)));
    }
    // Too long to be one, whatever it holds.
    BOOST_TEST(!is_own(sealed(mine + std::string(8000, '0') + date(kLoginTime) + "-")));
}

BOOST_AUTO_TEST_CASE(tells_where_the_logout_was_to_end) {
    for (const bool then_login : {true, false}) {
        for (const std::string address : {"", "/", "/page?a=b&c=%C3%A9"}) {
            const auto text = oidc::make_logout_state(client, binding, keys.current, kLoginTime, {.return_address = address, .then_login = then_login}).value();
            const auto intent = oidc::open_logout_state(text, client, cookie, keys, kLoginTime);
            BOOST_REQUIRE(intent.has_value());
            BOOST_TEST(intent->return_address == address);
            BOOST_TEST(intent->then_login == then_login);
        }
    }
    const auto longest = "/" + std::string(core::kMaxReturnBytes - 1, 'x');
    BOOST_TEST(oidc::open_logout_state(oidc::make_logout_state(client, binding, keys.current, kLoginTime, {.return_address = longest, .then_login = false}).value(), client, cookie, keys,
                                       kLoginTime)->return_address == longest);
}

BOOST_AUTO_TEST_CASE(keeps_no_address_of_another_site) {
    for (const std::string address : {"//evil.example", "https://evil.example/", "/\\evil.example", "page", "/a\r\nb"}) {
        const auto text = oidc::make_logout_state(client, binding, keys.current, kLoginTime, {.return_address = address, .then_login = false}).value();
        BOOST_TEST(oidc::open_logout_state(text, client, cookie, keys, kLoginTime)->return_address == "", address);
    }
}

BOOST_AUTO_TEST_CASE(sends_the_browser_away_with_the_hint) {
    BOOST_TEST(oidc::end_session_url(login_metadata(), client, "h.e.h", "s+s") ==
               "https://auth.example.gouv.fr/api/v2/session/end?id_token_hint=h.e.h&state=s%2Bs"
               "&post_logout_redirect_uri=https%3A%2F%2Fservice.example.gouv.fr%2Fproconnect%2Flogged-out");
}

BOOST_AUTO_TEST_CASE(names_the_client_where_there_is_no_hint) {
    BOOST_TEST(oidc::end_session_url(login_metadata(), client, "", "s") ==
               "https://auth.example.gouv.fr/api/v2/session/end?client_id=client-1&state=s"
               "&post_logout_redirect_uri=https%3A%2F%2Fservice.example.gouv.fr%2Fproconnect%2Flogged-out");
}

BOOST_AUTO_TEST_CASE(keeps_the_query_of_the_endpoint) {
    auto provider = login_metadata();
    provider.end_session_endpoint = "https://p.example/logout?tenant=a";
    BOOST_TEST(oidc::end_session_url(provider, client, "h", "s").starts_with("https://p.example/logout?tenant=a&id_token_hint=h&state=s&"));
}

BOOST_AUTO_TEST_CASE(sends_nobody_anywhere_when_the_provider_has_no_logout) {
    auto provider = login_metadata();
    provider.end_session_endpoint.clear();
    BOOST_TEST(oidc::end_session_url(provider, client, "h", "s") == "");
}

BOOST_AUTO_TEST_SUITE_END()
