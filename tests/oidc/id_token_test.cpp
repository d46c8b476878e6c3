// Whom an ID token is from, for and about. The times and levels are in id_token_times_test.cpp and id_token_levels_test.cpp.
#include "oidc/id_token.hpp"

#include <boost/test/unit_test.hpp>

#include "oidc/id_token_fixture.hpp"

using namespace proconnect;
using namespace proconnect::test;
using namespace std::chrono_literals;

namespace {

/// JSON values that are no string.
constexpr std::string_view kNoStrings[] = {"null", "true", "0", "1", "12345", "{}", "[]", R"(["client-1"])", R"({"a":"client-1"})"};

/// The claims without those of `names`.
ClaimSet without(ClaimSet claims, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        claims = claims.without(name);
    }
    return claims;
}

const ClaimSet kUsual = id_token_claims();

}  // namespace

BOOST_AUTO_TEST_SUITE(id_token)

BOOST_AUTO_TEST_CASE(accepts_the_token_of_this_login_and_gives_its_claims) {
    const auto claims = oidc::check_id_token(verified(kUsual), usual_expectations(), kLoginTime);
    BOOST_REQUIRE(claims.has_value());
    BOOST_TEST(claims->issuer == kLoginIssuer);
    BOOST_TEST(claims->subject == kLoginSubject);
    BOOST_TEST((claims->expires == kLoginTime + 1h));
    BOOST_TEST((claims->issued == kLoginTime));
    BOOST_TEST(claims->acr == "eidas1");
    BOOST_TEST((claims->amr == std::vector<std::string>{"pwd", "otp"}));
    BOOST_TEST(claims->sid == "session-at-the-provider");
    BOOST_TEST((claims->auth_time == kLoginTime - 5s));
}

BOOST_AUTO_TEST_CASE(accepts_a_token_with_the_required_claims_alone) {
    const auto claims = oidc::check_id_token(verified(without(kUsual, {"at_hash", "acr", "amr", "auth_time", "sid"})), usual_expectations(), kLoginTime);
    BOOST_REQUIRE(claims.has_value());
    BOOST_TEST(claims->acr == "");
    BOOST_TEST(claims->amr.empty());
    BOOST_TEST(claims->sid == "");
    BOOST_TEST(!claims->auth_time.has_value());
}

