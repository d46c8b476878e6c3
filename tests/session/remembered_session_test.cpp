#include "session/remembered_session.hpp"

#include <boost/test/unit_test.hpp>

#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using session::Part;
using session::RememberedSession;
using session::SessionHandle;
using session::Touch;
using test::head_at;
using test::kNow;
using test::realm_of;
using test::Table;

namespace {

const std::vector<session::Attribute> kAttributes{{.claim = "sub", .value = "alice"}, {.claim = "email", .value = "alice@example.org"}};

/// A session in a table, and what a connection remembers of it.
struct Scene {
    Table table{100};
    SessionHandle handle;
    session::OpenedPart opened;
    test::VectorBuffer buffer;
    std::shared_ptr<RememberedSession> remembered;

    explicit Scene(session::RecordHead head = head_at(kNow)) : handle(create(table, head)) {
        opened = session::open_session(table.store, handle, head.realm, Part::attributes, buffer, kNow, Touch::no).value().value();
        remembered = RememberedSession::make(handle, opened);
        BOOST_REQUIRE(remembered);
    }
    static SessionHandle create(Table& table, const session::RecordHead& head) {
        return session::create_session(table.store, head, kAttributes, {}, kNow).value();
    }
    /// Whether it still holds.
    bool holds(core::UnixTime now = kNow, Touch touch = Touch::no) { return remembered->look(table.store, now, touch).value().has_value(); }
};

std::string changed(std::string cookie, std::size_t at) {
    cookie[at] = cookie[at] == 'A' ? 'B' : 'A';
    return cookie;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(remembered_session)

BOOST_AUTO_TEST_CASE(it_says_what_the_record_said_after_the_buffer_is_gone) {
    Scene scene;
    scene.buffer.content.assign(scene.buffer.content.size(), 0);
    BOOST_TEST(scene.remembered->attributes().find("PROCONNECT_EMAIL").value().value_view == "alice@example.org");
    BOOST_TEST(std::string_view{scene.remembered->claims_json()} == R"({"sub":"alice","email":"alice@example.org"})");
}

BOOST_AUTO_TEST_CASE(it_is_of_this_very_cookie_and_realm_alone) {
    Scene scene;
    const auto realm = scene.opened.head.realm;
    const auto cookie = scene.handle.cookie_value();
    BOOST_TEST(scene.remembered->is_of(cookie, realm));
    for (std::size_t at = 0; at < cookie.size(); ++at) {
        BOOST_TEST(!scene.remembered->is_of(changed(cookie, at), realm));
        BOOST_TEST(!scene.remembered->is_of(cookie.substr(0, at), realm));
    }
    for (const auto& text : {cookie + "A", cookie + "=", cookie + cookie}) {
        BOOST_TEST(!scene.remembered->is_of(text, realm));
    }
    auto other = realm;
    other.back() ^= 1;
    BOOST_TEST(!scene.remembered->is_of(cookie, other));
}

BOOST_AUTO_TEST_CASE(it_holds_until_the_session_is_removed) {
    Scene scene;
    BOOST_TEST(scene.holds());
    BOOST_TEST(scene.table.store.remove(scene.handle.lookup_id().value(), scene.opened.head.realm).value());
    BOOST_TEST(!scene.holds());
}

BOOST_AUTO_TEST_CASE(it_does_not_hold_once_the_record_was_written_again) {
    Scene scene;
    BOOST_TEST(session::replace_session(scene.table.store, scene.handle, scene.opened.head, session::encode_attributes(kAttributes), {}, kNow).value());
    BOOST_TEST(!scene.holds());
}

BOOST_AUTO_TEST_CASE(both_time_outs_end_it_and_use_puts_the_idle_one_off) {
    auto head = head_at(kNow);
    head.idle = 60s;
    head.expires = kNow + 200s;
    Scene scene{head};
    BOOST_TEST(scene.holds(kNow + 50s, Touch::yes));
    BOOST_TEST(scene.holds(kNow + 100s, Touch::no));
    BOOST_TEST(scene.holds(kNow + 105s, Touch::yes));
    BOOST_TEST(scene.holds(kNow + 160s, Touch::yes));
    BOOST_TEST(!scene.holds(kNow + 200s, Touch::yes), "the absolute one is never put off");

    Scene idle{head};
    BOOST_TEST(!idle.holds(kNow + 60s, Touch::yes));
}

BOOST_AUTO_TEST_CASE(it_gives_the_time_of_last_use_that_the_store_has_now) {
    Scene scene;
    BOOST_TEST(scene.holds(kNow + 10s, Touch::yes));
    const auto head = scene.remembered->look(scene.table.store, kNow + 20s, Touch::no).value().value();
    BOOST_TEST((head.last_used == kNow + 10s));
}

BOOST_AUTO_TEST_CASE(a_test_has_passed_when_it_was_noted_and_no_other_has) {
    Scene scene;
    BOOST_TEST(!scene.remembered->has_passed(0));
    BOOST_TEST(!scene.remembered->has_passed(1));
    scene.remembered->note_passed(1);
    BOOST_TEST(scene.remembered->has_passed(1));
    BOOST_TEST(!scene.remembered->has_passed(0));
    BOOST_TEST(!scene.remembered->has_passed(2));
    for (std::uint64_t test = 2; test < 50; ++test) {
        scene.remembered->note_passed(test);
        BOOST_TEST(scene.remembered->has_passed(test));
    }
    BOOST_TEST(!scene.remembered->has_passed(1), "an old one is asked again");
}

BOOST_AUTO_TEST_CASE(what_is_no_attribute_block_is_not_remembered) {
    Scene scene;
    std::vector<std::uint8_t> nonsense(40, 7);
    BOOST_TEST(!RememberedSession::make(scene.handle, {.head = scene.opened.head, .plaintext = nonsense}));
    BOOST_TEST(!RememberedSession::make(scene.handle, {.head = scene.opened.head, .plaintext = {}}));
}

BOOST_AUTO_TEST_SUITE_END()
