// verify_jws() and token_form() of oidc/jwt.hpp.
#include <openssl/err.h>

#include <boost/test/unit_test.hpp>

#include "oidc/jwt.hpp"
#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

using namespace proconnect::test;
using namespace proconnect::oidc;
using proconnect::core::ErrorCode;
using proconnect::core::Secret;
using proconnect::crypto::SignatureAlgorithm;

namespace {

constexpr AlgorithmPolicy kEs256{.es256 = true};
constexpr AlgorithmPolicy kRs256{.rs256 = true};
constexpr AlgorithmPolicy kHs256{.hs256 = true};
constexpr AlgorithmPolicy kAll{.es256 = true, .rs256 = true, .hs256 = true};
constexpr std::string_view kClaims = R"({"iss":"https://example.org","sub":"é"})";

JsonWebKeySet set_of(std::initializer_list<std::string> jwks) {
    return *JsonWebKeySet::parse(jwk_set(jwks));
}

/// The provider's usual keys.
const JsonWebKeySet& provider_keys() {
    static const auto set = set_of({ec_key().public_jwk("ec"), rsa_key().public_jwk("rsa")});
    return set;
}

const Secret& client_secret() {
    static const Secret secret{"a client secret of more than 32 bytes"};
    return secret;
}

std::expected<VerifiedJwt, proconnect::core::Error> verify(std::string_view token, const AlgorithmPolicy& policy = AlgorithmPolicy::asymmetric(),
                                                           const JsonWebKeySet& keys = provider_keys()) {
    return verify_jws(token, policy, {.jwks = &keys, .client_secret = &client_secret()});
}

/// The number of the refusal, 3002 for example; 0 when the token is accepted.
int refusal(std::string_view token, const AlgorithmPolicy& policy = AlgorithmPolicy::asymmetric(), const JsonWebKeySet& keys = provider_keys()) {
    const auto result = verify(token, policy, keys);
    return result ? 0 : static_cast<int>(result.error().code);
}

/// An ES256 token of the usual key with further header members.
std::string with_header(std::string_view more, std::string_view claims = kClaims) {
    return signed_token(ec_key(), R"({"alg":"ES256")" + std::string{more} + "}", claims);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jws)

BOOST_AUTO_TEST_CASE(verifies_tokens_and_gives_their_claims) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        const auto jwt = verify(signed_claims(*key, kClaims, key->is_rsa() ? "rsa" : "ec"));
        BOOST_REQUIRE(jwt.has_value());
        BOOST_TEST(jwt->claims().string_member("sub").value() == "é");
        BOOST_TEST(jwt->claims().to_text() == kClaims);
        BOOST_TEST((jwt->algorithm() == (key->is_rsa() ? SignatureAlgorithm::rs256 : SignatureAlgorithm::es256)));
    }
    const auto jwt = verify(hs256_token(client_secret().reveal(), R"({"alg":"HS256"})", kClaims), kHs256);
    BOOST_REQUIRE(jwt.has_value());
    BOOST_TEST((jwt->algorithm() == SignatureAlgorithm::hs256));
}

// RFC 7515 appendix A.1 to A.3: the same claims under the three algorithms.
BOOST_AUTO_TEST_CASE(verifies_the_examples_of_rfc_7515) {
    const Secret secret{decoded(kRfc7515A1Secret)};
    const auto rsa = set_of({std::string{kRfc7515A2Key}});
    const auto ec = set_of({std::string{kRfc7515A3Key}});
    for (const auto& jwt : {verify_jws(kRfc7515A1, kHs256, {.jwks = nullptr, .client_secret = &secret}), verify(kRfc7515A2, kRs256, rsa), verify(kRfc7515A3, kEs256, ec)}) {
        BOOST_REQUIRE(jwt.has_value());
        BOOST_TEST(jwt->claims().string_member("iss").value() == "joe");
        BOOST_TEST(jwt->claims().find("exp")->as_numeric_date().value() == 1300819380);
        BOOST_TEST(jwt->claims().find("http://example.com/is_root")->as_bool().value());
    }
}

// RFC 7515 appendix A.4 and A.5, RFC 7520 sections 4.2 and 4.3.
BOOST_AUTO_TEST_CASE(refuses_the_examples_with_other_algorithms) {
    for (const auto token : {kRfc7515A4, kRfc7515A5, kRfc7520Section42, kRfc7520Section43}) {
        BOOST_TEST(refusal(token, kAll) == 3002, token);
    }
}

