#include "session/kept_forms.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

using namespace proconnect;
using namespace proconnect::session;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kArena = 4096;
const core::UnixTime kNow = core::from_unix_seconds(1'800'000'000);

struct FormsFixture {
    std::vector<std::uint64_t> memory = std::vector<std::uint64_t>(KeptForms::bytes_needed(kArena) / 8 + 1);
    KeptForms forms = *KeptForms::create(std::as_writable_bytes(std::span{memory}), kArena);
    BrowserBinding binding = BrowserBinding::make_random().value();

    static FormId id(std::uint8_t n) {
        FormId made{};
        made.fill(n);
        return made;
    }
    static BrowserTag browser(std::uint8_t n) {
        BrowserTag made{};
        made.fill(n);
        return made;
    }
    static KeptForm form() {
        return {.site = "https://agents.example.gouv.fr:8443", .address = "/private/save?a=b", .content_type = "multipart/form-data; boundary=x", .subject = "AAAAAAAAAAAAAAAAAAAAAA", .body = core::Secret{std::string{"a\0\r\n\xff", 5}}};
    }
    std::optional<std::string> find(std::uint8_t n, std::uint8_t who = 1, core::UnixTime now = kNow) { return forms.find(id(n), browser(who), now, KeptForms::Take::no); }
    std::optional<std::string> take(std::uint8_t n, std::uint8_t who = 1, core::UnixTime now = kNow) { return forms.find(id(n), browser(who), now, KeptForms::Take::yes); }
    std::string_view arena() const { return {reinterpret_cast<const char*>(memory.data()) + KeptForms::bytes_needed(kArena) - kArena, kArena}; }
    bool keep(std::uint8_t n, std::string_view box, std::uint8_t who = 1, core::UnixTime now = kNow) { return forms.keep(id(n), browser(who), box, now); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(kept_forms, FormsFixture)

BOOST_AUTO_TEST_CASE(a_form_comes_back_byte_for_byte) {
    const auto box = seal_form(form(), binding, id(1)).value();
    BOOST_TEST(box.find("/private") == std::string::npos);
    const auto again = open_form(box, binding, id(1));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->site == form().site);
    BOOST_TEST(again->address == form().address);
    BOOST_TEST(again->content_type == form().content_type);
    BOOST_TEST(again->subject == form().subject);
    BOOST_TEST((again->body.reveal() == form().body.reveal()));
}

BOOST_AUTO_TEST_CASE(another_browser_and_another_id_do_not_open_it) {
    const auto box = seal_form(form(), binding, id(1)).value();
    BOOST_TEST(!open_form(box, BrowserBinding::make_random().value(), id(1)).has_value());
    BOOST_TEST(!open_form(box, binding, id(2)).has_value());
    for (std::size_t i = 0; i < box.size(); ++i) {
        auto changed = box;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        BOOST_TEST(!open_form(changed, binding, id(1)).has_value(), i);
    }
    BOOST_TEST(!open_form("", binding, id(1)).has_value());
}

BOOST_AUTO_TEST_CASE(the_token_is_of_one_browser_and_one_form) {
    const auto token = form_token(binding, id(1)).value();
    BOOST_TEST(token.size() == 22U);
    BOOST_TEST(token == form_token(binding, id(1)).value());
    BOOST_TEST(token != form_token(binding, id(2)).value());
    BOOST_TEST(token != form_token(BrowserBinding::make_random().value(), id(1)).value());
}

BOOST_AUTO_TEST_CASE(is_found_by_its_browser_only_and_taken_once) {
    BOOST_REQUIRE(keep(1, "box"));
    BOOST_TEST(!find(1, 2));
    BOOST_TEST(!find(2));
    BOOST_TEST(find(1).value() == "box");
    BOOST_TEST(!take(1, 2));
    BOOST_TEST(take(1).value() == "box");
    BOOST_TEST(!take(1));
    BOOST_TEST(!find(1));
}

BOOST_AUTO_TEST_CASE(is_kept_for_half_an_hour_whatever_the_clock_does) {
    BOOST_REQUIRE(keep(1, "box"));
    BOOST_TEST(find(1, 1, kNow + 30min).has_value());
    BOOST_TEST(!find(1, 1, kNow + 30min + 1s));
    BOOST_REQUIRE(keep(2, "box"));
    BOOST_TEST(!find(2, 1, kNow - 31min));
}

BOOST_AUTO_TEST_CASE(a_browser_keeps_four_and_pushes_out_its_own_oldest) {
    BOOST_REQUIRE(keep(99, "other", 2));
    for (std::uint8_t n = 1; n <= 6; ++n) {
        BOOST_REQUIRE(keep(n, "box"));
    }
    BOOST_TEST(!find(1));
    BOOST_TEST(!find(2));
    for (std::uint8_t n = 3; n <= 6; ++n) {
        BOOST_TEST(find(n).has_value(), n);
    }
    BOOST_TEST(find(99, 2).value() == "other");
}

BOOST_AUTO_TEST_CASE(full_memory_forgets_the_oldest_and_never_mixes_two) {
    for (int round = 0; round < 200; ++round) {
        const auto n = static_cast<std::uint8_t>(round);
        const std::string box(static_cast<std::size_t>(700 + 37 * (round % 11)), static_cast<char>('a' + round % 26));
        BOOST_REQUIRE(keep(n, box, n));
        BOOST_TEST(find(n, n).value() == box);
        for (int before = std::max(0, round - 6); before < round; ++before) {
            const auto m = static_cast<std::uint8_t>(before);
            const auto found = find(m, m);
            BOOST_TEST((!found || found->find_first_not_of(static_cast<char>('a' + before % 26)) == std::string::npos));
        }
    }
}

BOOST_AUTO_TEST_CASE(one_browser_that_sends_ten_times_the_memory_leaves_the_forms_of_others_alone) {
    for (const std::size_t size : {1U, 17U, 100U, 128U, 300U, 512U, 513U, 1500U}) {
        BOOST_REQUIRE(keep(200, "other", 2));
        BOOST_REQUIRE(keep(201, std::string(600, 'o'), 3));
        for (std::size_t sent = 0, n = 0; sent < 10 * kArena; sent += size, ++n) {
            BOOST_REQUIRE(keep(static_cast<std::uint8_t>(n % 100), std::string(size, 'x')));
        }
        BOOST_TEST(find(200, 2).value_or("gone") == "other", size);
        BOOST_TEST(take(201, 3).value_or("gone") == std::string(600, 'o'), size);
        BOOST_TEST(take(200, 2).has_value(), size);
    }
}

BOOST_AUTO_TEST_CASE(a_browser_keeps_an_eighth_of_the_memory_or_one_form_that_is_larger) {
    BOOST_REQUIRE(keep(1, std::string(kArena / 16, 'x')));
    BOOST_REQUIRE(keep(2, std::string(kArena / 16, 'x')));
    BOOST_TEST(find(1).has_value());
    BOOST_REQUIRE(keep(3, "x"));
    BOOST_TEST(!find(1));
    BOOST_TEST(find(2).has_value());
    BOOST_REQUIRE(keep(4, std::string(kArena / 2, 'x')));
    BOOST_TEST(find(4).has_value());
    BOOST_TEST(!find(2));
    BOOST_TEST(!find(3));
}

BOOST_AUTO_TEST_CASE(a_gap_is_used_before_anybody_makes_room) {
    for (std::uint8_t n = 1; n <= 4; ++n) {
        BOOST_REQUIRE(keep(n, std::string(kArena / 4, static_cast<char>('a' + n)), n));
    }
    BOOST_REQUIRE(take(3, 3).has_value());
    BOOST_REQUIRE(keep(5, std::string(kArena / 4, 'z'), 5));
    for (const std::uint8_t n : std::initializer_list<std::uint8_t>{1, 2, 4, 5}) {
        BOOST_TEST(find(n, n).has_value(), n);
    }
    BOOST_REQUIRE(keep(6, "one more", 6));
    BOOST_TEST(!find(1, 1));
    for (const std::uint8_t n : std::initializer_list<std::uint8_t>{2, 4, 5, 6}) {
        BOOST_TEST(find(n, n).has_value(), n);
    }
}

BOOST_AUTO_TEST_CASE(nothing_of_a_form_stays_behind_when_it_goes) {
    const auto nothing_stands = [&] { return std::ranges::all_of(arena(), [](char byte) { return byte == 0; }); };
    BOOST_REQUIRE(keep(1, "secret box"));
    BOOST_TEST(arena().find("secret box") != std::string_view::npos);
    BOOST_REQUIRE(take(1).has_value());
    BOOST_TEST(nothing_stands(), "taken");
    BOOST_REQUIRE(keep(2, "secret box"));
    BOOST_TEST(!find(2, 1, kNow + 31min));
    BOOST_TEST(nothing_stands(), "expired");
    BOOST_REQUIRE(keep(3, std::string(kArena, 's'), 1));
    BOOST_REQUIRE(keep(4, "x", 2));
    BOOST_TEST(std::ranges::count(arena(), 's') == 0, "made room");
    BOOST_REQUIRE(take(4, 2).has_value());
    for (std::uint8_t n = 5; n <= 9; ++n) {
        BOOST_REQUIRE(keep(n, std::string(1, static_cast<char>('a' + n))));
    }
    BOOST_TEST(arena().find(static_cast<char>('a' + 5)) == std::string_view::npos, "one too many of a browser");
}

BOOST_AUTO_TEST_CASE(a_table_that_was_overwritten_harms_nothing_outside_the_arena) {
    BOOST_REQUIRE(keep(1, "first"));
    const auto end = (KeptForms::bytes_needed(kArena) - kArena) / 8;
    for (std::size_t word = 0; word < end; ++word) {
        if (memory[word] == 5) {
            memory[word] = ~std::uint64_t{0} - 3;   // the length of the form
        }
    }
    BOOST_TEST(!find(1));
    BOOST_TEST(arena().starts_with("first"));
    BOOST_TEST(keep(2, "second"));
    BOOST_TEST(find(2).value_or("gone") == "second");
}

BOOST_AUTO_TEST_CASE(refuses_what_does_not_fit) {
    BOOST_TEST(!keep(1, ""));
    BOOST_TEST(!keep(1, std::string(kArena + 1, 'x')));
    BOOST_TEST(keep(1, std::string(kArena, 'x')));
    BOOST_TEST(find(1)->size() == kArena);
}

BOOST_AUTO_TEST_CASE(a_full_table_forgets_the_oldest) {
    for (std::size_t n = 0; n < KeptForms::kMaxForms + 1; ++n) {
        FormId one{};
        one[0] = static_cast<std::uint8_t>(n);
        one[1] = static_cast<std::uint8_t>(n >> 8);
        BOOST_REQUIRE(forms.keep(one, one, "b", kNow));
    }
    BOOST_TEST(!forms.find({}, {}, kNow, KeptForms::Take::no));
}

BOOST_AUTO_TEST_CASE(is_found_again_by_the_next_generation_and_by_no_other_layout) {
    BOOST_REQUIRE(keep(1, "box"));
    auto next = KeptForms::attach(std::as_writable_bytes(std::span{memory}), kArena);
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->find(id(1), browser(1), kNow, KeptForms::Take::no).value() == "box");
    BOOST_TEST(!KeptForms::attach(std::as_writable_bytes(std::span{memory}), kArena - 8).has_value());
    BOOST_TEST(!KeptForms::attach(std::as_writable_bytes(std::span{memory}).first(64), kArena).has_value());
    memory[0] ^= 1;
    BOOST_TEST(!KeptForms::attach(std::as_writable_bytes(std::span{memory}), kArena).has_value());
    BOOST_TEST(!KeptForms::create(std::as_writable_bytes(std::span{memory}).first(64), kArena).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
