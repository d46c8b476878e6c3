#include "oidc/platform.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using proconnect::oidc::issuer_of_platform;

namespace {

std::string complaint(std::string_view platform) {
    const auto issuer = issuer_of_platform(platform);
    return issuer ? "accepted" : issuer.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(platform)

BOOST_AUTO_TEST_CASE(knows_the_four_platforms) {
    BOOST_TEST(issuer_of_platform("production").value() == "https://auth.agentconnect.gouv.fr/api/v2");
    BOOST_TEST(issuer_of_platform("integration").value() == "https://fca.integ01.dev-agentconnect.fr/api/v2");
    BOOST_TEST(issuer_of_platform("rie-production").value() == "https://auth.agentconnect.rie.gouv.fr/api/v2");
    BOOST_TEST(issuer_of_platform("rie-integration").value() == "https://fca.integ02.agentconnect.rie.gouv.fr/api/v2");
}

BOOST_AUTO_TEST_CASE(takes_an_issuer_as_it_is_written) {
    for (const std::string_view issuer : {"https://auth.example.gouv.fr", "https://auth.example.gouv.fr/", "https://auth.example.gouv.fr:8443/api/v2", "https://AUTH.example/API", "http://localhost:3000",
                                          "http://127.0.0.1:3000/api/v2", "http://[::1]:3000"}) {
        BOOST_TEST(issuer_of_platform(issuer).value() == issuer);
    }
}

BOOST_AUTO_TEST_CASE(asks_for_https_beyond_this_machine) {
    for (const std::string_view issuer : {"http://auth.example.gouv.fr/api/v2", "http://localhost.example.org", "http://10.0.0.1/", "http://127.0.0.1.example.org"}) {
        BOOST_TEST(complaint(issuer) == "'" + std::string{issuer} + "' must begin with https:// (http is for a provider on this very machine only)");
    }
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_issuer) {
    for (const std::string_view text : {"https://", "https:/a", "ftp://a", "https://a/?b=c", "https://a/?", "https://a?", "https://a#b", "https://a/#", "https://user@a/", "https://u:p@a/", "https://a b/",
                                        "javascript:alert(1)", "https://a/\n", ":", "production:", "https://[::1"}) {
        BOOST_TEST(complaint(text).ends_with("is no issuer URL; write one like https://auth.example.gouv.fr/api/v2"), text);
    }
}

BOOST_AUTO_TEST_CASE(suggests_the_nearest_platform) {
    BOOST_TEST(complaint("prod") == "'prod' is no platform; did you mean production?");
    BOOST_TEST(complaint("Production") == "'Production' is no platform; did you mean production?");
    BOOST_TEST(complaint("prodcution") == "'prodcution' is no platform; did you mean production?");
    BOOST_TEST(complaint("integraton") == "'integraton' is no platform; did you mean integration?");
    BOOST_TEST(complaint("rie-prod") == "'rie-prod' is no platform; did you mean rie-production?");
    BOOST_TEST(complaint("rie_integration") == "'rie_integration' is no platform; did you mean rie-integration?");
    for (const std::string_view text : {"", "x", "auth.agentconnect.gouv.fr", "keycloak"}) {
        BOOST_TEST(complaint(text) == "'" + std::string{text} + "' is no platform; write production, integration, rie-production, rie-integration or an issuer URL");
    }
}

BOOST_AUTO_TEST_SUITE_END()
