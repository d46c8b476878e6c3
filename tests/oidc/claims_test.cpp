// merge_claims() of oidc/claims.hpp.
#include "oidc/claims.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "support/claim_set.hpp"

using namespace proconnect;
using namespace proconnect::test;
using session::Attribute;
using Kind = Attribute::Kind;

namespace {

oidc::IdTokenClaims id_token() {
    oidc::IdTokenClaims claims;
    claims.issuer = "https://auth.example.gouv.fr/api/v2";
    claims.subject = "the-subject";
    claims.acr = "eidas2";
    claims.amr = {"pwd", "otp"};
    claims.sid = "the-sid";
    claims.auth_time = core::from_unix_seconds(1'789'999'000);
    return claims;
}

std::expected<oidc::Claims, core::Error> try_merge(const std::string& userinfo, const oidc::IdTokenClaims& claims = id_token()) {
    // Larger than any answer, so that the limits under test are those of merge_claims().
    const auto document = json::Document::parse_object(userinfo, {.max_bytes = 1 << 20, .max_depth = 16, .max_values = 20000, .max_string_bytes = 1 << 20});
    return oidc::merge_claims(claims, document->root());
}

oidc::Claims merge(const std::string& userinfo, const oidc::IdTokenClaims& claims = id_token()) {
    return try_merge(userinfo, claims).value();
}

oidc::Claims merge_one(std::string_view name, std::string_view json) {
    return merge(ClaimSet{}.with(name, json).text());
}

const Attribute* find(const oidc::Claims& claims, std::string_view name) {
    const auto found = std::ranges::find(claims.attributes, name, &Attribute::claim);
    return found == claims.attributes.end() ? nullptr : &*found;
}

/// "text:value", "list:…", "json:…", "derived json:…"; "" when absent.
std::string show(const oidc::Claims& claims, std::string_view name) {
    const auto* const attribute = find(claims, name);
    if (attribute == nullptr) {
        return "";
    }
    const std::string kind = attribute->kind == Kind::text ? "text:" : attribute->kind == Kind::list ? "list:" : "json:";
    return (attribute->derived ? "derived " : "") + kind + attribute->value;
}

std::string show(std::string_view json) {
    return show(merge_one("claim", json), "claim");
}

/// {"c0":"…","c1":"…",…}
std::string many(std::size_t count, std::size_t value_bytes) {
    ClaimSet claims;
    for (std::size_t i = 0; i < count; ++i) {
        claims = claims.with_text("c" + std::to_string(i), std::string(value_bytes, 'v'));
    }
    return claims.text();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(claims)

BOOST_AUTO_TEST_CASE(takes_who_and_how_from_the_id_token) {
    const auto merged = merge("{}");
    BOOST_TEST(merged.subject == "the-subject");
    BOOST_TEST(merged.attributes.front().claim == "sub");
    BOOST_TEST(show(merged, "sub") == "text:the-subject");
    BOOST_TEST(show(merged, "acr") == "text:eidas2");
    BOOST_TEST(show(merged, "amr") == "list:pwd;otp");
    BOOST_TEST(show(merged, "auth_time") == "json:1789999000");
    BOOST_TEST(show(merged, "sid") == "text:the-sid");
    BOOST_TEST(show(merged, "iss") == "text:https://auth.example.gouv.fr/api/v2");
    BOOST_TEST(merged.attributes.size() == 6U);
    BOOST_TEST(merged.left_out.empty());
}

BOOST_AUTO_TEST_CASE(leaves_out_what_the_id_token_does_not_say) {
    oidc::IdTokenClaims bare;
    bare.issuer = "https://i.example";
    bare.subject = "s";
    const auto merged = merge("{}", bare);
    BOOST_TEST(merged.attributes.size() == 2U);
    for (const std::string_view name : {"acr", "amr", "auth_time", "sid"}) {
        BOOST_TEST(show(merged, name) == "", name);
    }
}

BOOST_AUTO_TEST_CASE(keeps_each_kind_of_value_as_what_it_is) {
    BOOST_TEST(show(R"("Élise Ÿ œ")") == "text:Élise Ÿ œ");
    BOOST_TEST(show(R"("")") == "text:");
    BOOST_TEST(show("true") == "json:true");
    BOOST_TEST(show("false") == "json:false");
    BOOST_TEST(show("12345678901234567890") == "json:12345678901234567890");
    BOOST_TEST(show("-1.50e3") == "json:-1.50e3");
    BOOST_TEST(show(R"(["agent_public","agent_public_etat"])") == "list:agent_public;agent_public_etat");
    BOOST_TEST(show("[]") == "list:");
    BOOST_TEST(show(R"([ "a", 1, null ])") == R"(json:["a",1,null])");
    BOOST_TEST(show(R"([["a"],["b"]])") == R"(json:[["a"],["b"]])");
    BOOST_TEST(show(R"({ "a" : { "b" : [ true ] } })") == R"(json:{"a":{"b":[true]}})");
    BOOST_TEST(show("{}") == "json:{}");
}

BOOST_AUTO_TEST_CASE(leaves_null_out) {
    const auto merged = merge_one("email", "null");
    BOOST_TEST(show(merged, "email") == "");
    BOOST_TEST(merged.left_out.empty());
}

BOOST_AUTO_TEST_CASE(escapes_what_separates_the_elements_of_a_list) {
    BOOST_TEST(show(R"(["a;b","c\\d","","e"])") == R"(list:a\;b;c\\d;;e)");
}

BOOST_AUTO_TEST_CASE(makes_spaces_of_control_characters) {
    for (int byte = 1; byte < 0x80; ++byte) {
        const std::string character(1, static_cast<char>(byte));
        const bool control = byte < 0x20 || byte == 0x7f;
        const std::string expected = control ? " " : character;
        BOOST_TEST(show(json::quoted("a" + character + "b")) == "text:a" + expected + "b", byte);
        const std::string in_list = byte == ';' || byte == '\\' ? "\\" + character : expected;
        BOOST_TEST(show("[" + json::quoted("a" + character + "b") + "]") == "list:a" + in_list + "b", byte);
    }
    BOOST_TEST(show(R"("a\r\nX-Injected: 1")") == "text:a  X-Injected: 1");
}

BOOST_AUTO_TEST_CASE(holds_no_line_break_in_json_values_either) {
    BOOST_TEST(show(R"({"a":"b\r\nc\u0001"})") == R"(json:{"a":"b\u000d\u000ac\u0001"})");
    auto claims = id_token();
    claims.acr = "a\nb";
    claims.sid = "c\rd";
    claims.amr = {"e\nf"};
    const auto merged = merge("{}", claims);
    for (const auto& attribute : merged.attributes) {
        BOOST_TEST(std::ranges::none_of(attribute.value, [](unsigned char c) { return c < 0x20 || c == 0x7f; }), attribute.claim);
    }
    BOOST_TEST(show(merged, "acr") == "text:a b");
    BOOST_TEST(show(merged, "sid") == "text:c d");
    BOOST_TEST(show(merged, "amr") == "list:e f");
}

BOOST_AUTO_TEST_CASE(lets_the_id_token_speak_alone_for_what_is_its_own) {
    for (const std::string_view name : {"iss", "aud", "exp", "iat", "nbf", "jti", "azp", "nonce", "sub", "at_hash", "c_hash", "s_hash", "acr", "amr", "auth_time", "sid"}) {
        const auto merged = merge_one(name, R"("forged")");
        BOOST_TEST(merged.attributes.size() == 6U, name);
        BOOST_TEST(std::ranges::none_of(merged.attributes, [](const Attribute& attribute) { return attribute.value == "forged"; }), name);
    }
}

BOOST_AUTO_TEST_CASE(lets_userinfo_say_no_level_where_the_id_token_says_none) {
    oidc::IdTokenClaims bare;
    bare.issuer = "https://i.example";
    bare.subject = "s";
    const auto merged = merge(R"({"acr":"eidas3","amr":["mfa"],"auth_time":1,"sid":"x"})", bare);
    BOOST_TEST(merged.attributes.size() == 2U);
}

// Other spellings become the same variable: ACR is PROCONNECT_ACR as well as acr is.
BOOST_AUTO_TEST_CASE(lets_no_other_spelling_take_the_variables_of_the_id_token) {
    for (const std::string_view name : {"ACR", "Acr", "aCr", "AMR", "Iss", "SUB", "Sid", "auth-time", "auth.time", "AUTH TIME", "auth:time", "Nonce", "AT-HASH"}) {
        const auto merged = merge_one(name, R"("forged")");
        BOOST_TEST(std::ranges::none_of(merged.attributes, [](const Attribute& attribute) { return attribute.value == "forged"; }), name);
    }
}

// PROCONNECT_SESSION, _CLAIMS and _EXPIRES are the module's own.
BOOST_AUTO_TEST_CASE(lets_no_claim_take_the_variables_of_the_module) {
    for (const std::string_view name : {"session", "SESSION", "claims", "Claims", "expires", "EXPIRES"}) {
        const auto merged = merge_one(name, R"("forged")");
        BOOST_TEST(std::ranges::none_of(merged.attributes, [](const Attribute& attribute) { return attribute.value == "forged"; }), name);
    }
}

BOOST_AUTO_TEST_CASE(keeps_the_other_claims_under_their_own_names) {
    for (const std::string_view name : {"email", "chorusdt:matricule", "phone_number", "a-b.c", "été", "x y", "groups", "idp_acr", "\"", "=", "PROCONNECT_ACR"}) {
        BOOST_TEST(show(merge_one(name, R"("v")"), name) == "text:v", name);
    }
}

BOOST_AUTO_TEST_CASE(leaves_out_claims_whose_names_cannot_be_used) {
    for (const auto& name : std::vector<std::string>{"", "a\nb", "\r", "a\x7f", std::string(129, 'n')}) {
        const auto merged = merge_one(name, R"("v")");
        BOOST_TEST(merged.attributes.size() == 6U);
        BOOST_REQUIRE(merged.left_out.size() == 1U);
        // The name itself does not go to the log.
        BOOST_TEST(merged.left_out[0] == "a claim with an unusable name");
    }
    BOOST_TEST(show(merge_one(std::string(128, 'n'), R"("v")"), std::string(128, 'n')) == "text:v");
}

BOOST_AUTO_TEST_CASE(shows_the_scalars_of_custom_one_by_one_too) {
    const auto merged = merge(R"({"custom":{"a":"b","n":1,"t":true,"o":{"x":1},"l":["y"],"z":null,"":"e"}})");
    BOOST_TEST(show(merged, "custom") == R"(json:{"a":"b","n":1,"t":true,"o":{"x":1},"l":["y"],"z":null,"":"e"})");
    BOOST_TEST(show(merged, "custom.a") == "derived text:b");
    BOOST_TEST(show(merged, "custom.n") == "derived json:1");
    BOOST_TEST(show(merged, "custom.t") == "derived json:true");
    for (const std::string_view name : {"custom.o", "custom.l", "custom.z"}) {
        BOOST_TEST(show(merged, name) == "", name);
    }
    BOOST_TEST(show(merge(R"({"custom":{}})"), "custom") == "json:{}");
    BOOST_TEST(show(merge(R"({"custom":"text"})"), "custom") == "text:text");
    BOOST_TEST(show(merge(R"({"other":{"a":"b"}})"), "other.a") == "");
}

BOOST_AUTO_TEST_CASE(cannot_be_told_who_or_how_by_custom) {
    const auto merged = merge(R"({"custom":{"acr":"eidas3","sub":"x"}})");
    BOOST_TEST(show(merged, "acr") == "text:eidas2");
    BOOST_TEST(show(merged, "sub") == "text:the-subject");
    BOOST_TEST(show(merged, "custom.acr") == "derived text:eidas3");
}

BOOST_AUTO_TEST_CASE(leaves_out_a_value_that_is_too_long_as_a_whole) {
    const auto at_limit = merge_one("long", json::quoted(std::string(oidc::kMaxClaimBytes, 'v')));
    BOOST_TEST(find(at_limit, "long")->value.size() == oidc::kMaxClaimBytes);
    BOOST_TEST(at_limit.left_out.empty());
    const auto beyond = merge_one("long", json::quoted(std::string(oidc::kMaxClaimBytes + 1, 'v')));
    BOOST_TEST(show(beyond, "long") == "");
    BOOST_TEST((beyond.left_out == std::vector<std::string>{"long"}));
    // A list by what it becomes, with its separators.
    const std::string half(oidc::kMaxClaimBytes / 2, 'v');
    BOOST_TEST(show(merge_one("list", "[" + json::quoted(half) + "," + json::quoted(half) + "]"), "list") == "");
    // A long member of custom takes custom with it, and itself.
    BOOST_TEST(merge(R"({"custom":{"a":)" + json::quoted(std::string(oidc::kMaxClaimBytes + 1, 'v')) + "}}").left_out.size() == 2U);
}

BOOST_AUTO_TEST_CASE(refuses_more_claims_than_there_may_be) {
    BOOST_TEST(merge(many(oidc::kMaxClaims - 6, 1)).attributes.size() == oidc::kMaxClaims);
    const auto refused = try_merge(many(oidc::kMaxClaims - 5, 1));
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == core::ErrorCode::session_too_large));
}

BOOST_AUTO_TEST_CASE(refuses_an_identity_that_is_too_large_in_all) {
    // Of the ID token alone, names included: sub, acr, amr, auth_time, sid, iss.
    std::size_t own = 0;
    for (const auto& attribute : merge("{}").attributes) {
        own += attribute.claim.size() + attribute.value.size();
    }
    const std::size_t left = oidc::kMaxIdentityBytes - own;
    const auto filled = [&](std::size_t bytes) {
        ClaimSet claims;
        int number = 10;
        for (; bytes > 8000; bytes -= 8000) {
            claims = claims.with_text("c" + std::to_string(number++), std::string(8000 - 3, 'v'));
        }
        return claims.with_text("end", std::string(bytes - 3, 'v')).text();
    };
    BOOST_TEST(try_merge(filled(left)).has_value());
    const auto refused = try_merge(filled(left + 1));
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == core::ErrorCode::session_too_large));
    BOOST_TEST((refused.error().detail.find("vvv") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(takes_a_userinfo_that_is_no_object_for_an_empty_one) {
    const auto document = json::Document::parse(R"(["sub"])");
    BOOST_TEST(oidc::merge_claims(id_token(), document->root())->attributes.size() == 6U);
}

BOOST_AUTO_TEST_SUITE_END()
