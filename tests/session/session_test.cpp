#include "session/session.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "core/base64url.hpp"
#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using session::Part;
using session::SessionHandle;
using session::Touch;
using test::head_at;
using test::kNow;
using test::realm_of;
using test::Table;

namespace {

SessionHandle copy_of(const SessionHandle& handle) {
    SessionHandle copy;
    copy.bytes = handle.bytes;
    return copy;
}

std::vector<session::Attribute> some_attributes() {
    return {{.claim = "sub", .value = "alice"}, {.claim = "email", .value = "alice@example.org"}};
}

session::SessionTokens some_tokens(std::string refresh = "refresh-1") {
    session::SessionTokens tokens;
    tokens.id_token = core::Secret{"Zg.Zm8.Zm9v"};
    tokens.refresh_token = core::Secret{std::move(refresh)};
    return tokens;
}

/// The plaintext of a part, or nothing.
std::optional<std::string> open(session::SessionStore& store, const SessionHandle& handle, Part part = Part::attributes, char realm = 'r',
                                core::UnixTime now = kNow) {
    test::VectorBuffer buffer;
    const auto opened = session::open_session(store, handle, realm_of(realm), part, buffer, now, Touch::yes);
    if (!opened.value()) {
        return std::nullopt;
    }
    return std::string{(*opened)->plaintext.begin(), (*opened)->plaintext.end()};
}

/// Gives back the record it holds, whatever is asked for, with a head that somebody has changed.
class ForgingStore final : public session::SessionStore {
public:
    session::RecordHead head;
    std::vector<std::uint8_t> content;