// RFC 7520 sections 4.1 and 4.4: well signed, but prose is no set of claims.
BOOST_AUTO_TEST_CASE(refuses_a_payload_that_is_no_json_object_after_its_signature) {
    const auto keys = set_of({std::string{kRfc7520Key33}});
    BOOST_TEST(refusal(kRfc7520Section41, kRs256, keys) == 3001);
    const Secret secret{decoded(kRfc7520Key35)};
    const auto jwt = verify_jws(kRfc7520Section44, kHs256, {.jwks = nullptr, .client_secret = &secret});
    BOOST_REQUIRE(!jwt.has_value());
    BOOST_TEST((jwt.error().code == ErrorCode::jwt_malformed));
    for (const std::string_view payload : {"", "null", "[]", "1", "\"a\"", "{", "{}x", R"({"a":1,"a":2})", "\xEF\xBB\xBF{}", R"({"a":"\u0000"})"}) {
        BOOST_TEST(refusal(signed_claims(ec_key(), payload)) == 3001, payload);
    }
    // The same payloads of a forger do not even get so far.
    BOOST_TEST(refusal(signed_claims(other_ec_key(), "null")) == 3003);
}

BOOST_AUTO_TEST_CASE(refuses_alg_none_in_every_letter_case) {
    const std::string none = "none";
    for (unsigned mask = 0; mask < 16; ++mask) {
        std::string name = none;
        for (unsigned i = 0; i < 4; ++i) {
            if ((mask >> i & 1) != 0) {
                name[i] = static_cast<char>(name[i] - 'a' + 'A');
            }
        }
        const auto input = encoded(R"({"alg":")" + name + R"("})") + "." + encoded(kClaims);
        BOOST_TEST(refusal(input + ".", kAll) == 3002, name);
        BOOST_TEST(refusal(input + "." + encoded(raw_signature(ec_key(), input)), kAll) == 3002, name);
        BOOST_TEST(refusal(input, kAll) == 3001, name);
    }
    for (const char* const name : {"", " none", "none ", "nonе", "null", "NONE256"}) {
        BOOST_TEST(refusal(encoded(R"({"alg":")" + std::string{name} + R"("})") + "." + encoded(kClaims) + ".", kAll) == 3002, name);
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_algorithm_that_is_not_the_configured_one) {
    const auto es256 = signed_claims(ec_key(), kClaims, "ec");
    const auto rs256 = signed_claims(rsa_key(), kClaims, "rsa");
    const auto hs256 = hs256_token(client_secret().reveal(), R"({"alg":"HS256"})", kClaims);
    BOOST_TEST(refusal(es256, kRs256) == 3002);
    BOOST_TEST(refusal(es256, kHs256) == 3002);
    BOOST_TEST(refusal(rs256, kEs256) == 3002);
    BOOST_TEST(refusal(rs256, kHs256) == 3002);
    BOOST_TEST(refusal(hs256, kEs256) == 3002);
    BOOST_TEST(refusal(hs256) == 3002);
    BOOST_TEST(refusal(es256, AlgorithmPolicy{}) == 3002);
    for (const char* const name : {"es256", "ES256 ", "ES384", "ES512", "RS384", "RS512", "PS256", "HS384", "HS512", "EdDSA", "ES256K", "ECDH-ES", "RSA-OAEP", "dir"}) {
        BOOST_TEST(refusal(signed_token(ec_key(), R"({"alg":")" + std::string{name} + R"("})", kClaims), kAll) == 3002, name);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_public_key_used_as_hs256_secret) {
    // The classic confusion: everything public about the RSA key tried as the secret.
    const std::string header = R"({"alg":"HS256","kid":"rsa"})";
    for (const auto& secret : {rsa_key().n(), encoded(rsa_key().n()), rsa_key().public_jwk("rsa"), rsa_key().public_jwk(), ec_key().x() + ec_key().y()}) {
        const auto token = hs256_token(secret, header, kClaims);
        BOOST_TEST(refusal(token, kRs256) == 3002);
        BOOST_TEST(refusal(token) == 3002);
        BOOST_TEST(refusal(token, kHs256) == 3003);
        BOOST_TEST(refusal(token, kAll) == 3003);
        const auto without_secret = verify_jws(token, kAll, {.jwks = &provider_keys(), .client_secret = nullptr});
        BOOST_TEST((without_secret.error().code == ErrorCode::jwt_key_unusable));
    }
}

BOOST_AUTO_TEST_CASE(refuses_hs256_with_a_short_secret) {
    const Secret secret{std::string(31, 's')};
    const auto jwt = verify_jws(hs256_token(secret.reveal(), R"({"alg":"HS256"})", kClaims), kHs256, {.jwks = nullptr, .client_secret = &secret});
    BOOST_REQUIRE(!jwt.has_value());
    BOOST_TEST((jwt.error().code == ErrorCode::jwt_key_unusable));
}

BOOST_AUTO_TEST_CASE(refuses_wrong_signatures) {
    const auto good = signed_claims(ec_key(), kClaims, "ec");
    const auto dot = good.rfind('.');
    BOOST_TEST(refusal(good.substr(0, dot + 1)) == 3003);
    BOOST_TEST(refusal(good.substr(0, dot + 1) + encoded(std::string(64, '\0'))) == 3003);
    BOOST_TEST(refusal(good.substr(0, dot + 1) + encoded(std::string(64, '\xFF'))) == 3003);
    BOOST_TEST(refusal(good.substr(0, dot + 1) + encoded(openssl_signature(ec_key(), good.substr(0, dot)))) == 3003);
    BOOST_TEST(refusal(good.substr(0, dot + 1) + encoded(raw_signature(ec_key(), good.substr(0, dot)) + '\0')) == 3003);
    BOOST_TEST(refusal(signed_claims(rsa_key(), kClaims, "rsa").substr(0, 200)) != 0);
    BOOST_TEST(refusal(hs256_token("another secret of more than 32 bytes!", R"({"alg":"HS256"})", kClaims), kHs256) == 3003);
}

BOOST_AUTO_TEST_CASE(refuses_a_header_or_payload_that_was_exchanged) {
    const auto good = signed_claims(ec_key(), kClaims, "ec");
    const auto other = signed_claims(ec_key(), R"({"sub":"somebody else"})", "ec");
    const auto signature = good.substr(good.rfind('.'));
    BOOST_TEST(refusal(other.substr(0, other.rfind('.')) + signature) == 3003);
    BOOST_TEST(refusal(encoded(R"({"alg":"ES256","kid":"ec","typ":"JWT"})") + good.substr(good.find('.'))) == 3003);
}

BOOST_AUTO_TEST_CASE(selects_the_key_by_kid) {
    const auto keys = set_of({other_ec_key().public_jwk("other"), ec_key().public_jwk("ec")});
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims, "ec"), kEs256, keys) == 0);
    BOOST_TEST(refusal(signed_claims(other_ec_key(), kClaims, "other"), kEs256, keys) == 0);
    // The key named is the only one tried.
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims, "other"), kEs256, keys) == 3003);
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_kid_with_its_own_code) {
    for (const char* const kid : {"unknown", "EC", "ec ", "ecx", "e", "../ec", "' OR 1=1"}) {
        BOOST_TEST(refusal(signed_claims(ec_key(), kClaims, kid)) == 3008, kid);
    }
    // Keys without kid are not meant by any.
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims, "ec"), kEs256, set_of({ec_key().public_jwk()})) == 3008);
    BOOST_TEST(!verify(signed_claims(ec_key(), kClaims, "a-kid-to-be-kept-out")).error().detail.contains("kept-out"));
}

