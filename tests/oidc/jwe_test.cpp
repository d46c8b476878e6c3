// decrypt_jwe() and open_token() of oidc/jwt.hpp.
#include <openssl/err.h>

#include <boost/test/unit_test.hpp>

#include "oidc/jwt.hpp"
#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

using namespace proconnect::test;
using namespace proconnect::oidc;
using proconnect::core::ErrorCode;
using proconnect::crypto::PrivateKey;

namespace {

constexpr std::string_view kPlaintext = "the plaintext";

/// The keys of the module: one of each kind.
const std::vector<PrivateKey>& our_keys() {
    static const std::vector<PrivateKey> keys{ec_key().private_key(), rsa_key().private_key()};
    return keys;
}

/// The number of the refusal, 3006 for example; 0 when the token decrypts.
int refusal(std::string_view token, std::span<const PrivateKey> keys = our_keys()) {
    const auto plaintext = decrypt_jwe(token, keys);
    return plaintext ? 0 : static_cast<int>(plaintext.error().code);
}

/// Whether the token is refused with the one code and the one detail of every failure after the header.
bool says_only_that_it_does_not_decrypt(std::string_view token) {
    const auto plaintext = decrypt_jwe(token, our_keys());
    return !plaintext && plaintext.error().code == ErrorCode::jwe_decryption && plaintext.error().detail == "JWE does not decrypt";
}

void flip(std::string& bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
}

/// The compact text with one of its five parts replaced.
std::string with_part(std::string_view compact, int index, std::string_view replacement) {
    std::string text;
    for (int i = 0; i < 5; ++i) {
        const auto end = compact.find('.');
        text.append(i == 0 ? "" : ".").append(i == index ? replacement : compact.substr(0, end));
        compact.remove_prefix(end == std::string_view::npos ? compact.size() : end + 1);
    }
    return text;
}

std::string header_alone(std::string_view header) {
    return encoded(header) + "....";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(jwe)

// RFC 7516 appendix A.1.
BOOST_AUTO_TEST_CASE(decrypts_the_example_of_rfc_7516) {
    const std::vector keys{TestKey::from_jwk(kRfc7516A1Key).private_key()};
    BOOST_TEST(decrypt_jwe(kRfc7516A1, keys).value() == "The true sign of intelligence is not knowledge but imagination.");
}

// RFC 7520 section 5.2, an RSA key of 4096 bits; its `kid` is no thumbprint.
BOOST_AUTO_TEST_CASE(decrypts_the_example_of_rfc_7520) {
    const std::vector keys{TestKey::from_jwk(kRfc7520Key52).private_key()};
    BOOST_TEST(decrypt_jwe(kRfc7520Section52, keys).value() == kRfc7520Plaintext5);
}

BOOST_AUTO_TEST_CASE(decrypts_ecdh_es_tokens_of_another_implementation) {
    const std::vector keys{TestKey::from_jwk(kRfc7518AppendixCBob).private_key()};
    BOOST_TEST(decrypt_jwe(kForeignEcdhEs, keys).value() == "interoperable");
    BOOST_TEST(decrypt_jwe(kForeignEcdhEsWithParties, keys).value() == "interoperable");
}

BOOST_AUTO_TEST_CASE(decrypts_both_kinds) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        for (const std::string& plaintext : {std::string{}, std::string{kPlaintext}, std::string(50'000, 'p'), std::string("\0\xFF", 2)}) {
            BOOST_TEST(decrypt_jwe(encrypted_token(*key, plaintext).compact(), our_keys()).value() == plaintext);
        }
    }
    BOOST_TEST(decrypt_jwe(encrypted_token(ec_key(), kPlaintext, {.apu = "u", .apv = "v"}).compact(), our_keys()).value() == kPlaintext);
}

BOOST_AUTO_TEST_CASE(refuses_the_examples_with_other_algorithms) {
    const std::vector keys{TestKey::from_jwk(kRfc7520Key55).private_key(), TestKey::from_jwk(kRfc7520Key52).private_key()};
    for (const auto token : {kRfc7516A2, kRfc7516A3, kRfc7520Section51, kRfc7520Section54, kRfc7520Section55, kRfc7520Section56, kRfc7520Section57, kRfc7520Section58}) {
        BOOST_TEST(refusal(token, keys) == 3002, token);
    }
    BOOST_TEST(refusal(kRfc7520Section59, keys) == 3005);  // zip
}

BOOST_AUTO_TEST_CASE(refuses_every_other_alg) {
    for (const char* const alg : {"RSA1_5", "RSA-OAEP-256", "RSA-OAEP-384", "rsa-oaep", "dir", "A128KW", "A256KW", "A256GCMKW", "PBES2-HS256+A128KW", "ECDH-ES+A128KW",
                                  "ECDH-ES+A256KW", "ecdh-es", "ES256", "none", "RSA-OAEP "}) {
        BOOST_TEST(refusal(encrypted_token(rsa_key(), kPlaintext, {.alg = alg}).compact()) == 3002, alg);
        BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.alg = alg}).compact()) == 3002, alg);
    }
}

