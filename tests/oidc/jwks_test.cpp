#include "oidc/jwks.hpp"

#include <boost/test/unit_test.hpp>

#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

using namespace proconnect::test;
using proconnect::core::ErrorCode;
using proconnect::crypto::KeyKind;
using proconnect::oidc::JsonWebKeySet;

namespace {

bool is_refused(std::string_view text) {
    const auto set = JsonWebKeySet::parse(text);
    return !set && set.error().code == ErrorCode::jwks_malformed;
}

/// Whether this key, beside a good one, is skipped.
bool is_skipped(const std::string& jwk) {
    const auto set = JsonWebKeySet::parse(jwk_set({jwk, ec_key().public_jwk("good")}));
    BOOST_REQUIRE(set.has_value());
    BOOST_TEST(set->keys().size() + set->skipped() == 2U);
    return set->keys().size() == 1 && set->keys().front().kid == "good";
}

std::string rsa_jwk(std::string_view n, std::string_view e) {
    return R"({"kty":"RSA","n":")" + std::string{n} + R"(","e":")" + std::string{e} + "\"}";
}

std::string ec_jwk(std::string_view crv, std::string_view x, std::string_view y) {
    return R"({"kty":"EC","crv":")" + std::string{crv} + R"(","x":")" + std::string{x} + R"(","y":")" + std::string{y} + "\"}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jwks)

BOOST_AUTO_TEST_CASE(reads_keys_of_both_kinds_in_order) {
    const auto set = JsonWebKeySet::parse(jwk_set({ec_key().public_jwk("a", R"("use":"sig","alg":"ES256")"), rsa_key().public_jwk("b", R"("alg":"RS256")"),
                                                   other_ec_key().public_jwk()}));
    BOOST_REQUIRE(set.has_value());
    BOOST_REQUIRE(set->keys().size() == 3U);
    BOOST_TEST(set->skipped() == 0U);
    BOOST_TEST(set->keys()[0].kid == "a");
    BOOST_TEST((set->keys()[0].key.kind() == KeyKind::ec_p256));
    BOOST_TEST(set->keys()[1].kid == "b");
    BOOST_TEST((set->keys()[1].key.kind() == KeyKind::rsa));
    BOOST_TEST(set->keys()[2].kid == "");
}

// RFC 7517 appendix A.1: the EC key is for encryption.
BOOST_AUTO_TEST_CASE(reads_the_example_of_rfc_7517) {
    const auto set = JsonWebKeySet::parse(kRfc7517A1);
    BOOST_REQUIRE(set.has_value());
    BOOST_REQUIRE(set->keys().size() == 1U);
    BOOST_TEST(set->keys()[0].kid == "2011-04-29");
    BOOST_TEST((set->keys()[0].key.kind() == KeyKind::rsa));
    BOOST_TEST(set->skipped() == 1U);
}

// RFC 7517 appendix A.3.
BOOST_AUTO_TEST_CASE(uses_no_symmetric_keys) {
    BOOST_TEST(is_refused(kRfc7517A3));
    BOOST_TEST(is_skipped(R"({"kty":"oct","alg":"HS256","kid":"a","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i"})"));
}

BOOST_AUTO_TEST_CASE(skips_keys_for_another_use) {
    for (const char* const more : {R"("use":"enc")", R"("use":"SIG")", R"("use":"")", R"("use":null)", R"("use":["sig"])", R"("alg":"ECDH-ES")", R"("alg":"RS256")",
                                   R"("alg":"es256")", R"("alg":"ES384")", R"("alg":"HS256")", R"("alg":"none")", R"("alg":null)", R"("key_ops":[])", R"("key_ops":["sign"])",
                                   R"("key_ops":"verify")", R"("key_ops":["verify",1])", R"("key_ops":["deriveKey"])", R"("key_ops":null)"}) {
        BOOST_TEST(is_skipped(ec_key().public_jwk("a", more)), more);
    }
    for (const char* const more : {R"("alg":"PS256")", R"("alg":"RSA-OAEP")", R"("alg":"ES256")", R"("alg":"RS512")"}) {
        BOOST_TEST(is_skipped(rsa_key().public_jwk("a", more)), more);
    }
}

BOOST_AUTO_TEST_CASE(keeps_keys_with_fitting_or_unknown_members) {
    for (const char* const more : {R"("use":"sig")", R"("alg":"ES256")", R"("key_ops":["verify"])", R"("key_ops":["sign","verify"])", R"("x5t":"a","nbf":1,"unknown":{"a":[]})",
                                   R"("x5c":["not a certificate"],"x5u":"https://example.org/")"}) {
        BOOST_TEST(!is_skipped(ec_key().public_jwk("a", more)), more);
    }
}

BOOST_AUTO_TEST_CASE(skips_weak_rsa_keys) {
    BOOST_TEST(is_skipped(TestKey::make_rsa(1024).public_jwk("a")));
    BOOST_TEST(is_skipped(TestKey::make_rsa(2047).public_jwk("a")));
    BOOST_TEST(is_skipped(rsa_jwk(encoded(rsa_key().n()), encoded("\x01"))));
    BOOST_TEST(is_skipped(rsa_jwk(encoded(rsa_key().n()), encoded("\x04"))));
    BOOST_TEST(is_skipped(rsa_jwk(encoded(std::string(2048, '\xFF')), "AQAB")));
}

BOOST_AUTO_TEST_CASE(skips_ec_keys_off_the_curve_and_on_other_curves) {
    const auto x = encoded(ec_key().x());
    const auto y = encoded(ec_key().y());
    BOOST_TEST(!is_skipped(ec_jwk("P-256", x, y)));
    BOOST_TEST(is_skipped(ec_jwk("P-256", y, x)));
    BOOST_TEST(is_skipped(ec_jwk("P-256", x, encoded(other_ec_key().y()))));
    BOOST_TEST(is_skipped(ec_jwk("P-256", encoded(std::string(32, '\0')), encoded(std::string(32, '\0')))));
    for (const char* const crv : {"P-384", "P-521", "secp256k1", "p-256", "prime256v1", "Ed25519", ""}) {
        BOOST_TEST(is_skipped(ec_jwk(crv, x, y)), crv);
    }
    BOOST_TEST(is_skipped(R"({"kty":"EC","x":")" + x + R"(","y":")" + y + "\"}"));
}

