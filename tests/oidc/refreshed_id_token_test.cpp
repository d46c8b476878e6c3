// check_refreshed_id_token() of oidc/id_token.hpp.
#include <boost/test/unit_test.hpp>

#include "oidc/id_token_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

const ClaimSet kUsual = id_token_claims();

}  // namespace

BOOST_AUTO_TEST_SUITE(refreshed_id_token)

BOOST_AUTO_TEST_CASE(accepts_the_same_user_again_with_the_same_nonce_or_none) {
    BOOST_TEST(check_refreshed(kUsual) == "accepted");
    BOOST_TEST(check_refreshed(kUsual.without("nonce")) == "accepted");
    const auto claims = oidc::check_refreshed_id_token(verified(kUsual), usual_expectations(), kLoginSubject, kLoginTime);
    BOOST_TEST(claims->subject == kLoginSubject);
    BOOST_TEST(claims->issuer == kLoginIssuer);
    BOOST_TEST((claims->expires == kLoginTime + 1h));
    BOOST_TEST((claims->issued == kLoginTime));
}

BOOST_AUTO_TEST_CASE(refuses_another_nonce) {
    BOOST_TEST(check_refreshed(kUsual.with_text("nonce", kLoginNonce + "x")) == "PC3016");
    BOOST_TEST(check_refreshed(kUsual.with_text("nonce", "")) == "PC3016");
    BOOST_TEST(check_refreshed(kUsual.with("nonce", "null")) == "PC3016");
    auto expected = usual_expectations();
    expected.nonce = core::Secret{};
    BOOST_TEST(check_refreshed(kUsual.with_text("nonce", ""), expected) == "PC3016");
    BOOST_TEST(check_refreshed(kUsual.without("nonce"), expected) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_another_user) {
    for (const auto& subject : std::vector<std::string>{kLoginSubject + "x", kLoginSubject.substr(1), "somebody-else"}) {
        BOOST_TEST(check_refreshed(kUsual.with_text("sub", subject)) == "PC3013", subject);
    }
    BOOST_TEST(check_refreshed(kUsual.without("sub")) == "PC3013");
    BOOST_TEST(outcome(oidc::check_refreshed_id_token(verified(kUsual), usual_expectations(), "", kLoginTime)) == "PC3013");
}

BOOST_AUTO_TEST_CASE(refuses_what_a_first_token_may_not_say_either) {
    BOOST_TEST(check_refreshed(kUsual.with_text("iss", kLoginIssuer + "/")) == "PC3010");
    BOOST_TEST(check_refreshed(kUsual.with_text("aud", "client-2")) == "PC3011");
    BOOST_TEST(check_refreshed(kUsual.with_text("azp", "client-2")) == "PC3012");
    BOOST_TEST(check_refreshed(kUsual.with("exp", date(kLoginTime - 60s))) == "PC3014");
    BOOST_TEST(check_refreshed(kUsual.with("iat", date(kLoginTime + 61s))) == "PC3015");
    BOOST_TEST(check_refreshed(kUsual.with_text("at_hash", "wrong")) == "PC3017");
}

BOOST_AUTO_TEST_SUITE_END()
