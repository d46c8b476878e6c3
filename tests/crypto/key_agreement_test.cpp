#include "crypto/key_agreement.hpp"

#include <openssl/err.h>

#include <boost/test/unit_test.hpp>

#include "json/document.hpp"
#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

using namespace proconnect::crypto;
using namespace proconnect::test;
using proconnect::core::ErrorCode;
using proconnect::core::Secret;

namespace {

// The GCM specification by McGrew and Viega, appendix B, test case 16.
const std::string kGcmKey = from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
const std::string kGcmIv = from_hex("cafebabefacedbaddecaf888");
const std::string kGcmAssociated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const std::string kGcmPlaintext = from_hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
const std::string kGcmCiphertext = from_hex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
const std::string kGcmTag = from_hex("76fc6ece0f4e1768cddf8853bb2d551b");

std::string flipped(std::string bytes) {
    bytes.front() = static_cast<char>(bytes.front() ^ 1);
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_agreement)

// RFC 7518 appendix C, from the point that Alice sends to the 128-bit key.
BOOST_AUTO_TEST_CASE(derives_the_key_of_rfc_7518_appendix_c) {
    const auto bob = TestKey::from_jwk(kRfc7518AppendixCBob);
    const auto shared = agreed_secret(bob, decoded(kRfc7518AppendixCAliceX), decoded(kRfc7518AppendixCAliceY));
    const unsigned char expected[] = {158, 86,  217, 29, 129, 113, 53,  211, 114, 131, 66,  131, 191, 132, 38,  156,
                                      251, 49,  110, 163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196};
    BOOST_TEST(shared == std::string_view(reinterpret_cast<const char*>(expected), sizeof expected));
    const auto key = concat_kdf(Secret{shared}, "A128GCM", "Alice", "Bob", 16);
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(encoded(key->reveal()) == kRfc7518AppendixCDerived);
}

// RFC 7520 section 5.5.3: a key of 256 bits, without party information.
BOOST_AUTO_TEST_CASE(derives_the_key_of_rfc_7520_section_5_5) {
    const auto header = proconnect::json::Document::parse_object(decoded(kRfc7520Section55.substr(0, kRfc7520Section55.find('.'))));
    const auto epk = *header->root().find("epk");
    const auto shared = agreed_secret(TestKey::from_jwk(kRfc7520Key55), decoded(*epk.string_member("x")), decoded(*epk.string_member("y")));
    BOOST_TEST(encoded(concat_kdf(Secret{shared}, "A128CBC-HS256", "", "", 32)->reveal()) == "hzHdlfQIAEehb8Hrd_mFRhKsKLEzPfshfXs9l6areCc");
}

BOOST_AUTO_TEST_CASE(derives_another_key_when_any_input_differs) {
    const auto derive = [](const char* shared, const char* algorithm, const char* apu, const char* apv) {
        return std::string{concat_kdf(Secret{shared}, algorithm, apu, apv, 32)->reveal()};
    };
    const auto key = derive("z", "A256GCM", "u", "v");
    BOOST_TEST(derive("z", "A256GCM", "u", "v") == key);
    BOOST_TEST(derive("y", "A256GCM", "u", "v") != key);
    BOOST_TEST(derive("z", "A128GCM", "u", "v") != key);
    BOOST_TEST(derive("z", "A256GCM", "uv", "") != key);
    BOOST_TEST(derive("z", "A256GCM", "", "uv") != key);
    BOOST_TEST(derive("z", "A256GCM", "v", "u") != key);
}

BOOST_AUTO_TEST_CASE(derives_no_key_longer_than_one_round_gives) {
    BOOST_TEST(!concat_kdf(Secret{"z"}, "A256GCM", "", "", 33).has_value());
}

BOOST_AUTO_TEST_CASE(agrees_with_the_other_side) {
    const auto ephemeral = TestKey::make_ec();
    const Secret shared{agreed_secret(ephemeral, ec_key().x(), ec_key().y())};
    const auto key = agree_ecdh_es(ec_key().private_key(), ephemeral.x(), ephemeral.y(), "u", "v");
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(key->reveal() == concat_kdf(shared, "A256GCM", "u", "v", 32)->reveal());
}

BOOST_AUTO_TEST_CASE(refuses_points_that_would_leak_the_key) {
    // Invalid-curve attack: points of another curve, of small order, or none at all.
    const auto foreign = TestKey::make_ec("secp256k1");
    const auto x = ec_key().x();
    for (const auto& [bad_x, bad_y] : {std::pair{foreign.x(), foreign.y()}, {x, flipped(ec_key().y())}, {std::string(32, '\0'), std::string(32, '\0')},
                                       {std::string{}, std::string{}}, {x.substr(1), ec_key().y()}, {x + '\0', ec_key().y()}}) {
        const auto key = agree_ecdh_es(ec_key().private_key(), bad_x, bad_y, "", "");
        BOOST_REQUIRE(!key.has_value());
        BOOST_TEST((key.error().code == ErrorCode::jwe_decryption));
    }
}

BOOST_AUTO_TEST_CASE(agrees_on_nothing_with_an_rsa_key) {
    BOOST_TEST((agree_ecdh_es(rsa_key().private_key(), ec_key().x(), ec_key().y(), "", "").error().code == ErrorCode::jwe_decryption));
}

BOOST_AUTO_TEST_CASE(unwraps_a_key) {
    const auto jwe = encrypted_token(rsa_key(), "plaintext");
    const auto key = unwrap_rsa_oaep(rsa_key().private_key(), jwe.encrypted_key);
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(decrypt_a256gcm(*key, jwe.iv, encoded(jwe.header), jwe.ciphertext, jwe.tag).value() == "plaintext");
}

BOOST_AUTO_TEST_CASE(gives_a_random_key_for_whatever_does_not_unwrap) {
    const auto key = rsa_key().private_key();
    const auto good = encrypted_token(rsa_key(), "plaintext").encrypted_key;
    for (const auto& bad : {flipped(good), std::string{}, std::string(256, '\0'), std::string(256, '\xFF'), good.substr(1), good + good,
                            encrypted_token(other_rsa_key(), "plaintext").encrypted_key}) {
        const auto first = unwrap_rsa_oaep(key, bad);
        const auto second = unwrap_rsa_oaep(key, bad);
        BOOST_REQUIRE(first.has_value());
        BOOST_REQUIRE(second.has_value());
        BOOST_TEST(first->size() == 32U);
        BOOST_TEST(first->reveal() != second->reveal());
    }
    BOOST_TEST(unwrap_rsa_oaep(ec_key().private_key(), good)->size() == 32U);
}

BOOST_AUTO_TEST_CASE(gives_a_random_key_for_one_that_lost_its_leading_zero) {
    // The same number to OpenSSL, but not as long as the modulus (RFC 8017, section 7.1.2, step 1b).
    auto wrapped = encrypted_token(rsa_key(), "plaintext").encrypted_key;
    for (int tries = 0; wrapped.front() != '\0' && tries < 20'000; ++tries) {
        wrapped = encrypted_token(rsa_key(), "plaintext").encrypted_key;
    }
    BOOST_REQUIRE(wrapped.front() == '\0');
    const auto key = rsa_key().private_key();
    BOOST_TEST((unwrap_rsa_oaep(key, wrapped)->reveal() == unwrap_rsa_oaep(key, wrapped)->reveal()));
    BOOST_TEST((unwrap_rsa_oaep(key, wrapped.substr(1))->reveal() != unwrap_rsa_oaep(key, wrapped.substr(1))->reveal()));
}

BOOST_AUTO_TEST_CASE(gives_a_random_key_for_a_content_key_of_another_size) {
    const std::string content_key(33, 'k');
    for (const std::size_t size : {0UZ, 16UZ, 31UZ, 33UZ}) {
        const auto key = unwrap_rsa_oaep(rsa_key().private_key(), rsa_oaep(rsa_key(), content_key.substr(0, size)));
        BOOST_REQUIRE(key.has_value());
        BOOST_TEST(key->size() == 32U);
        BOOST_TEST(!key->reveal().starts_with("kkkk"));
    }
}

BOOST_AUTO_TEST_CASE(follows_the_gcm_vector) {
    BOOST_TEST(decrypt_a256gcm(Secret{kGcmKey}, kGcmIv, kGcmAssociated, kGcmCiphertext, kGcmTag).value() == kGcmPlaintext);
}

BOOST_AUTO_TEST_CASE(answers_every_decryption_failure_alike) {
    const auto detail = decrypt_a256gcm(Secret{}, "", "", "", "").error().detail;
    for (const auto& [key, iv, associated, ciphertext, tag] : {
             std::tuple{flipped(kGcmKey), kGcmIv, kGcmAssociated, kGcmCiphertext, kGcmTag},
             {kGcmKey, flipped(kGcmIv), kGcmAssociated, kGcmCiphertext, kGcmTag},
             {kGcmKey, kGcmIv, flipped(kGcmAssociated), kGcmCiphertext, kGcmTag},
             {kGcmKey, kGcmIv, std::string{}, kGcmCiphertext, kGcmTag},
             {kGcmKey, kGcmIv, kGcmAssociated, flipped(kGcmCiphertext), kGcmTag},
             {kGcmKey, kGcmIv, kGcmAssociated, kGcmCiphertext.substr(1), kGcmTag},
             {kGcmKey, kGcmIv, kGcmAssociated, std::string{}, kGcmTag},
             {kGcmKey, kGcmIv, kGcmAssociated, kGcmCiphertext, flipped(kGcmTag)},
             {kGcmKey, kGcmIv, kGcmAssociated, kGcmCiphertext, kGcmTag.substr(0, 12)},
             {kGcmKey, kGcmIv, kGcmAssociated, kGcmCiphertext, std::string{}},
             {kGcmKey, kGcmIv + '\0', kGcmAssociated, kGcmCiphertext, kGcmTag},
             {kGcmKey, std::string{}, kGcmAssociated, kGcmCiphertext, kGcmTag},
             {kGcmKey.substr(0, 16), kGcmIv, kGcmAssociated, kGcmCiphertext, kGcmTag},
             {kGcmKey + 'x', kGcmIv, kGcmAssociated, kGcmCiphertext, kGcmTag},
             {std::string{}, kGcmIv, kGcmAssociated, kGcmCiphertext, kGcmTag}}) {
        const auto result = decrypt_a256gcm(Secret{key}, iv, associated, ciphertext, tag);
        BOOST_REQUIRE(!result.has_value());
        BOOST_TEST((result.error().code == ErrorCode::jwe_decryption));
        BOOST_TEST(result.error().detail == detail);
    }
}

BOOST_AUTO_TEST_CASE(leaves_no_error_in_the_queue) {
    ERR_clear_error();
    BOOST_TEST(unwrap_rsa_oaep(rsa_key().private_key(), std::string(256, '\x01')).has_value());
    BOOST_TEST(!agree_ecdh_es(ec_key().private_key(), std::string(32, '\x01'), std::string(32, '\x01'), "", "").has_value());
    BOOST_TEST(!decrypt_a256gcm(Secret{kGcmKey}, kGcmIv, "", kGcmCiphertext, kGcmTag).has_value());
    BOOST_TEST(ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
