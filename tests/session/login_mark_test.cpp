#include "session/login_mark.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace proconnect;
using namespace proconnect::session;

ServerKeys keys_from(std::uint8_t fill, std::optional<std::uint8_t> previous = std::nullopt) {
    const auto key = [](std::uint8_t byte) { return ServerKey::derive(std::vector<std::uint8_t>(32, byte)).value(); };
    return {.current = key(fill), .previous = previous ? std::optional{key(*previous)} : std::nullopt};
}

LoginMark full_mark() {
    LoginMark mark;
    mark.attempts = 2;
    mark.when = core::from_unix_seconds(1'800'000'000);
    mark.finished = true;
    mark.session_name = "AAAAAAAAAAAAAAAAAAAAAA";
    mark.subject = "__________________-_-w";
    return mark;
}

BOOST_AUTO_TEST_SUITE(login_mark)

BOOST_AUTO_TEST_CASE(a_mark_comes_back_as_it_was) {
    for (const bool finished : {true, false}) {
        for (const bool named : {true, false}) {
            auto mark = full_mark();
            mark.finished = finished;
            if (!named) {
                mark.session_name.clear();
                mark.subject.clear();
            }
            const auto again = LoginMark::parse(mark.text());
            BOOST_REQUIRE(again);
            BOOST_TEST(again->attempts == mark.attempts);
            BOOST_TEST((again->when == mark.when));
            BOOST_TEST(again->finished == finished);
            BOOST_TEST(again->session_name == mark.session_name);
            BOOST_TEST(again->subject == mark.subject);
        }
    }
}

BOOST_AUTO_TEST_CASE(attempts_beyond_a_digit_stay_at_nine) {
    auto mark = full_mark();
    mark.attempts = 200;
    BOOST_TEST(LoginMark::parse(mark.text())->attempts == 9);
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_mark) {
    const auto good = full_mark().text();
    for (const std::string& text : {std::string{}, std::string{"2"}, std::string{"2f.."}, std::string{"xf1.."}, std::string{"2x1.."}, std::string{"2f1"}, std::string{"2f1."},
                                    std::string{"2f1x.."}, std::string{"2f1.short."}, std::string{"2f1..short"}, good + "A", good + ".", good + std::string(100, 'A'),
                                    std::string{"2f99999999999999999999.."}, good.substr(0, good.size() - 1) + "x", std::string{"2f1.\r\n."}}) {
        BOOST_TEST(!LoginMark::parse(text), text);
    }
    BOOST_TEST(!!LoginMark::parse("2f1.."));
}

BOOST_AUTO_TEST_CASE(a_mark_counts_for_the_binding_and_the_keys_it_was_signed_for) {
    const auto text = sign_mark("binding", full_mark(), keys_from(1).current).value();
    BOOST_TEST(text.starts_with(full_mark().text() + "~"));
    BOOST_TEST(text.size() == full_mark().text().size() + 23);
    for (const auto& keys : {keys_from(1), keys_from(2, 1), keys_from(1, 2)}) {
        const auto mark = verified_mark("binding", text, keys);
        BOOST_TEST(mark.text() == full_mark().text());
    }
    const auto empty = LoginMark{}.text();
    for (const auto& keys : {keys_from(2), keys_from(2, 3)}) {
        BOOST_TEST(verified_mark("binding", text, keys).text() == empty);
    }
    for (const std::string_view binding : {"", "bindinG", "bindin", "binding~"}) {
        BOOST_TEST(verified_mark(binding, text, keys_from(1)).text() == empty, binding);
    }
}

BOOST_AUTO_TEST_CASE(a_mark_that_was_changed_by_one_character_is_an_empty_one) {
    const auto keys = keys_from(1);
    const auto text = sign_mark("binding", full_mark(), keys.current).value();
    const auto empty = LoginMark{}.text();
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(verified_mark("binding", changed, keys).text() == empty, changed);
        BOOST_TEST(verified_mark("binding", text.substr(0, i), keys).text() == empty, i);
    }
    for (const auto& other : {text + "A", text + "~", "~" + text, full_mark().text(), full_mark().text() + "~", full_mark().text() + "~AAAAAAAAAAAAAAAAAAAAAA", std::string{"~"},
                              std::string(10'000, '~'), std::string(10'000, 'A') + "~AAAAAAAAAAAAAAAAAAAAAA"}) {
        BOOST_TEST(verified_mark("binding", other, keys).text() == empty, other.substr(0, 100));
    }
}

BOOST_AUTO_TEST_CASE(the_login_cookie_has_one_or_two_halves) {
    BOOST_TEST(split_login_cookie("abc").binding == "abc");
    BOOST_TEST(split_login_cookie("abc").mark == "");
    BOOST_TEST(split_login_cookie("abc~2f1..").binding == "abc");
    BOOST_TEST(split_login_cookie("abc~2f1..").mark == "2f1..");
    BOOST_TEST(split_login_cookie("~x").binding == "");
    BOOST_TEST(split_login_cookie("a~b~c").mark == "b~c");
    BOOST_TEST(split_login_cookie("").binding == "");
}

BOOST_AUTO_TEST_CASE(a_tag_fits_into_a_mark) {
    SubjectTag tag{};
    tag.fill(0xff);
    auto mark = full_mark();
    mark.subject = tag_text(tag);
    BOOST_TEST(LoginMark::parse(mark.text())->subject == tag_text(tag));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
