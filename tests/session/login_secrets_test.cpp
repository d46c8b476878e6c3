// The cookie a browser holds for its logins, and what is derived from it; login_ticket.hpp.
#include <boost/test/unit_test.hpp>

#include <set>
#include <vector>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "session/login_ticket.hpp"

using namespace proconnect;
using session::BrowserBinding;
using session::LoginTicket;

namespace {

session::ServerKey server_key(std::uint8_t seed) {
    std::array<std::uint8_t, 32> master{};
    master.fill(seed);
    return session::ServerKey::derive(master).value();
}

BrowserBinding binding(char fill = 'b') {
    return {core::Secret{std::string(32, fill)}};
}

LoginTicket ticket(std::uint8_t fill = 1) {
    LoginTicket made;
    made.id.fill(fill);
    return made;
}

std::pair<std::string, std::string> secrets(const LoginTicket& of, const BrowserBinding& browser, const session::ServerKey& key) {
    const auto derived = session::derive_login_secrets(of, browser, key).value();
    return {std::string{derived.nonce.reveal()}, std::string{derived.code_verifier.reveal()}};
}

bool is_base64url(std::string_view text) {
    return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(browser_binding)

BOOST_AUTO_TEST_CASE(is_random_and_comes_back_from_its_cookie) {
    std::set<std::string> seen;
    for (int i = 0; i < 50; ++i) {
        const auto made = BrowserBinding::make_random().value();
        BOOST_TEST(made.bytes.size() == 32U);
        const auto cookie = made.cookie_value();
        BOOST_TEST(cookie.size() == BrowserBinding::kCookieChars);
        BOOST_TEST(is_base64url(cookie));
        BOOST_TEST((BrowserBinding::parse(cookie)->bytes.reveal() == made.bytes.reveal()));
        seen.insert(cookie);
    }
    BOOST_TEST(seen.size() == 50U);
}

BOOST_AUTO_TEST_CASE(refuses_every_other_cookie) {
    const auto good = binding().cookie_value();
    BOOST_TEST(BrowserBinding::parse(good).has_value());
    for (const auto& cookie : std::vector<std::string>{"", good.substr(1), good + "A", good + "=", " " + good, good.substr(0, 42), good.substr(0, 42) + "=", good.substr(0, 42) + "\n", good.substr(0, 42) + '\0',
                               "\"" + good + "\"", std::string(43, '!'), std::string(43, '+'), std::string(43, '/'), std::string(44, 'A'), std::string(1 << 20, 'A')}) {
        BOOST_TEST(!BrowserBinding::parse(cookie).has_value());
    }
    // The last character has two bits to spare: only one spelling is taken.
    for (const char last : std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}) {
        const auto spelling = good.substr(0, 42) + last;
        const auto parsed = BrowserBinding::parse(spelling);
        BOOST_TEST((!parsed || parsed->cookie_value() == spelling), last);
    }
}

BOOST_AUTO_TEST_CASE(has_a_fingerprint_that_does_not_show_it) {
    const auto fingerprint = binding().fingerprint().value();
    const auto digest = crypto::sha256(std::string(32, 'b')).value();
    BOOST_TEST((fingerprint == std::string{reinterpret_cast<const char*>(digest.data()), digest.size()}));
    BOOST_TEST((binding('c').fingerprint().value() != fingerprint));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(login_secrets)

BOOST_AUTO_TEST_CASE(are_the_same_for_the_same_login) {
    BOOST_TEST((secrets(ticket(), binding(), server_key(1)) == secrets(ticket(), binding(), server_key(1))));
    // Only the id of a ticket counts: the rest of it travels in the open hands of the browser, too.
    auto other = ticket();
    other.return_address = "/other";
    other.attempt = 2;
    BOOST_TEST((secrets(other, binding(), server_key(1)) == secrets(ticket(), binding(), server_key(1))));
}

BOOST_AUTO_TEST_CASE(differ_for_each_ticket_browser_and_key) {
    std::set<std::string> seen;
    for (const std::uint8_t id : std::vector<std::uint8_t>{1, 2, 255}) {
        for (const char browser : {'a', 'b', '\0'}) {
            for (const std::uint8_t key : std::vector<std::uint8_t>{1, 2}) {
                const auto [nonce, verifier] = secrets(ticket(id), binding(browser), server_key(key));
                seen.insert({nonce, verifier});
            }
        }
    }
    BOOST_TEST(seen.size() == 36U);
}

// RFC 7636 section 4.1: 43 to 128 unreserved characters. ProConnect wants a nonce of 32 to 512.
BOOST_AUTO_TEST_CASE(have_the_form_that_is_asked_for) {
    const auto [nonce, verifier] = secrets(ticket(), binding(), server_key(1));
    BOOST_TEST(nonce.size() == 43U);
    BOOST_TEST(verifier.size() == 43U);
    BOOST_TEST(is_base64url(nonce));
    BOOST_TEST(is_base64url(verifier));
}

// A login begun by one version of the module or one server of a cluster is finished by another.
BOOST_AUTO_TEST_CASE(are_derived_as_documented) {
    const auto key = server_key(1);
    const auto message = std::string(32, 'b') + std::string(16, '\x01');
    const auto [nonce, verifier] = secrets(ticket(), binding(), key);
    BOOST_TEST(nonce == core::base64url_encode(crypto::hmac_sha256(key.nonce, message).value()));
    BOOST_TEST(verifier == core::base64url_encode(crypto::hmac_sha256(key.code_verifier, message).value()));
}

BOOST_AUTO_TEST_CASE(name_a_session_the_same_at_each_callback_of_a_login) {
    const auto name = session::derive_session_name(ticket(), server_key(1)).value();
    BOOST_TEST(name.size() == 22U);
    BOOST_TEST(is_base64url(name));
    auto other = ticket();
    other.return_address = "/other";
    BOOST_TEST(session::derive_session_name(other, server_key(1)).value() == name);
    BOOST_TEST(session::derive_session_name(ticket(2), server_key(1)).value() != name);
    BOOST_TEST(session::derive_session_name(ticket(), server_key(2)).value() != name);
    // No prefix of what must stay secret.
    const auto [nonce, verifier] = secrets(ticket(), binding(), server_key(1));
    BOOST_TEST(!nonce.starts_with(name));
    BOOST_TEST(!verifier.starts_with(name));
}

BOOST_AUTO_TEST_SUITE_END()