BOOST_AUTO_TEST_CASE(refuses_every_other_enc) {
    for (const char* const enc : {"A128GCM", "A192GCM", "A128CBC-HS256", "A256CBC-HS512", "a256gcm", "none", "", "A256GCM "}) {
        BOOST_TEST(refusal(encrypted_token(rsa_key(), kPlaintext, {.enc = enc}).compact()) == 3002, enc);
        BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.enc = enc}).compact()) == 3002, enc);
    }
    BOOST_TEST(refusal(header_alone(R"({"alg":"ECDH-ES"})")) == 3002);
    BOOST_TEST(refusal(header_alone(R"({"alg":"ECDH-ES","enc":1})")) == 3002);
}

BOOST_AUTO_TEST_CASE(refuses_critical_extensions_and_compression) {
    for (const char* const more : {R"("crit":["exp"])", R"("crit":[])", R"("b64":false)", R"("zip":"DEF")", R"("zip":null)", R"("zip":"none")"}) {
        BOOST_TEST(refusal(encrypted_token(rsa_key(), kPlaintext, {.more = more}).compact()) == 3005, more);
        BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.more = more}).compact()) == 3005, more);
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_token_that_says_it_is_of_another_kind) {
    for (const auto* const key : {&rsa_key(), &ec_key()}) {
        for (const char* const more : {R"("typ":"at+jwt")", R"("typ":"logout+jwt")", R"("typ":"JOSE+JSON")", R"("typ":"")", R"("typ":null)", R"("typ":1)"}) {
            BOOST_TEST(refusal(encrypted_token(*key, kPlaintext, {.more = more}).compact()) == 3007, more);
        }
        BOOST_TEST(refusal(encrypted_token(*key, kPlaintext, {.more = R"("typ":"jwt")"}).compact()) == 0);
    }
}

BOOST_AUTO_TEST_CASE(refuses_malformed_headers) {
    for (const std::string_view header : {"", "{}", "null", "[]", R"({"enc":"A256GCM"})", R"({"alg":1,"enc":"A256GCM"})", R"({"alg":"ECDH-ES","alg":"ECDH-ES","enc":"A256GCM"})",
                                          R"({"alg":"ECDH-ES","enc":"A256GCM","kid":1})", R"({"alg":"ECDH-ES","enc":"A256GCM")"}) {
        BOOST_TEST(refusal(header_alone(header)) == 3001, header);
    }
    BOOST_TEST(refusal("e30=....") == 3001);
    BOOST_TEST(refusal("A....") == 3001);
    BOOST_TEST(refusal("....") == 3001);
}

