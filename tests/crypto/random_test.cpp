#include "crypto/random.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "core/base64url.hpp"

namespace crypto = proconnect::crypto;

BOOST_AUTO_TEST_SUITE(random_source)

BOOST_AUTO_TEST_CASE(fills_the_whole_buffer) {
    // Each byte is left zero by chance once in 256 draws; over 64 draws a byte that is never written shows.
    std::array<std::uint8_t, 33> seen{};
    for (int i = 0; i < 64; ++i) {
        std::array<std::uint8_t, 33> buffer{};
        BOOST_REQUIRE(crypto::fill_random(buffer).has_value());
        std::ranges::transform(seen, buffer, seen.begin(), [](std::uint8_t a, std::uint8_t b) { return static_cast<std::uint8_t>(a | b); });
    }
    BOOST_TEST(std::ranges::count(seen, 0) == 0);
}

BOOST_AUTO_TEST_CASE(fills_an_empty_buffer) {
    BOOST_TEST(crypto::fill_random({}).has_value());
}

BOOST_AUTO_TEST_CASE(makes_tokens_of_the_length_asked_for) {
    BOOST_TEST(crypto::random_token(32)->size() == 43U);
    BOOST_TEST(proconnect::core::base64url_decode(*crypto::random_token(17))->size() == 17U);
    BOOST_TEST(crypto::random_token(0)->empty());
}

BOOST_AUTO_TEST_CASE(never_repeats_a_token) {
    std::set<std::string> tokens;
    for (int i = 0; i < 1000; ++i) {
        tokens.insert(*crypto::random_token(16));
    }
    BOOST_TEST(tokens.size() == 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
