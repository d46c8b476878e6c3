#include "session/login_ticket.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/sealed_box.hpp"

using namespace proconnect;
using session::LoginTicket;
using session::ServerKeys;
using session::TicketContext;

namespace {

constexpr TicketContext kContext{.issuer = "https://auth.example.gouv.fr/api/v2", .client_id = "client-1", .redirect_uri = "https://service.example.gouv.fr/callback"};

const session::ServerKey& key(std::uint8_t number = 1) {
    static std::array<std::optional<session::ServerKey>, 4> keys;
    if (!keys.at(number)) {
        std::array<std::uint8_t, 32> master{};
        master.fill(number);
        keys.at(number) = session::ServerKey::derive(master).value();
    }
    return *keys.at(number);
}

ServerKeys only(std::uint8_t number) {
    return {.current = key(number), .previous = std::nullopt};
}

LoginTicket full_ticket() {
    LoginTicket ticket;
    for (std::size_t i = 0; i < ticket.id.size(); ++i) {
        ticket.id[i] = static_cast<std::uint8_t>(0xf0 + i);
    }
    ticket.issued = core::from_unix_seconds(0x0102030405);
    ticket.browser = std::string(31, '\xfe') + '\0';
    ticket.return_address = "/page?a=b";
    ticket.acr_values = {"eidas2", "", "https://proconnect.gouv.fr/assurance/certification-dirigeant"};
    ticket.silent = true;
    ticket.attempt = 255;
    return ticket;
}

std::string seal(const LoginTicket& ticket) {
    return session::seal_ticket(ticket, kContext, key()).value();
}

/// "opened", or the code of the refusal.
std::string open(std::string_view state, const TicketContext& context = kContext, const ServerKeys& keys = only(1)) {
    const auto opened = session::open_ticket(state, context, keys);
    return opened ? "opened" : core::code_text(opened.error().code);
}

LoginTicket reopened(const LoginTicket& ticket) {
    return session::open_ticket(seal(ticket), kContext, only(1)).value().ticket;
}

void check_equal(const LoginTicket& a, const LoginTicket& b) {
    BOOST_TEST((a.id == b.id));
    BOOST_TEST((a.issued == b.issued));
    BOOST_TEST((a.browser == b.browser));
    BOOST_TEST(a.return_address == b.return_address);
    BOOST_TEST((a.acr_values == b.acr_values));
    BOOST_TEST(a.silent == b.silent);
    BOOST_TEST(a.reauthenticate == b.reauthenticate);
    BOOST_TEST(static_cast<int>(a.attempt) == static_cast<int>(b.attempt));
}

std::string associated(const TicketContext& context) {
    std::string data = "login ticket 1";
    for (const auto part : {context.issuer, context.client_id, context.redirect_uri}) {
        data += "\n" + std::to_string(part.size()) + ":" + std::string{part};
    }
    return data;
}

/// A state of this server with content it never writes.
std::string sealed(std::string_view content) {
    return core::base64url_encode(crypto::seal(key().login_ticket, associated(kContext), content).value());
}

/// What a ticket is inside its box.
std::string content_of(const LoginTicket& ticket) {
    return crypto::open_sealed(key().login_ticket, associated(kContext), core::base64url_decode(seal(ticket)).value()).value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(login_ticket)

BOOST_AUTO_TEST_CASE(opens_what_it_sealed) {
    check_equal(reopened(full_ticket()), full_ticket());
    auto ticket = full_ticket();
    ticket.silent = false;
    ticket.reauthenticate = true;
    ticket.acr_values.clear();
    ticket.return_address.clear();
    check_equal(reopened(ticket), ticket);
    ticket.reauthenticate = false;
    ticket.issued = core::from_unix_seconds(-1);
    check_equal(reopened(ticket), ticket);
    BOOST_TEST(session::open_ticket(seal(ticket), kContext, only(1))->key != nullptr);
}

BOOST_AUTO_TEST_CASE(seals_the_same_ticket_differently_each_time) {
    std::set<std::string> states;
    for (int i = 0; i < 20; ++i) {
        states.insert(seal(full_ticket()));
    }
    BOOST_TEST(states.size() == 20U);
}

BOOST_AUTO_TEST_CASE(shows_nothing_of_its_content) {
    const auto bytes = core::base64url_decode(seal(full_ticket())).value();
    for (const std::string_view part : {"/page", "eidas2", "\xfe\xfe\xfe\xfe", "\xf0\xf1\xf2\xf3"}) {
        BOOST_TEST((bytes.find(part) == std::string::npos));
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_change_of_any_one_character) {
    const auto state = seal(full_ticket());
    for (std::size_t i = 0; i < state.size(); ++i) {
        for (const char replacement : {'A', 'B', '_', '=', '\0', ' '}) {
            if (state[i] != replacement) {
                auto changed = state;
                changed[i] = replacement;
                BOOST_TEST(open(changed) == "PC1002", i);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_change_of_any_one_bit) {
    const auto bytes = core::base64url_decode(seal(full_ticket())).value();
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        auto changed = bytes;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        BOOST_TEST(open(core::base64url_encode(changed)) == "PC1002", bit);
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_truncation_and_extension) {
    const auto state = seal(full_ticket());
    for (std::size_t size = 0; size < state.size(); ++size) {
        BOOST_TEST(open(state.substr(0, size)) == "PC1002", size);
        BOOST_TEST(open(state.substr(size + 1)) == "PC1002", size);
    }
    for (const std::string_view more : {"A", "AA", "AAA", "AAAA", "=", "==", " ", "\n", "."}) {
        BOOST_TEST(open(state + std::string{more}) == "PC1002", more);
        BOOST_TEST(open(std::string{more} + state) == "PC1002", more);
    }
    for (const std::size_t size : {8000U, 8001U, 1U << 20}) {
        BOOST_TEST(open(std::string(size, 'A')) == "PC1002");
    }
}

BOOST_AUTO_TEST_CASE(opens_for_the_client_it_was_made_for_only) {
    const auto state = seal(full_ticket());
    BOOST_TEST(open(state) == "opened");
    auto context = kContext;
    context.issuer = "https://auth.example.gouv.fr/api/v2/";
    BOOST_TEST(open(state, context) == "PC1002");
    context = kContext;
    context.client_id = "client-2";
    BOOST_TEST(open(state, context) == "PC1002");
    context = kContext;
    context.redirect_uri = "https://other.example.gouv.fr/callback";
    BOOST_TEST(open(state, context) == "PC1002");
    BOOST_TEST(open(state, {}) == "PC1002");
}

BOOST_AUTO_TEST_CASE(does_not_confuse_the_parts_of_its_context) {
    const TicketContext contexts[] = {{"ab", "c", "d"}, {"a", "bc", "d"}, {"ab", "", "cd"}, {"", "ab", "cd"}, {"abcd", "", ""}, {"a\n1:b", "c", "d"}, {"a", "1:b\n1:c", "d"}, {"a\n", "b", "c"},
                                      {"a", "\nb", "c"}, {"c", "ab", "d"}, {"d", "c", "ab"}};
    for (const auto& made_for : contexts) {
        const auto state = session::seal_ticket(full_ticket(), made_for, key()).value();
        for (const auto& opened_for : contexts) {
            BOOST_TEST(open(state, opened_for) == (&made_for == &opened_for ? "opened" : "PC1002"));
        }
    }
}

BOOST_AUTO_TEST_CASE(opens_under_the_current_or_the_previous_key_and_tells_which) {
    const auto state = seal(full_ticket());
    BOOST_TEST(open(state, kContext, only(2)) == "PC1002");
    BOOST_TEST(open(state, kContext, {.current = key(2), .previous = key(3)}) == "PC1002");
    const ServerKeys changed{.current = key(2), .previous = key(1)};
    const auto old = session::open_ticket(state, kContext, changed);
    BOOST_REQUIRE(old.has_value());
    BOOST_TEST((old->key == &*changed.previous));
    check_equal(old->ticket, full_ticket());
    const auto fresh = session::open_ticket(session::seal_ticket(full_ticket(), kContext, key(2)).value(), kContext, changed);
    BOOST_TEST((fresh->key == &changed.current));
}

BOOST_AUTO_TEST_CASE(seals_nothing_it_would_not_open) {
    const auto refused = [](const LoginTicket& ticket) {
        const auto state = session::seal_ticket(ticket, kContext, key());
        return state ? "sealed" : core::code_text(state.error().code);
    };
    auto ticket = full_ticket();
    ticket.browser = std::string(31, 'b');
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.browser = std::string(33, 'b');
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.browser = std::string(32, 'b');
    BOOST_TEST(refused(ticket) == "sealed");
    ticket.acr_values.assign(17, "a");
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.acr_values.assign(16, "a");
    BOOST_TEST(refused(ticket) == "sealed");
    ticket.acr_values = {std::string(256, 'a')};
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.acr_values = {std::string(65'536, 'a')};
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.acr_values = {std::string(255, 'a')};
    check_equal(reopened(ticket), ticket);
    ticket.return_address = "/" + std::string(core::kMaxReturnBytes, 'r');
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.return_address.pop_back();
    check_equal(reopened(ticket), ticket);
    BOOST_TEST(seal(ticket).size() < 8000U);
    // Each within its limit, but more together than a request line holds.
    ticket.acr_values.assign(16, std::string(255, 'a'));
    BOOST_TEST(refused(ticket) == "PC9001");
    ticket.return_address = "/";
    check_equal(reopened(ticket), ticket);
}

BOOST_AUTO_TEST_CASE(refuses_content_of_another_version_or_form) {
    const auto good = content_of(full_ticket());
    BOOST_TEST(open(sealed(good)) == "opened");
    for (int version = 0; version < 256; ++version) {
        auto content = good;
        content[0] = static_cast<char>(version);
        BOOST_TEST(open(sealed(content)) == (version == 1 ? "opened" : "PC1002"), version);
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
        BOOST_TEST(open(sealed(good.substr(0, size))) == "PC1002", size);
    }
    BOOST_TEST(open(sealed(good + '\0')) == "PC1002");
    BOOST_TEST(open(sealed(good + good)) == "PC1002");
}

// Version, id, issued, flags, attempt and browser are 1 + 16 + 8 + 1 + 1 + 32 bytes; then come lengths.
BOOST_AUTO_TEST_CASE(bounds_what_it_reads) {
    const auto head = content_of(full_ticket()).substr(0, 59);
    const auto length = [](std::size_t size) { return std::string{static_cast<char>(size >> 8), static_cast<char>(size & 0xff)}; };
    const auto with = [&](std::size_t address, std::size_t count, std::size_t acr) {
        std::string content = head + length(address) + std::string(address, '/') + length(count);
        for (std::size_t i = 0; i < count; ++i) {
            content += length(acr) + std::string(acr, 'a');
        }
        return open(sealed(content));
    };
    BOOST_TEST(with(0, 0, 0) == "opened");
    BOOST_TEST(with(core::kMaxReturnBytes, 0, 0) == "opened");
    BOOST_TEST(with(core::kMaxReturnBytes + 1, 0, 0) == "PC1002");
    BOOST_TEST(with(1, 16, 255) == "opened");
    BOOST_TEST(with(1, 1, 256) == "PC1002");
    BOOST_TEST(with(1, 17, 1) == "PC1002");
    BOOST_TEST(open(sealed(head + length(0) + length(0xffff))) == "PC1002");
    BOOST_TEST(open(sealed(head + length(0xffff))) == "PC1002");
}

BOOST_AUTO_TEST_CASE(says_nothing_of_the_state_in_the_detail) {
    const auto state = seal(full_ticket());
    BOOST_TEST((session::open_ticket(state, {}, only(1)).error().detail.find(state.substr(0, 8)) == std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