BOOST_AUTO_TEST_CASE(answers_every_tampering_alike) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        const auto good = encrypted_token(*key, kPlaintext);
        BOOST_REQUIRE(refusal(good.compact()) == 0);
        for (auto part : {&JweInParts::encrypted_key, &JweInParts::iv, &JweInParts::ciphertext, &JweInParts::tag}) {
            for (std::size_t bit = 0; bit < (good.*part).size() * 8; bit += 5) {
                auto bad = good;
                flip(bad.*part, bit);
                BOOST_TEST(says_only_that_it_does_not_decrypt(bad.compact()), bit);
            }
            auto bad = good;
            bad.*part = "";
            BOOST_TEST((says_only_that_it_does_not_decrypt(bad.compact()) || (good.*part).empty()));
            bad.*part = good.*part + '\0';
            BOOST_TEST(says_only_that_it_does_not_decrypt(bad.compact()));
            bad.*part = (good.*part).substr((good.*part).empty() ? 0 : 1) + "xy";
            BOOST_TEST(says_only_that_it_does_not_decrypt(bad.compact()));
        }
        auto short_tag = good;
        short_tag.tag.resize(12);  // GCM itself would take it
        BOOST_TEST(says_only_that_it_does_not_decrypt(short_tag.compact()));
    }
}

BOOST_AUTO_TEST_CASE(answers_an_exchanged_header_like_any_tampering) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        auto jwe = encrypted_token(*key, kPlaintext);
        jwe.header.insert(jwe.header.size() - 1, R"(,"x":1)");
        BOOST_TEST(says_only_that_it_does_not_decrypt(jwe.compact()));
    }
    // Even one that means the same: what is authenticated is the text.
    auto jwe = encrypted_token(rsa_key(), kPlaintext);
    jwe.header.insert(1, " ");
    BOOST_TEST(says_only_that_it_does_not_decrypt(jwe.compact()));
}

BOOST_AUTO_TEST_CASE(answers_malformed_parts_like_any_tampering) {
    for (const auto* const key : {&ec_key(), &rsa_key()}) {
        const auto good = encrypted_token(*key, kPlaintext).compact();
        for (const int part : {1, 2, 3, 4}) {
            BOOST_TEST(says_only_that_it_does_not_decrypt(with_part(good, part, "A")), part);
            BOOST_TEST(says_only_that_it_does_not_decrypt(with_part(good, part, "Zh")), part);
        }
    }
}

BOOST_AUTO_TEST_CASE(answers_every_invalid_epk_like_any_tampering) {
    const auto x = encoded(ec_key().x());
    const auto y = encoded(ec_key().y());
    const auto point = [](std::string_view crv, std::string_view px, std::string_view py) {
        return R"({"kty":"EC","crv":")" + std::string{crv} + R"(","x":")" + std::string{px} + R"(","y":")" + std::string{py} + "\"}";
    };
    const auto longer = TestKey::make_ec("P-384");
    const auto foreign = TestKey::make_ec("secp256k1");
    for (const std::string& epk :
         {point("P-256", y, x), point("P-256", x, encoded(other_ec_key().y())), point("P-256", encoded(foreign.x()), encoded(foreign.y())),
          point("P-256", encoded(std::string(32, '\0')), encoded(std::string(32, '\0'))), point("P-256", encoded(std::string(32, '\xFF')), y),
          point("P-256", "", ""), point("P-256", x, ""), point("P-256", encoded(ec_key().x().substr(1)), y), point("P-256", encoded('\0' + ec_key().x()), y),
          point("P-256", x + "=", y), point("P-256", "A", y), point("P-384", encoded(longer.x()), encoded(longer.y())), point("P-384", x, y), point("secp256k1", x, y),
          point("p-256", x, y), point("", x, y), std::string{"{}"}, std::string{"null"}, std::string{"[]"}, std::string{"\"P-256\""}, std::string{"1"},
          rsa_key().public_jwk(), std::string{R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"},
          R"({"crv":"P-256","x":")" + x + R"(","y":")" + y + "\"}", R"({"kty":"EC","x":")" + x + R"(","y":")" + y + "\"}",
          R"({"kty":"EC","crv":"P-256","x":1,"y":")" + y + "\"}", other_ec_key().public_jwk()}) {
        BOOST_TEST(says_only_that_it_does_not_decrypt(encrypted_token(ec_key(), kPlaintext, {.epk = epk}).compact()), epk);
    }
    BOOST_TEST(says_only_that_it_does_not_decrypt(header_alone(R"({"alg":"ECDH-ES","enc":"A256GCM"})")));
}

