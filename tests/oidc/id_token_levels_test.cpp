// How the user signed in: acr, amr, sid.
#include <boost/test/unit_test.hpp>

#include "oidc/id_token_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;

namespace {

const ClaimSet kUsual = id_token_claims();

oidc::IdTokenExpectations asking_for(std::vector<std::string> levels) {
    auto expected = usual_expectations();
    expected.acr_values = std::move(levels);
    return expected;
}

std::string with_acr(std::string_view acr, std::vector<std::string> levels) {
    return check(kUsual.with_text("acr", acr), asking_for(std::move(levels)));
}

/// ["x","x",…]
std::string array_of(std::size_t count) {
    std::string json = "[";
    for (std::size_t i = 0; i < count; ++i) {
        json += i == 0 ? R"("x")" : R"(,"x")";
    }
    return json + "]";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(id_token_levels)

BOOST_AUTO_TEST_CASE(accepts_each_of_the_levels_asked_for) {
    for (const std::string_view acr : {"eidas2", "eidas3", "eidas1-mfa"}) {
        BOOST_TEST(with_acr(acr, {"eidas2", "eidas3", "eidas1-mfa"}) == "accepted", acr);
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_level_that_was_not_asked_for) {
    for (const std::string_view acr : {"eidas1", "", "eidas", "eidas22", "EIDAS2", " eidas2", "eidas2 ", "eidas2,eidas3", "eidas2 eidas3", "eidas0-mfa"}) {
        BOOST_TEST(with_acr(acr, {"eidas2", "eidas3"}) == "PC3018", acr);
    }
    // Membership, not order: a higher level was not asked for.
    BOOST_TEST(with_acr("eidas3", {"eidas2"}) == "PC3018");
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_level_that_was_asked_for_as_essential) {
    BOOST_TEST(check(kUsual.without("acr"), asking_for({"eidas1"})) == "PC3018");
}

BOOST_AUTO_TEST_CASE(accepts_any_level_or_none_when_none_was_asked_for) {
    BOOST_TEST(check(kUsual.without("acr")) == "accepted");
    BOOST_TEST(with_acr("whatever", {}) == "accepted");
    BOOST_TEST(with_acr("", {}) == "accepted");
    BOOST_TEST(oidc::check_id_token(verified(kUsual.with_text("acr", "whatever")), usual_expectations(), kLoginTime)->acr == "whatever");
}

BOOST_AUTO_TEST_CASE(refuses_a_level_of_another_type_even_when_none_was_asked_for) {
    for (const std::string_view json : {"1", "true", R"(["eidas2"])", R"({"value":"eidas2"})"}) {
        BOOST_TEST(check(kUsual.with("acr", json)) == "PC3020", json);
        // Where a level was asked for, the user is told that a stronger login is needed.
        BOOST_TEST(check(kUsual.with("acr", json), asking_for({"eidas2"})) == "PC3018", json);
    }
}

BOOST_AUTO_TEST_CASE(takes_null_for_no_level) {
    BOOST_TEST(check(kUsual.with("acr", "null")) == "accepted");
    BOOST_TEST(check(kUsual.with("acr", "null"), asking_for({"eidas2"})) == "PC3018");
}

BOOST_AUTO_TEST_CASE(bounds_the_length_of_the_level) {
    BOOST_TEST(with_acr(std::string(255, 'a'), {}) == "accepted");
    BOOST_TEST(with_acr(std::string(256, 'a'), {}) == "PC3020");
}

BOOST_AUTO_TEST_CASE(reads_the_methods_of_authentication) {
    const auto methods = [](std::string_view json) { return oidc::check_id_token(verified(kUsual.with("amr", json)), usual_expectations(), kLoginTime)->amr; };
    BOOST_TEST((methods(R"(["mfa","pop","é"])") == std::vector<std::string>{"mfa", "pop", "é"}));
    BOOST_TEST(methods("[]").empty());
    BOOST_TEST(methods("null").empty());
    BOOST_TEST(methods(R"([""])").size() == 1U);
}

BOOST_AUTO_TEST_CASE(refuses_methods_of_another_type) {
    for (const std::string_view json : {R"("pwd")", R"("")", "1", "true", "{}", R"({"0":"pwd"})", R"(["pwd",1])", R"([null])", R"([["pwd"]])", R"(["pwd",{}])"}) {
        BOOST_TEST(check(kUsual.with("amr", json)) == "PC3020", json);
    }
}

BOOST_AUTO_TEST_CASE(bounds_the_number_of_methods) {
    BOOST_TEST(check(kUsual.with("amr", array_of(32))) == "accepted");
    BOOST_TEST(check(kUsual.with("amr", array_of(33))) == "PC3020");
}

BOOST_AUTO_TEST_CASE(reads_the_session_of_the_provider) {
    BOOST_TEST(check(kUsual.without("sid")) == "accepted");
    BOOST_TEST(check(kUsual.with_text("sid", std::string(255, 's'))) == "accepted");
    BOOST_TEST(check(kUsual.with_text("sid", std::string(256, 's'))) == "PC3020");
    for (const std::string_view json : {"null", "1", "true", "[]", "{}", R"(["a"])"}) {
        BOOST_TEST(check(kUsual.with("sid", json)) == "PC3020", json);
    }
}

BOOST_AUTO_TEST_SUITE_END()
