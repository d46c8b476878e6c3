#include "crypto/constant_time.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

using proconnect::crypto::equal_constant_time;

BOOST_AUTO_TEST_SUITE(constant_time)

BOOST_AUTO_TEST_CASE(compares_every_byte) {
    const std::string text = "0123456789abcdef";
    BOOST_TEST(equal_constant_time(text, std::string{text}));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string other = text;
        other[i] = static_cast<char>(other[i] ^ 1);
        BOOST_TEST(!equal_constant_time(text, other), i);
    }
}

BOOST_AUTO_TEST_CASE(compares_lengths) {
    BOOST_TEST(!equal_constant_time("abc", "abcd"));
    BOOST_TEST(!equal_constant_time("abcd", "abc"));
    BOOST_TEST(!equal_constant_time("abc", ""));
}

BOOST_AUTO_TEST_CASE(does_not_stop_at_nul) {
    BOOST_TEST(!equal_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

BOOST_AUTO_TEST_CASE(never_takes_nothing_for_nothing) {
    BOOST_TEST(!equal_constant_time("", ""));
    BOOST_TEST(!equal_constant_time(std::string_view{}, std::string_view{}));
    BOOST_TEST(!equal_constant_time(std::span<const std::uint8_t>{}, std::span<const std::uint8_t>{}));
}

BOOST_AUTO_TEST_CASE(compares_bytes_as_it_compares_text) {
    const std::array<std::uint8_t, 3> a{1, 2, 3};
    const std::array<std::uint8_t, 3> b{1, 2, 4};
    BOOST_TEST(equal_constant_time(std::span{a}, std::span{a}));
    BOOST_TEST(!equal_constant_time(std::span{a}, std::span{b}));
    BOOST_TEST(!equal_constant_time(std::span<const std::uint8_t>{a}, std::span<const std::uint8_t>{a}.first(2)));
}

BOOST_AUTO_TEST_SUITE_END()
