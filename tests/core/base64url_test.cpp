#include "core/base64url.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

namespace core = proconnect::core;

BOOST_AUTO_TEST_SUITE(base64url)

struct Pair {
    std::string_view bytes;
    std::string_view text;
};

// RFC 4648 section 10, without padding.
constexpr Pair kRfc4648[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};

BOOST_AUTO_TEST_CASE(follows_the_vectors_of_rfc_4648) {
    for (const auto& [bytes, text] : kRfc4648) {
        BOOST_TEST(core::base64url_encode(bytes) == text);
        BOOST_TEST(core::base64url_decode(text).value() == bytes);
    }
}

BOOST_AUTO_TEST_CASE(uses_the_url_alphabet) {
    // RFC 7515 appendix C.
    const std::array<std::uint8_t, 5> bytes{3, 236, 255, 224, 193};
    BOOST_TEST(core::base64url_encode(bytes) == "A-z_4ME");
    BOOST_TEST(core::base64url_decode("A-z_4ME").value() == std::string_view("\x03\xEC\xFF\xE0\xC1", 5));
}

BOOST_AUTO_TEST_CASE(brings_back_every_byte_at_every_position) {
    for (std::size_t size = 1; size <= 4; ++size) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            const std::string bytes(size, static_cast<char>(byte));
            BOOST_TEST(core::base64url_decode(core::base64url_encode(bytes)).value() == bytes);
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_padding) {
    for (const std::string_view text : {"Zg==", "Zm8=", "Zg=", "=", "====", "Zm9v="}) {
        BOOST_TEST(!core::base64url_decode(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_white_space) {
    for (const std::string_view text : {" Zm9v", "Zm9v ", "Zm9v\n", "Zm\r\n9v", "Zm\t9", "    "}) {
        BOOST_TEST(!core::base64url_decode(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_plain_alphabet) {
    BOOST_TEST(!core::base64url_decode("A+z_4ME").has_value());
    BOOST_TEST(!core::base64url_decode("A-z/4ME").has_value());
}

BOOST_AUTO_TEST_CASE(accepts_exactly_the_64_characters) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string text(4, static_cast<char>(byte));
        BOOST_TEST(core::base64url_decode(text).has_value() == kAlphabet.contains(static_cast<char>(byte)), byte);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_length_that_no_byte_string_has) {
    for (const std::string_view text : {"A", "Zm9vA", "AAAAAAAAA"}) {
        BOOST_TEST(!core::base64url_decode(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(refuses_unused_bits_that_are_set) {
    // "Zg" is "f"; "Zh" would decode to the same byte with a leftover bit.
    for (const std::string_view text : {"Zh", "Zv", "Zm9", "Zm-", "Zm9vYh", "AB", "AAB"}) {
        BOOST_TEST(!core::base64url_decode(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(has_one_spelling_for_each_byte_string) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned accepted = 0;
    for (const char first : kAlphabet) {
        for (const char second : kAlphabet) {
            accepted += core::base64url_decode(std::string{first, second}).has_value() ? 1 : 0;
        }
    }
    BOOST_TEST(accepted == 256U);
}

BOOST_AUTO_TEST_CASE(refuses_nul_and_bytes_beyond_ascii) {
    BOOST_TEST(!core::base64url_decode(std::string_view("Zm\0v", 4)).has_value());
    BOOST_TEST(!core::base64url_decode("Zm\xC3\xA9").has_value());
}

BOOST_AUTO_TEST_CASE(decodes_into_a_buffer_of_exactly_the_right_size) {
    std::array<std::uint8_t, 3> three{};
    BOOST_TEST(core::base64url_decode_exactly("Zm9v", three));
    BOOST_TEST((three == std::array<std::uint8_t, 3>{'f', 'o', 'o'}));
    std::array<std::uint8_t, 4> four{};
    BOOST_TEST(!core::base64url_decode_exactly("Zm9v", four));
    std::array<std::uint8_t, 2> two{};
    BOOST_TEST(!core::base64url_decode_exactly("Zm9v", two));
    BOOST_TEST(!core::base64url_decode_exactly("Zm9", two));   // unused bits
    BOOST_TEST(!core::base64url_decode_exactly("Zm9vA", three));
    BOOST_TEST(!core::base64url_decode_exactly("Zm 8", two));
    BOOST_TEST(core::base64url_decode_exactly("", std::span<std::uint8_t>{}));
    BOOST_TEST(!core::base64url_decode_exactly("A", std::span<std::uint8_t>{}));
}

BOOST_AUTO_TEST_SUITE_END()
