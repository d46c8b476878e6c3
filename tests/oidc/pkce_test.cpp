#include "oidc/pkce.hpp"

#include <boost/test/unit_test.hpp>

using proconnect::core::ErrorCode;
using proconnect::oidc::code_challenge_s256;

BOOST_AUTO_TEST_SUITE(pkce)

// RFC 7636 appendix B.
BOOST_AUTO_TEST_CASE(follows_the_example_of_rfc_7636) {
    BOOST_TEST(code_challenge_s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").value() == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

BOOST_AUTO_TEST_CASE(bounds_the_length_of_the_verifier) {
    for (const std::size_t size : {0U, 1U, 42U, 129U, 4096U}) {
        const auto challenge = code_challenge_s256(std::string(size, 'v'));
        BOOST_REQUIRE(!challenge.has_value());
        BOOST_TEST((challenge.error().code == ErrorCode::internal_error));
        BOOST_TEST((challenge.error().detail.find("vvv") == std::string::npos));
    }
    for (const std::size_t size : {43U, 44U, 127U, 128U}) {
        BOOST_TEST(code_challenge_s256(std::string(size, 'v'))->size() == 43U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