BOOST_AUTO_TEST_CASE(skips_keys_that_are_malformed) {
    const auto n = encoded(rsa_key().n());
    const auto x = encoded(ec_key().x());
    const auto y = encoded(ec_key().y());
    for (const std::string& jwk :
         {std::string{"{}"}, std::string{"null"}, std::string{"[]"}, std::string{"1"}, std::string{"\"key\""}, std::string{R"({"kty":"RSA"})"}, std::string{R"({"kty":1})"},
          std::string{R"({"kty":"rsa","n":")" + n + R"(","e":"AQAB"})"}, std::string{R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"},
          rsa_jwk(n + "=", "AQAB"), rsa_jwk(n, "AQAB="), rsa_jwk(n, " AQAB"), rsa_jwk(n, ""), rsa_jwk("", "AQAB"), rsa_jwk(n + "\\n", "AQAB"), ec_jwk("P-256", x, ""),
          ec_jwk("P-256", x, y + "="), ec_jwk("P-256", encoded('\0' + ec_key().x()), y), ec_jwk("P-256", encoded(ec_key().x().substr(1)), y),
          std::string{R"({"kty":"RSA","n":[")" + n + R"("],"e":"AQAB"})"}, std::string{R"({"kty":"RSA","n":")" + n + R"(","e":65537})"}}) {
        BOOST_TEST(is_skipped(jwk), jwk);
    }
}

BOOST_AUTO_TEST_CASE(skips_keys_whose_kid_is_no_string) {
    for (const char* const kid : {R"("kid":1)", R"("kid":null)", R"("kid":["a"])"}) {
        BOOST_TEST(is_skipped(ec_key().public_jwk("", kid)), kid);
    }
}

BOOST_AUTO_TEST_CASE(skips_keys_published_with_their_private_half) {
    BOOST_TEST(is_skipped(std::string{kRfc7518AppendixCBob}));
    BOOST_TEST(is_skipped(std::string{kRfc7517A2Rsa}));
}

BOOST_AUTO_TEST_CASE(keeps_keys_that_share_a_kid) {
    const auto set = JsonWebKeySet::parse(jwk_set({ec_key().public_jwk("a"), other_ec_key().public_jwk("a"), rsa_key().public_jwk("a")}));
    BOOST_REQUIRE(set.has_value());
    BOOST_TEST(set->keys().size() == 3U);
}

BOOST_AUTO_TEST_CASE(refuses_a_set_without_a_usable_key) {
    BOOST_TEST(is_refused(R"({"keys":[]})"));
    BOOST_TEST(is_refused(R"({"keys":[{}]})"));
    BOOST_TEST(is_refused(jwk_set({ec_key().public_jwk("a", R"("use":"enc")")})));
    BOOST_TEST(is_refused(jwk_set({TestKey::make_rsa(1024).public_jwk("a")})));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_jwk_set) {
    const auto jwk = ec_key().public_jwk("a");
    for (const std::string& text : {std::string{}, std::string{"{}"}, std::string{"[]"}, std::string{"null"}, std::string{"<html>"}, std::string{"\"keys\""}, jwk, "[" + jwk + "]",
                                    "{\"keys\":" + jwk + "}", std::string{R"({"keys":null})"}, std::string{R"({"keys":{}})"}, std::string{R"({"keys":"a"})"},
                                    "{\"Keys\":[" + jwk + "]}", "{\"keys\":[" + jwk + "]", "{\"keys\":[" + jwk + "]}x", "\xEF\xBB\xBF{\"keys\":[" + jwk + "]}",
                                    "{\"keys\":[" + jwk + "],\"keys\":[" + jwk + "]}", "{\"keys\":[" + jwk.substr(0, jwk.size() - 1) + ",\"kty\":\"EC\"}]}"}) {
        BOOST_TEST(is_refused(text), text);
    }
    BOOST_TEST(JsonWebKeySet::parse(R"({"keys":{}})").error().detail == "JWKS has no array of keys");
}

BOOST_AUTO_TEST_CASE(bounds_the_number_of_keys) {
    const auto jwk = ec_key().public_jwk("a");
    std::string text = "{\"keys\":[" + jwk;
    for (std::size_t i = 1; i < JsonWebKeySet::kMaxKeys; ++i) {
        text += "," + jwk;
    }
    BOOST_TEST(JsonWebKeySet::parse(text + "]}")->keys().size() == JsonWebKeySet::kMaxKeys);
    BOOST_TEST(is_refused(text + "," + jwk + "]}"));
    BOOST_TEST(is_refused(text + std::string(300'000, ' ') + "]}"));
}

BOOST_AUTO_TEST_SUITE_END()