BOOST_AUTO_TEST_CASE(answers_an_epk_that_names_its_point_wrongly_like_any_tampering) {
    const auto& ephemeral = other_ec_key();
    const auto x = R"("x":")" + encoded(ephemeral.x()) + '"';
    const auto y = R"("y":")" + encoded(ephemeral.y()) + '"';
    const auto token = [&](const std::string& epk) { return encrypted_token(ec_key(), kPlaintext, {.ephemeral = &ephemeral, .epk = epk}).compact(); };
    BOOST_TEST(refusal(token(R"({"kty":"EC","crv":"P-256",)" + x + "," + y + "}")) == 0);
    for (const auto& epk : {R"({"crv":"P-256",)" + x + "," + y + "}", R"({"kty":"RSA","crv":"P-256",)" + x + "," + y + "}", R"({"kty":"EC",)" + x + "," + y + "}",
                            R"({"kty":"EC","crv":"P-384",)" + x + "," + y + "}", R"({"kty":"EC","crv":"p-256",)" + x + "," + y + "}", R"({"kty":"EC","crv":"P-256",)" + x + "}"}) {
        BOOST_TEST(says_only_that_it_does_not_decrypt(token(epk)), epk);
    }
}

BOOST_AUTO_TEST_CASE(answers_wrong_party_information_like_any_tampering) {
    for (const char* const more : {R"("apu":1)", R"("apv":"A")", R"("apu":"Zg==")", R"("apv":null)", R"("apu":"dQ")"}) {
        BOOST_TEST(says_only_that_it_does_not_decrypt([&] {
            auto jwe = encrypted_token(ec_key(), kPlaintext);
            jwe.header.insert(jwe.header.size() - 1, "," + std::string{more});
            return jwe.compact();
        }()), more);
    }
}

BOOST_AUTO_TEST_CASE(answers_an_encrypted_key_in_direct_agreement_like_any_tampering) {
    auto jwe = encrypted_token(ec_key(), kPlaintext);
    jwe.encrypted_key = "x";
    BOOST_TEST(says_only_that_it_does_not_decrypt(jwe.compact()));
}

BOOST_AUTO_TEST_CASE(answers_every_rsa_padding_error_like_any_tampering) {
    auto jwe = encrypted_token(rsa_key(), kPlaintext);
    const auto of_another = encrypted_token(other_rsa_key(), kPlaintext).encrypted_key;
    for (const auto& wrapped : {std::string{}, std::string(1, '\0'), std::string(255, '\x01'), std::string(256, '\0'), std::string(256, '\x01'), std::string(256, '\xFF'),
                                std::string(257, '\x01'), std::string(512, '\x01'), of_another}) {
        jwe.encrypted_key = wrapped;
        BOOST_TEST(says_only_that_it_does_not_decrypt(jwe.compact()), wrapped.size());
    }
}

BOOST_AUTO_TEST_CASE(answers_tokens_for_other_recipients_like_any_tampering) {
    BOOST_TEST(says_only_that_it_does_not_decrypt(encrypted_token(other_ec_key(), kPlaintext).compact()));
    BOOST_TEST(says_only_that_it_does_not_decrypt(encrypted_token(other_rsa_key(), kPlaintext).compact()));
}

BOOST_AUTO_TEST_CASE(refuses_a_token_when_no_key_is_of_its_kind) {
    const std::vector only_ec{ec_key().private_key()};
    const std::vector only_rsa{rsa_key().private_key()};
    BOOST_TEST(refusal(encrypted_token(rsa_key(), kPlaintext).compact(), only_ec) == 3004);
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext).compact(), only_rsa) == 3004);
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext).compact(), {}) == 3004);
}

