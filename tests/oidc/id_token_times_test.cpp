// When an ID token was issued and until when it is good, and when the user signed in; every bound on both of its sides.
#include <boost/test/unit_test.hpp>

#include "oidc/id_token_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

const ClaimSet kUsual = id_token_claims();

/// What is no NumericDate.
constexpr std::string_view kNoDates[] = {"null", "true", "[]", "{}", R"("")", R"("1790000000")", R"("2026-09-21T00:00:00Z")", "1e300", "-1", "-1e300",
                                         "-0.5", "253402300800", "9223372036854775807", "18446744073709551616", "[1790000000]"};

oidc::IdTokenExpectations with_skew(std::chrono::seconds skew) {
    auto expected = usual_expectations();
    expected.clock_skew = skew;
    return expected;
}

oidc::IdTokenExpectations fresh_since(core::UnixTime since) {
    auto expected = usual_expectations();
    expected.authenticated_since = since;
    return expected;
}

std::string with_exp(core::UnixTime time, std::chrono::seconds skew = 60s) {
    return check(kUsual.with("exp", date(time)), with_skew(skew));
}

std::string with_iat(core::UnixTime time, std::chrono::seconds skew = 60s) {
    return check(kUsual.with("iat", date(time)), with_skew(skew));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(id_token_times)

BOOST_AUTO_TEST_CASE(tolerates_a_minute_by_default) {
    BOOST_TEST((oidc::IdTokenExpectations{}.clock_skew == 60s));
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_is_not_good_yet) {
    BOOST_TEST(check(kUsual.with("nbf", date(kLoginTime))) == "accepted");
    BOOST_TEST(check(kUsual.with("nbf", date(kLoginTime + 60s))) == "accepted");
    BOOST_TEST(check(kUsual.with("nbf", date(kLoginTime + 61s))) == "PC3021");
    for (const auto json : kNoDates) {
        BOOST_TEST(check(kUsual.with("nbf", std::string{json})) == "PC3021", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_expiry) {
    BOOST_TEST(check(kUsual.without("exp")) == "PC3014");
}

BOOST_AUTO_TEST_CASE(refuses_a_token_past_its_expiry_and_the_skew) {
    BOOST_TEST(with_exp(kLoginTime - 59s) == "accepted");
    BOOST_TEST(with_exp(kLoginTime - 60s) == "PC3014");
    BOOST_TEST(with_exp(kLoginTime - 61s) == "PC3014");
    BOOST_TEST(with_exp(kLoginTime + 1s, 0s) == "accepted");
    BOOST_TEST(with_exp(kLoginTime, 0s) == "PC3014");
    BOOST_TEST(with_exp(kLoginTime - 1s, 0s) == "PC3014");
    BOOST_TEST(with_exp(kLoginTime - 299s, 300s) == "accepted");
    BOOST_TEST(with_exp(kLoginTime - 300s, 300s) == "PC3014");
    BOOST_TEST(with_exp(core::UnixTime{}) == "PC3014");
}

BOOST_AUTO_TEST_CASE(refuses_an_expiry_that_is_no_date) {
    for (const auto json : kNoDates) {
        BOOST_TEST(check(kUsual.with("exp", json)) == "PC3014", json);
    }
}

BOOST_AUTO_TEST_CASE(reads_an_expiry_with_a_fraction_or_an_exponent) {
    BOOST_TEST(check(kUsual.with("exp", "1790000000.5")) == "accepted");
    BOOST_TEST(check(kUsual.with("exp", "1.79e9")) == "accepted");
    // 60 seconds ago and a half: the fraction is cut, never rounded up.
    BOOST_TEST(check(kUsual.with("exp", "1789999940.999")) == "PC3014");
    BOOST_TEST(check(kUsual.with("exp", "253402300799")) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_time_of_issue) {
    BOOST_TEST(check(kUsual.without("iat")) == "PC3015");
}

BOOST_AUTO_TEST_CASE(refuses_a_token_issued_in_the_future_beyond_the_skew) {
    BOOST_TEST(with_iat(kLoginTime + 60s) == "accepted");
    BOOST_TEST(with_iat(kLoginTime + 61s) == "PC3015");
    BOOST_TEST(with_iat(kLoginTime, 0s) == "accepted");
    BOOST_TEST(with_iat(kLoginTime + 1s, 0s) == "PC3015");
    BOOST_TEST(with_iat(kLoginTime + 300s, 300s) == "accepted");
    BOOST_TEST(with_iat(kLoginTime + 301s, 300s) == "PC3015");
}

BOOST_AUTO_TEST_CASE(refuses_a_token_issued_absurdly_long_ago) {
    BOOST_TEST(with_iat(kLoginTime - 24h) == "accepted");
    BOOST_TEST(with_iat(kLoginTime - 24h - 1s) == "PC3015");
    BOOST_TEST(with_iat(core::from_unix_seconds(0)) == "PC3015");
    // The tolerance is for the future only.
    BOOST_TEST(with_iat(kLoginTime - 24h - 1s, 300s) == "PC3015");
}

BOOST_AUTO_TEST_CASE(refuses_a_time_of_issue_that_is_no_date) {
    for (const auto json : kNoDates) {
        BOOST_TEST(check(kUsual.with("iat", json)) == "PC3015", json);
    }
}

BOOST_AUTO_TEST_CASE(goes_by_the_time_it_is_given) {
    BOOST_TEST(check(kUsual, usual_expectations(), kLoginTime + 3659s) == "accepted");
    BOOST_TEST(check(kUsual, usual_expectations(), kLoginTime + 3660s) == "PC3014");
    BOOST_TEST(check(kUsual, usual_expectations(), kLoginTime - 60s) == "accepted");
    BOOST_TEST(check(kUsual, usual_expectations(), kLoginTime - 61s) == "PC3015");
}

BOOST_AUTO_TEST_CASE(asks_for_no_time_of_sign_in_unless_a_fresh_one_was_wished_for) {
    BOOST_TEST(check(kUsual.without("auth_time")) == "accepted");
    BOOST_TEST(check(kUsual.with("auth_time", "0")) == "accepted");
    BOOST_TEST(check(kUsual.with("auth_time", date(kLoginTime - 12h))) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_time_of_sign_in_after_a_fresh_one_was_asked_for) {
    BOOST_TEST(check(kUsual.without("auth_time"), fresh_since(kLoginTime)) == "PC3019");
    BOOST_TEST(check(kUsual.with("auth_time", "null"), fresh_since(kLoginTime)) == "PC3020");
}

BOOST_AUTO_TEST_CASE(refuses_a_sign_in_from_before_it_was_asked_for) {
    const auto since = kLoginTime - 600s;
    const auto signed_in_at = [&](core::UnixTime time, std::chrono::seconds skew = 60s) {
        auto expected = fresh_since(since);
        expected.clock_skew = skew;
        return check(kUsual.with("auth_time", date(time)), expected);
    };
    BOOST_TEST(signed_in_at(since) == "accepted");
    BOOST_TEST(signed_in_at(since - 60s) == "accepted");
    BOOST_TEST(signed_in_at(since - 61s) == "PC3019");
    BOOST_TEST(signed_in_at(since, 0s) == "accepted");
    BOOST_TEST(signed_in_at(since - 1s, 0s) == "PC3019");
    BOOST_TEST(signed_in_at(core::from_unix_seconds(0)) == "PC3019");
}

BOOST_AUTO_TEST_CASE(refuses_a_sign_in_in_the_future) {
    for (const bool fresh : {false, true}) {
        const auto signed_in_at = [&](core::UnixTime time, std::chrono::seconds skew = 60s) {
            auto expected = fresh ? fresh_since(kLoginTime) : usual_expectations();
            expected.clock_skew = skew;
            return check(kUsual.with("auth_time", date(time)), expected);
        };
        BOOST_TEST(signed_in_at(kLoginTime + 60s) == "accepted");
        BOOST_TEST(signed_in_at(kLoginTime + 61s) == "PC3019");
        BOOST_TEST(signed_in_at(kLoginTime, 0s) == "accepted");
        BOOST_TEST(signed_in_at(kLoginTime + 1s, 0s) == "PC3019");
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_time_of_sign_in_that_is_no_date) {
    for (const auto json : kNoDates) {
        BOOST_TEST(check(kUsual.with("auth_time", json)) == "PC3020", json);
        BOOST_TEST(check(kUsual.with("auth_time", json), fresh_since(kLoginTime)) == "PC3020", json);
    }
}

BOOST_AUTO_TEST_SUITE_END()