    std::expected<std::optional<session::RecordHead>, core::Error> find(const session::LookupId&, const session::RealmTag&, Part, session::RecordBuffer& out,
                                                                        core::UnixTime, Touch) override {
        std::ranges::copy(content, out.reserve(content.size()).begin());
        return head;
    }
    std::expected<std::optional<session::RecordHead>, core::Error> find_head(const session::LookupId&, const session::RealmTag&, core::UnixTime, Touch) override {
        return head;
    }
    std::expected<void, core::Error> create(const session::LookupId&, const session::RecordHead&, std::span<const std::uint8_t>, std::span<const std::uint8_t>,
                                            core::UnixTime) override {
        return std::unexpected(core::Error{core::ErrorCode::session_store_unavailable, "down"});
    }
    std::expected<bool, core::Error> replace(const session::LookupId&, const session::RecordHead&, std::span<const std::uint8_t>,
                                             std::span<const std::uint8_t>, core::UnixTime) override {
        return std::unexpected(core::Error{core::ErrorCode::session_store_unavailable, "down"});
    }
    std::expected<bool, core::Error> remove(const session::LookupId&, const session::RealmTag&) override { return false; }
    std::expected<std::uint64_t, core::Error> remove_subject(const session::RealmTag&, const session::SubjectTag&) override { return 0; }
    std::expected<std::uint64_t, core::Error> sweep(core::UnixTime) override { return 0; }
    std::expected<session::StoreStatistics, core::Error> statistics() override { return session::StoreStatistics{}; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(session_handle)

BOOST_AUTO_TEST_CASE(the_cookie_gives_the_handle_back) {
    const auto handle = SessionHandle::make_random().value();
    const std::string cookie = handle.cookie_value();
    BOOST_TEST(cookie.size() == SessionHandle::kCookieChars);
    BOOST_TEST(SessionHandle::parse(cookie).value().bytes == handle.bytes, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_two_are_alike) {
    std::set<std::string> cookies;
    for (int i = 0; i < 1000; ++i) {
        cookies.insert(SessionHandle::make_random().value().cookie_value());
    }
    BOOST_TEST(cookies.size() == 1000U);
}

BOOST_AUTO_TEST_CASE(any_other_text_is_no_handle) {
    const std::string cookie = SessionHandle::make_random().value().cookie_value();
    for (std::size_t size = 0; size < cookie.size(); ++size) {
        BOOST_TEST(!SessionHandle::parse(std::string_view{cookie}.substr(0, size)));
    }
    for (const std::string& text : {cookie + "A", cookie + "=", cookie + cookie, std::string(100'000, 'A'), std::string(86, '\0'), std::string(86, '=')}) {
        BOOST_TEST(!SessionHandle::parse(text));
    }
    for (std::size_t at = 0; at < cookie.size(); ++at) {
        for (const char c : {'\0', '\n', ' ', '+', '/', '=', ';', '"', '\x7f', '\xe9'}) {
            std::string changed = cookie;
            changed[at] = c;
            BOOST_TEST(!SessionHandle::parse(changed));
        }
    }
}

BOOST_AUTO_TEST_CASE(one_handle_has_one_spelling) {
    SessionHandle handle;
    std::string cookie = handle.cookie_value();
    BOOST_TEST(cookie == std::string(86, 'A'));
    cookie.back() = 'B';  // an unused bit
    BOOST_TEST(!SessionHandle::parse(cookie));
}

BOOST_AUTO_TEST_CASE(a_moved_handle_leaves_nothing_behind) {
    auto handle = SessionHandle::make_random().value();
    const SessionHandle moved = std::move(handle);
    BOOST_TEST(handle.bytes == SessionHandle{}.bytes, boost::test_tools::per_element());  // NOLINT(bugprone-use-after-move): that is the point
    SessionHandle assigned;
    auto other = copy_of(moved);
    assigned = std::move(other);
    BOOST_TEST(assigned.bytes == moved.bytes, boost::test_tools::per_element());
    BOOST_TEST(other.bytes == SessionHandle{}.bytes, boost::test_tools::per_element());  // NOLINT(bugprone-use-after-move)
}

BOOST_AUTO_TEST_CASE(the_lookup_id_depends_on_the_first_half_only) {
    auto handle = SessionHandle::make_random().value();
    const auto id = handle.lookup_id().value();
    handle.bytes[SessionHandle::kIdBytes] ^= 1;
    BOOST_TEST(handle.lookup_id().value() == id, boost::test_tools::per_element());
    handle.bytes[SessionHandle::kIdBytes - 1] ^= 1;
    BOOST_TEST((handle.lookup_id().value() != id));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sealed_session)

BOOST_AUTO_TEST_CASE(opens_with_what_was_put_in) {
    Table table{10};
    const auto handle = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    BOOST_TEST(open(table.store, handle).value() == session::encode_attributes(some_attributes()));
    const auto tokens = session::decode_tokens(test::bytes_of(open(table.store, handle, Part::tokens).value())).value();
    BOOST_TEST(tokens.id_token.reveal() == "Zg.Zm8.Zm9v");
    BOOST_TEST(tokens.refresh_token.reveal() == "refresh-1");
}

BOOST_AUTO_TEST_CASE(shows_nothing_of_its_content_or_key_in_the_memory) {
    Table table{10};
    const auto handle = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    for (const std::string_view secret : {"alice", "example", "PROCONNECT", "refresh-1"}) {
        BOOST_TEST(!table.memory.contains(secret), secret);
    }
    BOOST_TEST(!table.memory.contains({reinterpret_cast<const char*>(handle.bytes.data()), 8}));
    BOOST_TEST(!table.memory.contains({reinterpret_cast<const char*>(handle.key().data()), 8}));
}

BOOST_AUTO_TEST_CASE(each_login_has_a_new_handle) {
    Table table{10};
    const auto first = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    const auto second = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    BOOST_TEST((first.bytes != second.bytes));
    BOOST_TEST(table.store.statistics()->live == 2U);
}

BOOST_AUTO_TEST_CASE(does_not_open_with_another_key) {
    Table table{10};
    auto handle = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    for (std::size_t at = SessionHandle::kIdBytes; at < handle.bytes.size(); ++at) {
        auto changed = copy_of(handle);
        changed.bytes[at] ^= 0x10;
        BOOST_TEST(!open(table.store, changed));
    }
    BOOST_TEST(open(table.store, handle).has_value());
}

BOOST_AUTO_TEST_CASE(is_unknown_under_another_id_or_realm) {
    Table table{10};
    const auto handle = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    auto changed = copy_of(handle);
    changed.bytes[0] ^= 1;
    BOOST_TEST(!open(table.store, changed));
    BOOST_TEST(!open(table.store, handle, Part::attributes, 'q'));
    BOOST_TEST(open(table.store, handle).has_value());
}

BOOST_AUTO_TEST_CASE(does_not_open_once_anything_outside_the_seal_is_changed) {
    const auto handle = SessionHandle::make_random().value();
    ForgingStore store;
    auto head = head_at();
    const auto parts = session::seal_parts(handle, head, "block", some_tokens()).value();
    store.content = parts.attributes;
    store.head = head;
    BOOST_TEST(open(store, handle).value() == "block");
    store.head.last_used += 1h;
    BOOST_TEST(open(store, handle).has_value(), "last_used is moved by use and not bound");
    const auto refused = [&](auto change) {
        store.head = head;
        change(store.head);
        return !open(store, handle).has_value();
    };
    BOOST_TEST(refused([](auto& changed) { changed.realm[15] ^= 1; }));
    BOOST_TEST(refused([](auto& changed) { changed.subject[0] ^= 1; }));
    BOOST_TEST(refused([](auto& changed) { changed.created -= 1s; }));
    BOOST_TEST(refused([](auto& changed) { changed.expires += 1s; }));
    BOOST_TEST(refused([](auto& changed) { changed.idle += 1s; }));
    BOOST_TEST(refused([](auto& changed) { changed.serial += 1; }));
    store.head = head;
    BOOST_TEST(!open(store, handle, Part::tokens), "one part in the place of the other");
    store.content.clear();
    BOOST_TEST(!open(store, handle));
    store.content.resize(15);
    BOOST_TEST(!open(store, handle));
}

BOOST_AUTO_TEST_CASE(is_written_again_under_a_new_serial) {
    Table table{10};
    const auto handle = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    test::VectorBuffer buffer;
    const auto opened = session::open_session(table.store, handle, realm_of('r'), Part::attributes, buffer, kNow, Touch::no).value().value();
    BOOST_TEST(opened.head.serial == 1U);
    const std::string block{opened.plaintext.begin(), opened.plaintext.end()};
    BOOST_TEST(session::replace_session(table.store, handle, opened.head, block, some_tokens("refresh-2"), kNow + 1min).value());
    BOOST_TEST(!session::replace_session(table.store, handle, opened.head, block, some_tokens("refresh-3"), kNow + 1min).value(),
               "somebody else wrote it since");
    const auto tokens = session::decode_tokens(test::bytes_of(open(table.store, handle, Part::tokens).value())).value();
    BOOST_TEST(tokens.refresh_token.reveal() == "refresh-2");
    BOOST_TEST(open(table.store, handle).value() == session::encode_attributes(some_attributes()));
}

// A crash takes the store back to its last snapshot; whoever has a copy of what was written since must not see two texts under one nonce.
BOOST_AUTO_TEST_CASE(taken_back_to_an_earlier_writing_is_never_written_under_the_same_nonce_again) {
    Table table{10};
    const auto handle = session::create_session(table.store, head_at(), some_attributes(), some_tokens(), kNow).value();
    const auto realm = realm_of('r');
    std::vector<session::StoredRecord> snapshot;
    session::RecordCursor cursor;
    while (snapshot.empty()) {
        BOOST_REQUIRE(table.store.next_records(cursor, snapshot, true).value());
    }
    std::set<std::uint64_t> serials;
    for (int i = 0; i < 200; ++i) {
        test::VectorBuffer buffer;
        const auto opened = session::open_session(table.store, handle, realm, Part::attributes, buffer, kNow, Touch::no).value().value();
        const std::string block{opened.plaintext.begin(), opened.plaintext.end()};
        BOOST_REQUIRE(session::replace_session(table.store, handle, opened.head, block, some_tokens(), kNow).value());
        serials.insert(table.store.find_head(handle.lookup_id().value(), realm, kNow, Touch::no).value().value().serial);
        BOOST_REQUIRE(open(table.store, handle, Part::tokens).has_value());
        BOOST_REQUIRE(table.store.remove(handle.lookup_id().value(), realm).value());
        BOOST_REQUIRE(table.store.import_record(snapshot.front(), kNow).value());
    }
    BOOST_TEST(serials.size() == 200U);
}

BOOST_AUTO_TEST_CASE(that_is_too_large_is_refused) {
    Table table{10};
    const std::vector<session::Attribute> large{{.claim = "x", .value = std::string(session::SessionStore::kMaxPartBytes, 'x')}};
    BOOST_TEST((session::create_session(table.store, head_at(), large, some_tokens(), kNow).error().code == core::ErrorCode::session_too_large));
    BOOST_TEST((session::create_session(table.store, head_at(), some_attributes(), some_tokens(std::string(70'000, '!')), kNow).error().code ==
                core::ErrorCode::session_too_large));
    BOOST_TEST(table.store.statistics()->live == 0U);
}

BOOST_AUTO_TEST_CASE(of_the_largest_size_is_kept) {
    Table table{1};
    const std::size_t most = session::SessionStore::kMaxPartBytes - 16;
    const std::vector<session::Attribute> attributes{{.claim = "x", .value = std::string(most - 8 - 8 - 12 - 1 - 1, 'x')}};
    BOOST_TEST(session::encode_attributes(attributes).size() == most);
    const auto handle = session::create_session(table.store, head_at(), attributes, some_tokens(std::string(most - 32, '!')), kNow).value();
    BOOST_TEST(open(table.store, handle).value() == session::encode_attributes(attributes));
    BOOST_TEST(open(table.store, handle, Part::tokens).value().size() == most);
}

BOOST_AUTO_TEST_CASE(cannot_be_made_when_the_store_does_not_work) {
    ForgingStore store;
    BOOST_TEST((session::create_session(store, head_at(), some_attributes(), some_tokens(), kNow).error().code ==
                core::ErrorCode::session_store_unavailable));
    const auto handle = SessionHandle::make_random().value();
    BOOST_TEST((session::replace_session(store, handle, head_at(), "b", some_tokens(), kNow).error().code == core::ErrorCode::session_store_unavailable));
}

BOOST_AUTO_TEST_SUITE_END()