BOOST_AUTO_TEST_CASE(refuses_a_kid_whose_key_is_of_another_kind) {
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims, "rsa")) == 3004);
    BOOST_TEST(refusal(signed_claims(rsa_key(), kClaims, "ec")) == 3004);
}

BOOST_AUTO_TEST_CASE(refuses_a_kid_that_is_no_string) {
    for (const char* const kid : {"1", "null", "[\"ec\"]", "{}", "true"}) {
        BOOST_TEST(refusal(with_header(",\"kid\":" + std::string{kid})) == 3001, kid);
    }
}

BOOST_AUTO_TEST_CASE(tries_every_key_that_shares_the_kid) {
    const auto keys = set_of({rsa_key().public_jwk("a"), other_ec_key().public_jwk("a"), ec_key().public_jwk("a")});
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims, "a"), kEs256, keys) == 0);
    BOOST_TEST(refusal(signed_claims(rsa_key(), kClaims, "a"), kRs256, keys) == 0);
    BOOST_TEST(refusal(signed_claims(TestKey::make_ec(), kClaims, "a"), kEs256, keys) == 3003);
}

BOOST_AUTO_TEST_CASE(is_content_with_the_first_key_that_verifies) {
    BOOST_TEST(refusal(signed_token(ec_key(), R"({"alg":"ES256"})", kClaims), kEs256, set_of({ec_key().public_jwk("a"), other_ec_key().public_jwk("b")})) == 0);
    BOOST_TEST(refusal(signed_token(ec_key(), R"({"alg":"ES256"})", kClaims), kEs256, set_of({other_ec_key().public_jwk("b"), ec_key().public_jwk("a")})) == 0);
}

