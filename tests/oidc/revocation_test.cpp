#include "oidc/revocation.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/login_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;

namespace {

const std::string kRevocationEndpoint = kLoginIssuer + "/token/revocation";

struct RevocationFixture {
    ScriptedHttp http;
    oidc::ProviderMetadata provider = login_metadata();
    std::string token = "the+token";

    RevocationFixture() { provider.revocation_endpoint = kRevocationEndpoint; }
    std::string revoke() { return outcome(oidc::revoke_refresh_token(http, provider, login_client(), core::Secret{token}, kLoginTime)); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(revocation, RevocationFixture)

BOOST_AUTO_TEST_CASE(sends_the_token_with_the_credentials_of_the_client) {
    http.always(kRevocationEndpoint, 200, "");
    BOOST_TEST(revoke() == "accepted");
    BOOST_REQUIRE(http.sent.size() == 1U);
    BOOST_TEST(http.sent[0].is_post);
    BOOST_TEST(http.sent[0].parameter("token").value() == "the+token");
    BOOST_TEST(http.sent[0].parameter("token_type_hint").value() == "refresh_token");
    BOOST_TEST(http.sent[0].parameter("client_id").value() == "client-1");
}

BOOST_AUTO_TEST_CASE(says_so_when_the_provider_refuses) {
    for (const int status : {204, 302, 400, 401, 500, 503}) {
        http.always(kRevocationEndpoint, status, R"({"error":"invalid_client"})");
        BOOST_TEST(revoke() == "PC2031", status);
    }
    http.fail(kRevocationEndpoint, core::ErrorCode::provider_timeout);
    BOOST_TEST(revoke() == "PC2002");
}

BOOST_AUTO_TEST_CASE(asks_nobody_where_there_is_nothing_to_ask) {
    token.clear();
    BOOST_TEST(revoke() == "PC2031");
    token = "t";
    provider.revocation_endpoint.clear();
    BOOST_TEST(revoke() == "PC2031");
    BOOST_TEST(http.sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()
