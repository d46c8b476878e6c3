#include "session/session_store.hpp"

#include <boost/test/unit_test.hpp>

#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using test::head_at;
using test::kNow;

BOOST_AUTO_TEST_SUITE(session_expiry)

BOOST_AUTO_TEST_CASE(a_new_session_is_not_expired) {
    BOOST_TEST(!session::is_expired(head_at(), kNow));
}

BOOST_AUTO_TEST_CASE(the_absolute_time_out_ends_it_to_the_second_however_much_it_is_used) {
    auto head = head_at();
    head.last_used = head.expires - 1s;
    BOOST_TEST(!session::is_expired(head, head.expires - 1s));
    head.last_used = head.expires;
    BOOST_TEST(session::is_expired(head, head.expires));
}

BOOST_AUTO_TEST_CASE(the_idle_time_out_ends_it_to_the_second) {
    const auto head = head_at();
    BOOST_TEST(!session::is_expired(head, kNow + 1h - 1s));
    BOOST_TEST(session::is_expired(head, kNow + 1h));
}

BOOST_AUTO_TEST_CASE(zero_means_no_idle_time_out) {
    auto head = head_at();
    head.idle = 0s;
    BOOST_TEST(!session::is_expired(head, head.expires - 1s));
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_an_hour_makes_no_session_immortal) {
    // Begun an hour "in the future": it ends now, rather than an hour late.
    BOOST_TEST(session::is_expired(head_at(), kNow - 1h));
    // Used "in the future", but begun in the past: that counts as used now, and its absolute time-out stands.
    auto head = head_at(kNow - 2h);
    head.last_used = kNow;
    BOOST_TEST(!session::is_expired(head, kNow - 1h));
    BOOST_TEST(session::is_expired(head, head.expires));
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_five_minutes_is_borne) {
    BOOST_TEST(!session::is_expired(head_at(), kNow - 5min));
    BOOST_TEST(session::is_expired(head_at(), kNow - 5min - 1s));
}

BOOST_AUTO_TEST_CASE(a_clock_set_forward_a_day_ends_all) {
    BOOST_TEST(session::is_expired(head_at(), kNow + 24h));
}

BOOST_AUTO_TEST_CASE(impossible_times_do_no_harm) {
    constexpr std::int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (const auto created : extremes) {
        for (const auto last_used : extremes) {
            for (const auto idle : extremes) {
                auto head = head_at();
                head.created = core::from_unix_seconds(created);
                head.last_used = core::from_unix_seconds(last_used);
                head.idle = std::chrono::seconds{idle};
                BOOST_TEST(session::is_expired(head, head.expires));
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