BOOST_AUTO_TEST_CASE(accepts_a_token_without_kid_when_one_key_fits) {
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims)) == 0);
    BOOST_TEST(refusal(signed_claims(rsa_key(), kClaims)) == 0);
    BOOST_TEST(refusal(with_header(R"(,"kid":"")")) == 0);
    BOOST_TEST(refusal(signed_claims(other_ec_key(), kClaims)) == 3003);
}

BOOST_AUTO_TEST_CASE(refuses_a_token_without_kid_when_no_key_fits) {
    BOOST_TEST(refusal(signed_claims(ec_key(), kClaims), kEs256, set_of({rsa_key().public_jwk()})) == 3004);
    const auto jwt = verify_jws(signed_claims(ec_key(), kClaims), kEs256, {.jwks = nullptr, .client_secret = nullptr});
    BOOST_TEST((jwt.error().code == ErrorCode::jwt_key_unusable));
}

BOOST_AUTO_TEST_CASE(tries_at_most_eight_keys_without_kid) {
    const auto other = other_ec_key().public_jwk();
    const auto set_with = [&](std::size_t others) {
        std::string text = "{\"keys\":[" + rsa_key().public_jwk();  // of another kind, does not count
        for (std::size_t i = 0; i < others; ++i) {
            text += "," + other;
        }
        return *JsonWebKeySet::parse(text + "," + ec_key().public_jwk() + "]}");
    };
    const auto token = signed_claims(ec_key(), kClaims);
    BOOST_TEST(refusal(token, kEs256, set_with(1)) == 0);
    BOOST_TEST(refusal(token, kEs256, set_with(7)) == 0);
    BOOST_TEST(refusal(token, kEs256, set_with(8)) == 3003);
}