BOOST_AUTO_TEST_CASE(names_the_first_failure_in_the_order_of_the_specification) {
    auto expected = usual_expectations();
    expected.acr_values = {"eidas2"};
    expected.authenticated_since = kLoginTime;
    ClaimSet claims{{"amr", "1"}, {"sid", "1"}, {"at_hash", R"("wrong")"}};
    const std::vector<std::pair<std::string, ClaimSet::Member>> steps{
        {"PC3010", {"iss", json::quoted(kLoginIssuer)}}, {"PC3011", {"aud", json::quoted(kLoginClient)}}, {"PC3014", {"exp", date(kLoginTime + 1h)}},
        {"PC3015", {"iat", date(kLoginTime)}}, {"PC3013", {"sub", R"("s")"}}, {"PC3017", {"at_hash", json::quoted(kLoginAccessTokenHash)}},
        {"PC3016", {"nonce", json::quoted(kLoginNonce)}}, {"PC3018", {"acr", R"("eidas2")"}}, {"PC3019", {"auth_time", date(kLoginTime)}},
        {"PC3020", {"amr", "[]"}}, {"PC3020", {"sid", R"("")"}}};
    for (const auto& [code, cure] : steps) {
        BOOST_TEST(check(claims, expected) == code, cure.first);
        claims = claims.with(cure.first, cure.second);
    }
    BOOST_TEST(check(claims, expected) == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_issuer) {
    BOOST_TEST(check(kUsual.without("iss")) == "PC3010");
    for (const auto json : kNoStrings) {
        BOOST_TEST(check(kUsual.with("iss", json)) == "PC3010", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_another_issuer_byte_for_byte) {
    for (const auto& issuer : std::vector<std::string>{kLoginIssuer + "/", kLoginIssuer.substr(0, kLoginIssuer.size() - 1), "https://AUTH.example.gouv.fr/api/v2",
                               "http://auth.example.gouv.fr/api/v2", "https://auth.example.gouv.fr:443/api/v2", " " + kLoginIssuer,
                               kLoginIssuer + "\n", "https://evil.example/api/v2", "", kLoginIssuer + kLoginIssuer}) {
        BOOST_TEST(check(kUsual.with_text("iss", issuer)) == "PC3010", issuer);
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_issuer_when_none_is_expected) {
    auto expected = usual_expectations();
    expected.issuer.clear();
    BOOST_TEST(check(kUsual.with_text("iss", ""), expected) == "PC3010");
    BOOST_TEST(check(kUsual, expected) == "PC3010");
}

BOOST_AUTO_TEST_CASE(tolerates_no_missing_slash_either) {
    auto expected = usual_expectations();
    expected.issuer = kLoginIssuer + "/";
    BOOST_TEST(check(kUsual, expected) == "PC3010");
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_audience_or_one_of_another_type) {
    BOOST_TEST(check(kUsual.without("aud")) == "PC3011");
    for (const std::string_view json : {"null", "true", "1", "{}", "[]", R"({"client-1":"client-1"})", "[1]", R"([["client-1"]])", R"(["client-1",1])",
                                        R"(["client-1",null])", R"([{"client-1":1}])"}) {
        BOOST_TEST(check(kUsual.with("aud", json)) == "PC3011", json);
        // An azp of ours does not make up for it.
        BOOST_TEST(check(kUsual.with("aud", json).with_text("azp", kLoginClient)) == "PC3011", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_audience_of_another_client) {
    for (const std::string_view audience : {"client-2", "", "client-1 ", " client-1", "Client-1", "client-", "client-10", "client-1,client-2", "client-1\t"}) {
        BOOST_TEST(check(kUsual.with_text("aud", audience)) == "PC3011", audience);
        BOOST_TEST(check(kUsual.with("aud", "[" + json::quoted(audience) + "]")) == "PC3011", audience);
    }
    BOOST_TEST(check(kUsual.with("aud", R"(["client-2","client-3"])").with_text("azp", kLoginClient)) == "PC3011");
}

BOOST_AUTO_TEST_CASE(accepts_an_array_that_holds_this_client_alone) {
    BOOST_TEST(check(kUsual.with("aud", R"(["client-1"])")) == "accepted");
    BOOST_TEST(check(kUsual.with("aud", R"(["client-1"])").with_text("azp", kLoginClient)) == "accepted");
}

BOOST_AUTO_TEST_CASE(accepts_other_audiences_only_with_this_client_as_authorized_party) {
    for (const std::string_view audiences : {R"(["client-1","client-2"])", R"(["client-2","client-1"])", R"(["client-2","client-1","client-3"])"}) {
        const auto claims = kUsual.with("aud", audiences);
        BOOST_TEST(check(claims.with_text("azp", kLoginClient)) == "accepted");
        BOOST_TEST(check(claims) == "PC3012");
        BOOST_TEST(check(claims.with_text("azp", "client-2")) == "PC3012");
        BOOST_TEST(check(claims.with("azp", "null")) == "PC3012");
    }
    // Twice the same name is no single audience.
    BOOST_TEST(check(kUsual.with("aud", R"(["client-1","client-1"])")) == "PC3012");
}

BOOST_AUTO_TEST_CASE(refuses_another_authorized_party_whatever_the_audience) {
    for (const std::string_view audience : {R"("client-1")", R"(["client-1"])"}) {
        const auto claims = kUsual.with("aud", audience);
        BOOST_TEST(check(claims.with_text("azp", kLoginClient)) == "accepted");
        for (const std::string_view azp : {"client-2", "", "client-1 ", "client-10", "CLIENT-1"}) {
            BOOST_TEST(check(claims.with_text("azp", azp)) == "PC3012", azp);
        }
        for (const auto json : kNoStrings) {
            BOOST_TEST(check(claims.with("azp", json)) == "PC3012", json);
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_audience_when_no_client_is_expected) {
    auto expected = usual_expectations();
    expected.client_id.clear();
    for (const std::string_view json : {R"("")", R"([""])", R"("client-1")", "[]"}) {
        BOOST_TEST(check(kUsual.with("aud", json), expected) == "PC3011", json);
        BOOST_TEST(check(kUsual.with("aud", json).with_text("azp", ""), expected) == "PC3011", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_subject_or_one_of_another_type) {
    BOOST_TEST(check(kUsual.without("sub")) == "PC3013");
    BOOST_TEST(check(kUsual.with_text("sub", "")) == "PC3013");
    for (const auto json : kNoStrings) {
        BOOST_TEST(check(kUsual.with("sub", json)) == "PC3013", json);
    }
}

BOOST_AUTO_TEST_CASE(bounds_the_length_of_the_subject) {
    BOOST_TEST(check(kUsual.with_text("sub", "s")) == "accepted");
    BOOST_TEST(check(kUsual.with_text("sub", std::string(255, 's'))) == "accepted");
    BOOST_TEST(check(kUsual.with_text("sub", std::string(256, 's'))) == "PC3013");
}

BOOST_AUTO_TEST_CASE(accepts_printable_ascii_only_in_the_subject) {
    for (int byte = 1; byte < 0x80; ++byte) {
        const bool printable = byte > 0x20 && byte < 0x7f;
        const std::string character(1, static_cast<char>(byte));
        for (const auto& subject : {character + "tail", "mid" + character + "dle", "head" + character}) {
            BOOST_TEST(check(kUsual.with_text("sub", subject)) == (printable ? "accepted" : "PC3013"), byte);
        }
    }
    for (const std::string_view subject : {"é", "Ÿann", "a\u00a0b", "\u202egnp", "\xf0\x9f\x98\x80"}) {
        BOOST_TEST(check(kUsual.with_text("sub", subject)) == "PC3013", subject);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_nonce) {
    const auto result = oidc::check_id_token(verified(kUsual.without("nonce")), usual_expectations(), kLoginTime);
    BOOST_TEST(outcome(result) == "PC3016");
    for (const auto json : kNoStrings) {
        BOOST_TEST(check(kUsual.with("nonce", json)) == "PC3016", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_nonce_of_another_login) {
    for (std::size_t i = 0; i < kLoginNonce.size(); ++i) {
        std::string other = kLoginNonce;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(check(kUsual.with_text("nonce", other)) == "PC3016", i);
    }
    for (const auto& nonce : std::vector<std::string>{"", kLoginNonce + "x", kLoginNonce.substr(1), kLoginNonce.substr(0, kLoginNonce.size() - 1), kLoginNonce + " "}) {
        BOOST_TEST(check(kUsual.with_text("nonce", nonce)) == "PC3016", nonce);
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_nonce_when_none_is_expected) {
    auto expected = usual_expectations();
    expected.nonce = core::Secret{};
    BOOST_TEST(check(kUsual.with_text("nonce", ""), expected) == "PC3016");
    BOOST_TEST(check(kUsual.without("nonce"), expected) == "PC3016");
    BOOST_TEST(check(kUsual, expected) == "PC3016");
}

BOOST_AUTO_TEST_CASE(checks_the_hash_of_the_access_token_where_it_is_present) {
    BOOST_TEST(check(kUsual.without("at_hash")) == "accepted");
    for (const auto& hash : std::vector<std::string>{"", "77QmUPtjPfzWtF2AnpK9RA", kLoginAccessTokenHash + "==", kLoginAccessTokenHash.substr(1),
                             // the whole digest, and its right half
                             "77QmUPtjPfzWtF2AnpK9RWpXrWrlecdbLUyJDIb7S6Q", "aletaWt5x1stTIkMhvtLpA", kLoginAccessToken}) {
        BOOST_TEST(check(kUsual.with_text("at_hash", hash)) == "PC3017", hash);
    }
    for (const auto json : kNoStrings) {
        BOOST_TEST(check(kUsual.with("at_hash", json)) == "PC3017", json);
    }
}

BOOST_AUTO_TEST_CASE(refuses_the_hash_of_another_access_token) {
    auto expected = usual_expectations();
    expected.access_token = core::Secret{kLoginAccessToken + "x"};
    BOOST_TEST(check(kUsual, expected) == "PC3017");
}

BOOST_AUTO_TEST_CASE(refuses_a_hash_when_there_is_no_access_token) {
    auto expected = usual_expectations();
    expected.access_token = core::Secret{};
    // The left half of SHA-256 of nothing.
    BOOST_TEST(check(kUsual.with_text("at_hash", "47DEQpj8HBSa-_TImW-5JA"), expected) == "PC3017");
    BOOST_TEST(check(kUsual.with_text("at_hash", ""), expected) == "PC3017");
    BOOST_TEST(check(kUsual.without("at_hash"), expected) == "accepted");
}

BOOST_AUTO_TEST_CASE(ignores_claims_it_does_not_know) {
    BOOST_TEST(check(kUsual.with("custom", R"({"a":[1,{"b":null}]})").with_text("c_hash", "x").with("typ", "1")) == "accepted");
}

BOOST_AUTO_TEST_CASE(says_whether_a_claim_is_missing_or_wrong) {
    const auto detail = [](const ClaimSet& claims) { return oidc::check_id_token(verified(claims), usual_expectations(), kLoginTime).error().detail; };
    BOOST_TEST(detail(kUsual.without("iss")) == "iss: missing");
    BOOST_TEST(detail(kUsual.with_text("iss", "x")) == "iss: not the configured issuer");
    BOOST_TEST(detail(kUsual.without("nonce")) == "nonce: missing");
    BOOST_TEST(detail(kUsual.with_text("nonce", "x")) == "nonce: not the one of this login");
    BOOST_TEST(detail(kUsual.without("exp")) == "exp: missing");
    BOOST_TEST(detail(kUsual.with("exp", "true")) == "exp: not a date");
    BOOST_TEST(detail(kUsual.without("iat")) == "iat: missing");
    BOOST_TEST(detail(kUsual.with("iat", "true")) == "iat: not a date");
    BOOST_TEST(detail(kUsual.without("aud")) == "aud: missing");
    BOOST_TEST(detail(kUsual.with_text("aud", "x")) == "aud: does not name this client");
}

BOOST_AUTO_TEST_CASE(repeats_no_claim_in_the_detail) {
    auto expected = usual_expectations();
    expected.acr_values = {"eidas2"};
    for (const std::string_view name : {"iss", "aud", "azp", "sub", "exp", "iat", "nonce", "at_hash", "acr", "auth_time"}) {
        const auto result = oidc::check_id_token(verified(kUsual.with_text("acr", "eidas2").with_text(name, "a value to keep quiet about")), expected, kLoginTime);
        BOOST_REQUIRE_MESSAGE(!result, name);
        BOOST_TEST((result.error().detail.find("quiet") == std::string::npos), result.error().detail);
        BOOST_TEST((result.error().detail.find(kLoginNonce) == std::string::npos), result.error().detail);
    }
}

BOOST_AUTO_TEST_SUITE_END()
