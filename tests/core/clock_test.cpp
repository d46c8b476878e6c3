#include "core/clock.hpp"

#include <boost/test/unit_test.hpp>

#include <ctime>

using namespace proconnect::core;

BOOST_AUTO_TEST_SUITE(clock_)

BOOST_AUTO_TEST_CASE(counts_unix_seconds) {
    static_assert(to_unix_seconds(from_unix_seconds(1'790'000'000)) == 1'790'000'000);
    static_assert(to_unix_seconds(UnixTime{}) == 0);
    BOOST_TEST(to_unix_seconds(from_unix_seconds(-1)) == -1);
    BOOST_TEST(to_unix_seconds(from_unix_seconds(253'402'300'799)) == 253'402'300'799);
    BOOST_TEST((from_unix_seconds(60) == UnixTime{} + std::chrono::minutes{1}));
}

BOOST_AUTO_TEST_CASE(tells_the_time_of_the_system) {
    const auto before = std::time(nullptr);
    const auto told = to_unix_seconds(now());
    const auto after = std::time(nullptr);
    // time() may read a coarser clock, a tick behind.
    BOOST_TEST(told >= before);
    BOOST_TEST(told <= after + 1);
}

BOOST_AUTO_TEST_SUITE_END()