BOOST_AUTO_TEST_CASE(tries_at_most_four_keys_unless_kid_names_one) {
    std::vector<PrivateKey> keys(3, other_ec_key().private_key());
    keys.push_back(ec_key().private_key());
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext).compact(), keys) == 0);
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.more = R"("kid":"unknown")"}).compact(), keys) == 0);
    keys.insert(keys.begin(), other_ec_key().private_key());
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext).compact(), keys) == 3006);
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.more = R"("kid":"unknown")"}).compact(), keys) == 3006);
    const auto kid = R"("kid":")" + ec_key().private_key().thumbprint().value() + '"';
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.more = kid}).compact(), keys) == 0);
    // The key that is named is the only one tried.
    const auto other = R"("kid":")" + other_ec_key().private_key().thumbprint().value() + '"';
    BOOST_TEST(refusal(encrypted_token(ec_key(), kPlaintext, {.more = other}).compact(), std::span{keys}.last(2)) == 3006);
}

BOOST_AUTO_TEST_CASE(refuses_texts_that_are_no_jwe) {
    BOOST_TEST(refusal(kRfc7515A3) == 3007);
    for (const std::string_view text : {"", "a", "a.b.c.d", "a.b.c.d.e.f", "{}", R"({"a":"b.c.d.e.f"})", R"({"protected":"e30","ciphertext":"AA"})"}) {
        BOOST_TEST(refusal(text) == 3001, text);
    }
    BOOST_TEST(decrypt_jwe(std::string(kMaxJwtBytes, 'a') + "....", our_keys()).error().detail == "JWE: too large");
    BOOST_TEST((decrypt_jwe(std::string(kMaxJwtBytes + 1, 'a'), our_keys()).error().code == proconnect::core::ErrorCode::jwt_malformed));
    BOOST_TEST(decrypt_jwe(std::string(kMaxJwtBytes, 'a'), our_keys()).error().detail == "JWE: not in compact serialization");
}

BOOST_AUTO_TEST_CASE(opens_a_signed_token_inside_an_encrypted_one) {
    const auto jwks = *JsonWebKeySet::parse(jwk_set({ec_key().public_jwk("ec")}));
    const auto policy = AlgorithmPolicy::asymmetric();
    const VerificationKeys keys{.jwks = &jwks};
    const auto nested = [](std::string_view inner) { return encrypted_token(rsa_key(), inner, {.more = R"("cty":"JWT")"}).compact(); };
    const auto code = [&](std::string_view token, std::span<const PrivateKey> decryption_keys) {
        const auto jwt = open_token(token, policy, keys, decryption_keys);
        return jwt ? 0 : static_cast<int>(jwt.error().code);
    };
    const auto signed_only = signed_claims(ec_key(), R"({"sub":"a"})", "ec");
    const auto jwt = open_token(nested(signed_only), policy, keys, our_keys());
    BOOST_REQUIRE(jwt.has_value());
    BOOST_TEST(jwt->claims().string_member("sub").value() == "a");

    BOOST_TEST(code(signed_only, {}) == 0);
    BOOST_TEST(code(signed_only, our_keys()) == 3007);   // encryption is configured: nothing less will do
    BOOST_TEST(code(nested(signed_only), {}) == 3007);   // no key to decrypt with
    BOOST_TEST(code(nested(signed_claims(other_ec_key(), "{}", "ec")), our_keys()) == 3003);
    BOOST_TEST(code(nested(encoded(R"({"alg":"none"})") + ".e30."), our_keys()) == 3002);
    BOOST_TEST(code(nested(nested(signed_only)), our_keys()) == 3007);
    BOOST_TEST(code(nested(R"({"sub":"a"})"), our_keys()) == 3001);  // encrypted but not signed
    BOOST_TEST(code(nested(""), our_keys()) == 3001);
    BOOST_TEST(code("{}", our_keys()) == 3001);
    BOOST_TEST(code("{}", {}) == 3001);
}

BOOST_AUTO_TEST_CASE(leaves_no_error_in_the_queue) {
    ERR_clear_error();
    BOOST_TEST(refusal(encrypted_token(other_ec_key(), kPlaintext).compact()) == 3006);
    BOOST_TEST(refusal(encrypted_token(other_rsa_key(), kPlaintext).compact()) == 3006);
    BOOST_TEST(ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