BOOST_AUTO_TEST_CASE(never_uses_a_key_that_the_token_brings_along) {
    const auto foreign = other_ec_key().public_jwk();
    for (const std::string& more : {",\"jwk\":" + foreign, std::string{R"(,"jku":"https://example.org/keys")"}, std::string{R"(,"x5u":"https://example.org/cert")"},
                                    std::string{R"(,"x5c":["MIIB"])"}, ",\"kid\":\"ec\",\"jwk\":" + foreign}) {
        const auto header = R"({"alg":"ES256")" + more + "}";
        BOOST_TEST(refusal(signed_token(other_ec_key(), header, kClaims)) == 3003, more);
        BOOST_TEST(refusal(signed_token(ec_key(), header, kClaims)) == 0, more);
    }
}

BOOST_AUTO_TEST_CASE(ignores_header_parameters_that_mean_nothing_here) {
    for (const char* const more : {R"(,"typ":"JWT")", R"(,"cty":"JWT")", R"(,"zip":"DEF")", R"(,"x5t":"a")", R"(,"unknown":{"a":[1]})", R"(,"enc":"A256GCM")"}) {
        BOOST_TEST(refusal(with_header(more)) == 0, more);
    }
}

// RFC 8725 section 3.11. Absent and "JWT" are what ProConnect's engine sends.
BOOST_AUTO_TEST_CASE(refuses_a_token_that_says_it_is_of_another_kind) {
    for (const char* const type : {"at+jwt", "application/at+jwt", "logout+jwt", "token-introspection+jwt", "secevent+jwt", "dpop+jwt", "JOSE", "JOSE+JSON", "JWTs", "JW", "+jwt",
                                   " JWT", "JWT ", "", "application/", "application/jwt+x", "text/jwt", "J\xc5\xb4T"}) {
        const auto token = with_header(std::string{R"(,"typ":")"} + type + "\"");
        const auto jwt = verify(token);
        BOOST_REQUIRE_MESSAGE(!jwt, type);
        BOOST_TEST((jwt.error().code == ErrorCode::jwt_form_unexpected), type);
        BOOST_TEST(jwt.error().detail == "JWT: typ says that it is another kind of token");
    }
    for (const char* const json : {"null", "1", "true", R"(["JWT"])", R"({"JWT":"JWT"})"}) {
        BOOST_TEST(refusal(with_header(std::string{R"(,"typ":)"} + json)) == 3007, json);
    }
    for (const char* const type : {"JWT", "jwt", "Jwt", "jWt", "application/jwt", "application/JWT", "Application/Jwt"}) {
        BOOST_TEST(refusal(with_header(std::string{R"(,"typ":")"} + type + "\"")) == 0, type);
    }
}

BOOST_AUTO_TEST_CASE(refuses_critical_extensions) {
    for (const char* const more : {R"(,"crit":["exp"],"exp":1)", R"(,"crit":["b64"],"b64":false)", R"(,"crit":[])", R"(,"crit":null)", R"(,"crit":["alg"])", R"(,"crit":"b64")",
                                   R"(,"b64":false)", R"(,"b64":true)", R"(,"b64":null)", R"(,"crit":["b64"],"b64":true)"}) {
        BOOST_TEST(refusal(with_header(more)) == 3005, more);
    }
}

BOOST_AUTO_TEST_CASE(refuses_headers_that_are_malformed) {
    const auto rest = signed_claims(ec_key(), kClaims).substr(signed_claims(ec_key(), kClaims).find('.'));
    for (const std::string_view header : {"", "{}", "null", "[]", "ES256", R"({"alg":null})", R"({"alg":1})", R"({"alg":["ES256"]})", R"({"Alg":"ES256"})", R"({"alg":"ES256")",
                                          R"({"alg":"ES256","alg":"none"})", R"({"alg":"none","alg":"ES256"})", R"({"alg":"ES256","\u0061lg":"none"})", R"({"alg":"ES256"}x)",
                                          "\xEF\xBB\xBF{\"alg\":\"ES256\"}", R"({"alg":"ES256\u0000"})", R"({"alg":"ES256","a":[[[[[1]]]]]})"}) {
        BOOST_TEST(refusal(signed_token(ec_key(), header, kClaims)) == 3001, header);
        BOOST_TEST(refusal(encoded(header) + rest) == 3001, header);
    }
    BOOST_TEST(refusal(with_header(",\"x\":\"" + std::string(20'000, 'a') + "\"")) == 3001);
}

BOOST_AUTO_TEST_CASE(bounds_the_header_on_every_side) {
    const auto with_string = [](std::size_t size) { return with_header(R"(,"x":")" + std::string(size, 'a') + "\""); };
    BOOST_TEST(refusal(with_string(8192)) == 0);
    BOOST_TEST(refusal(with_string(8193)) == 3001);

    const auto nested = [](int arrays) { return with_header(R"(,"x":)" + std::string(static_cast<std::size_t>(arrays), '[') + std::string(static_cast<std::size_t>(arrays), ']')); };
    BOOST_TEST(refusal(nested(3)) == 0);
    BOOST_TEST(refusal(nested(4)) == 3001);

    const auto with_values = [](int count) {
        std::string text;
        for (int i = 0; i < count; ++i) {
            text += text.empty() ? "0" : ",0";
        }
        return with_header(R"(,"x":[)" + text + "]");
    };
    int most = 0;
    while (most < 300 && refusal(with_values(most + 1)) == 0) {
        ++most;
    }
    BOOST_TEST(most == 195, "200 values and keys, five of them the object, alg, its value, x and the array");

    const auto padded = [](std::size_t bytes) {
        std::string text = R"({"alg":"ES256","x":")" + std::string(8000, 'a') + R"(","y":")" + std::string(8000, 'b') + "\"";
        return signed_token(ec_key(), text + std::string(bytes - text.size() - 1, ' ') + "}", kClaims);
    };
    BOOST_TEST(refusal(padded(16'384)) == 0);
    BOOST_TEST(refusal(padded(16'385)) == 3001);
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_strict_base64url) {
    const auto good = signed_token(ec_key(), R"({"alg":"ES256","kid":"ec"})", kClaims);
    BOOST_REQUIRE(refusal(good) == 0);
    BOOST_TEST(refusal(good + "=") == 3001);
    BOOST_TEST(refusal(good + "==") == 3001);
    BOOST_TEST(refusal(good + "\n") == 3001);
    BOOST_TEST(refusal(" " + good) == 3001);
    BOOST_TEST(refusal(good + "A") == 3003);  // one byte more
    BOOST_TEST(refusal("A" + good) == 3001);
    BOOST_TEST(refusal("=" + good) == 3001);
    auto unused_bits = good;  // 64 bytes leave four unused bits in the last character
    unused_bits.back() = static_cast<char>(unused_bits.back() == 'A' ? 'B' : unused_bits.back() + 1);
    BOOST_TEST(refusal(unused_bits) == 3001);
    // A payload with an impossible length, well signed.
    const std::string input = encoded(R"({"alg":"ES256"})") + ".e30AA";
    BOOST_TEST(refusal(input + "." + encoded(raw_signature(ec_key(), input))) == 3001);
}

BOOST_AUTO_TEST_CASE(refuses_texts_that_are_no_jws) {
    for (const std::string_view text : {"", ".", "..", "...", "....", ".....", "a", "a.b", "a.b.c", "null", "{}", R"({"a":"x.y.z"})", "eyJhbGciOiJFUzI1NiJ9..", "a.b.c.d"}) {
        BOOST_TEST(refusal(text) != 0, text);
    }
    BOOST_TEST(refusal(R"({"payload":"e30","signatures":[]})") == 3001);  // JSON serialization
    BOOST_TEST(refusal(kRfc7516A1) == 3007);                              // encrypted
    BOOST_TEST(refusal(std::string(kMaxJwtBytes + 1, 'a')) == 3001);
}

BOOST_AUTO_TEST_CASE(bounds_the_length_of_a_token) {
    // Under the limits of one string, many of them; above the limit of the token, refused before anything is decoded.
    std::string claims = R"({"a":[")" + std::string(45'000, 'x') + R"(",")" + std::string(45'000, 'x') + R"("]})";
    BOOST_TEST(refusal(signed_claims(ec_key(), claims)) == 0);
    claims = R"({"a":[")" + std::string(50'000, 'x') + R"(",")" + std::string(50'000, 'x') + R"("]})";
    const auto result = verify(signed_claims(ec_key(), claims));
    BOOST_REQUIRE(!result.has_value());
    BOOST_TEST(result.error().detail == "JWT: too large");
}

BOOST_AUTO_TEST_CASE(says_of_the_longest_text_what_is_wrong_with_it) {
    const auto detail = [](std::size_t size) { return verify(std::string(size, 'x')).error().detail; };
    BOOST_TEST(detail(kMaxJwtBytes).contains("compact serialization"));
    BOOST_TEST(detail(kMaxJwtBytes + 1).contains("too large"));
}

BOOST_AUTO_TEST_CASE(tells_the_administrator_which_key_an_encrypted_token_needs) {
    const auto opened = decrypt_if_configured("a.b.c.d.e", {});
    BOOST_REQUIRE(!opened);
    BOOST_TEST(static_cast<int>(opened.error().code) == 3007);
    BOOST_TEST(opened.error().detail.contains("ProConnectDecryptionKey"));
}

BOOST_AUTO_TEST_CASE(tells_the_form_of_a_token_by_its_dots) {
    BOOST_TEST((token_form(kRfc7515A3) == TokenForm::jws));
    BOOST_TEST((token_form(kRfc7515A5) == TokenForm::jws));
    BOOST_TEST((token_form(kRfc7516A1) == TokenForm::jwe));
    BOOST_TEST((token_form(kForeignEcdhEs) == TokenForm::jwe));
    for (const std::string_view text : {"", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f", R"({"a":"b.c.d"})", R"({"a":"b.c.d.e.f"})", " a.b.c", "a.b.c ", "a.b.c\n", "a.b.c=", "a.é.c",
                                        "[1.5,2.5]", "a+b.c.d", "{}"}) {
        BOOST_TEST((token_form(text) == TokenForm::other), text);
    }
}

BOOST_AUTO_TEST_CASE(shows_nothing_of_the_token_in_the_detail) {
    const std::string claims = R"({"sub":"sesame"})";
    for (const auto& token : {signed_claims(other_ec_key(), claims), signed_claims(ec_key(), claims, "sesame"), signed_token(ec_key(), R"({"alg":"sesame"})", claims),
                              with_header(R"(,"crit":["sesame"])"), signed_claims(ec_key(), "sesame"), with_header(R"(,"sesame":1,"sesame":2)")}) {
        const auto jwt = verify(token);
        BOOST_REQUIRE(!jwt.has_value());
        BOOST_TEST(!jwt.error().detail.empty());
        BOOST_TEST(!jwt.error().detail.contains("sesame"));
    }
}

BOOST_AUTO_TEST_CASE(leaves_no_error_in_the_queue) {
    ERR_clear_error();
    BOOST_TEST(refusal(signed_claims(other_ec_key(), kClaims)) == 3003);
    BOOST_TEST(refusal(signed_claims(other_rsa_key(), kClaims)) == 3003);
    BOOST_TEST(ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
