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
    const auto login = oidc::check_id_token(verified(kUsual), usual_expectations(), kLoginTime).value();
    const auto claims = oidc::check_refreshed_id_token(verified(kUsual), usual_expectations(), login, kLoginTime);
    BOOST_TEST(claims->subject == kLoginSubject);
    BOOST_TEST(claims->issuer == kLoginIssuer);
    BOOST_TEST((claims->expires == kLoginTime + 1h));
    BOOST_TEST((claims->issued == kLoginTime));
    BOOST_TEST((claims->auth_time == login.auth_time));
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

// The advisory of a module that took over a refreshed token without looking whom it is about. That it is verified at all, the parameter's type says.
BOOST_AUTO_TEST_CASE(CL_07_31_2026_refuses_another_user) {
    for (const auto& subject : std::vector<std::string>{kLoginSubject + "x", kLoginSubject.substr(1), "somebody-else"}) {
        BOOST_TEST(check_refreshed(kUsual.with_text("sub", subject)) == "PC3013", subject);
    }
    BOOST_TEST(check_refreshed(kUsual.without("sub")) == "PC3013");
    auto login = oidc::check_id_token(verified(kUsual), usual_expectations(), kLoginTime).value();
    login.subject.clear();
    BOOST_TEST(outcome(oidc::check_refreshed_id_token(verified(kUsual), usual_expectations(), login, kLoginTime)) == "PC3013");
}

BOOST_AUTO_TEST_CASE(refuses_another_issuer_than_the_one_of_the_login) {
    auto login = oidc::check_id_token(verified(kUsual), usual_expectations(), kLoginTime).value();
    for (const auto& issuer : std::vector<std::string>{kLoginIssuer + "/", "https://another.example.gouv.fr", ""}) {
        login.issuer = issuer;
        BOOST_TEST(outcome(oidc::check_refreshed_id_token(verified(kUsual), usual_expectations(), login, kLoginTime)) == "PC3010", issuer);
    }
}

BOOST_AUTO_TEST_CASE(refuses_another_time_of_authentication) {
    const auto authenticated = kLoginTime - 5s;
    BOOST_TEST(check_refreshed(kUsual.with("auth_time", date(authenticated))) == "accepted");
    BOOST_TEST(check_refreshed(kUsual.without("auth_time")) == "accepted");
    // Neither the time of the refresh, nor one within the skew.
    for (const auto other : {kLoginTime, authenticated - 1s, authenticated + 1s, kLoginTime - 24h}) {
        BOOST_TEST(check_refreshed(kUsual.with("auth_time", date(other))) == "PC3019", date(other));
    }
    for (const char* const json : {"null", "true", R"("1789999995")", "[1789999995]", "-1", "1e300"}) {
        BOOST_TEST(check_refreshed(kUsual.with("auth_time", json)) == "PC3020", json);
    }
    const auto without_time = kUsual.without("auth_time");
    BOOST_TEST(check_refreshed(without_time, usual_expectations(), without_time) == "accepted");
    BOOST_TEST(check_refreshed(kUsual, usual_expectations(), without_time) == "PC3019");
}

BOOST_AUTO_TEST_CASE(refuses_an_authorized_party_that_came_or_went) {
    const auto with_azp = kUsual.with_text("azp", kLoginClient);
    BOOST_TEST(check_refreshed(with_azp, usual_expectations(), with_azp) == "accepted");
    BOOST_TEST(check_refreshed(with_azp, usual_expectations(), kUsual) == "PC3012");
    BOOST_TEST(check_refreshed(kUsual, usual_expectations(), with_azp) == "PC3012");
}

BOOST_AUTO_TEST_CASE(refuses_a_token_issued_before_the_login) {
    BOOST_TEST(check_refreshed(kUsual.with("iat", date(kLoginTime - 60s))) == "accepted");
    BOOST_TEST(check_refreshed(kUsual.with("iat", date(kLoginTime - 61s))) == "PC3015");
}

BOOST_AUTO_TEST_CASE(says_which_claim_is_not_the_one_of_the_login) {
    const auto login = oidc::check_id_token(verified(kUsual), usual_expectations(), kLoginTime).value();
    const auto detail = [&](const ClaimSet& claims) { return oidc::check_refreshed_id_token(verified(claims), usual_expectations(), login, kLoginTime).error().detail; };
    BOOST_TEST(detail(kUsual.with_text("sub", "somebody-else")) == "sub: the refreshed id_token is about somebody else");
    BOOST_TEST(detail(kUsual.with("iat", date(kLoginTime - 61s))) == "iat: before the login");
    BOOST_TEST(detail(kUsual.with("auth_time", date(kLoginTime))) == "auth_time: not the one of the login");
    BOOST_TEST(detail(kUsual.with_text("azp", kLoginClient)) == "azp: not as in the login");
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
