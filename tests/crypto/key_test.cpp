// PublicKey and PrivateKey of crypto/signature.hpp: which keys are let in.
#include <openssl/err.h>
#include <openssl/pem.h>

#include <boost/test/unit_test.hpp>

#include "crypto/openssl_handles.hpp"
#include "crypto/signature.hpp"
#include "json/document.hpp"
#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

namespace json = proconnect::json;
using namespace proconnect::crypto;
using namespace proconnect::test;
using proconnect::core::ErrorCode;

namespace {

const std::string kExponent = from_hex("010001");

bool rsa_is_refused(const std::string& modulus, const std::string& exponent = kExponent) {
    const auto key = PublicKey::from_rsa(modulus, exponent);
    return !key && key.error().code == ErrorCode::jwt_key_unusable;
}

bool point_is_refused(const std::string& x, const std::string& y) {
    const auto key = PublicKey::from_p256(x, y);
    return !key && key.error().code == ErrorCode::jwt_key_unusable;
}

bool pem_is_refused(const std::string& pem) {
    const auto key = PrivateKey::from_pem(pem);
    return !key && key.error().code == ErrorCode::key_unusable;
}

enum class PemForm { pkcs8_encrypted, traditional, public_only };

std::string pem_of(const TestKey& key, PemForm form) {
    const Bio bio{BIO_new(BIO_s_mem())};
    char password[] = "password";
    switch (form) {
        case PemForm::pkcs8_encrypted:
            PEM_write_bio_PKCS8PrivateKey(bio.get(), key.handle(), EVP_aes_256_cbc(), password, 8, nullptr, nullptr);
            break;
        case PemForm::traditional: PEM_write_bio_PrivateKey_traditional(bio.get(), key.handle(), nullptr, nullptr, 0, nullptr, nullptr); break;
        case PemForm::public_only: PEM_write_bio_PUBKEY(bio.get(), key.handle()); break;
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

/// An odd number of exactly that many bits.
std::string odd_number(std::size_t bits) {
    std::string bytes((bits + 7) / 8, '\xFF');
    if (bits % 8 != 0) {
        bytes.front() = static_cast<char>((1 << (bits % 8)) - 1);
    }
    return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key)

BOOST_AUTO_TEST_CASE(accepts_rsa_keys_of_2048_to_8192_bits) {
    for (const std::size_t bits : {2048UZ, 2049UZ, 3072UZ, 4096UZ, 8192UZ}) {
        const auto key = PublicKey::from_rsa(odd_number(bits), kExponent);
        BOOST_REQUIRE(key.has_value());
        BOOST_TEST((key->kind() == KeyKind::rsa));
    }
    BOOST_TEST(PublicKey::from_rsa(rsa_key().n(), rsa_key().e()).has_value());
    BOOST_TEST(PublicKey::from_rsa('\0' + rsa_key().n(), rsa_key().e()).has_value());  // a sign byte
}

BOOST_AUTO_TEST_CASE(refuses_rsa_keys_that_are_too_weak_or_too_large) {
    for (const std::size_t bits : {1UZ, 512UZ, 1024UZ, 2040UZ, 2047UZ, 8193UZ, 16384UZ, 80000UZ}) {
        BOOST_TEST(rsa_is_refused(odd_number(bits)), bits);
    }
    BOOST_TEST(rsa_is_refused(""));
    BOOST_TEST(PublicKey::from_rsa(odd_number(80'000), kExponent).error().detail == "RSA key is too large");
    BOOST_TEST(rsa_is_refused(std::string(256, '\0')));
    BOOST_TEST(rsa_is_refused(std::string(200, '\0') + odd_number(1024)));  // only seems to be long
}

BOOST_AUTO_TEST_CASE(refuses_an_even_modulus) {
    BOOST_TEST(rsa_is_refused(std::string(256, '\xFE')));
}

BOOST_AUTO_TEST_CASE(refuses_unfit_exponents) {
    const auto modulus = odd_number(2048);
    for (const auto* const exponent : {"", "00", "01", "02", "010000", "0000000001", "010000000000000001", "00010000000000000001"}) {
        BOOST_TEST(rsa_is_refused(modulus, from_hex(exponent)), exponent);
    }
    BOOST_TEST(rsa_is_refused(modulus, modulus));
    BOOST_TEST(rsa_is_refused(modulus, std::string(5000, '\x03')));
    BOOST_TEST(PublicKey::from_rsa(modulus, std::string(5000, '\x03')).error().detail == "RSA key is too large");
    for (const auto* const exponent : {"03", "010001", "ffffffffffffffff", "00010001"}) {
        BOOST_TEST(PublicKey::from_rsa(modulus, from_hex(exponent)).has_value(), exponent);
    }
}

BOOST_AUTO_TEST_CASE(accepts_points_on_p256) {
    const auto key = PublicKey::from_p256(ec_key().x(), ec_key().y());
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST((key->kind() == KeyKind::ec_p256));
}

BOOST_AUTO_TEST_CASE(refuses_points_off_the_curve) {
    const auto x = ec_key().x();
    const auto y = ec_key().y();
    auto other = y;
    other.back() = static_cast<char>(other.back() ^ 1);
    BOOST_TEST(point_is_refused(x, other));
    BOOST_TEST(point_is_refused(y, x));
    BOOST_TEST(point_is_refused(x, other_ec_key().y()));
    BOOST_TEST(point_is_refused(std::string(32, '\0'), std::string(32, '\0')));  // infinity, as some write it
    BOOST_TEST(point_is_refused(std::string(32, '\xFF'), std::string(32, '\xFF')));
    const auto foreign = TestKey::make_ec("secp256k1");
    BOOST_TEST(point_is_refused(foreign.x(), foreign.y()));
}

BOOST_AUTO_TEST_CASE(refuses_coordinates_that_are_not_reduced) {
    // x and x + p name the same point for those who reduce. p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
    const auto x = from_hex("0000000000000000000000000000000000000000000000000000000000000005");
    const auto x_plus_p = from_hex("ffffffff00000001000000000000000000000001000000000000000000000004");
    const auto y = from_hex("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
    BOOST_TEST(PublicKey::from_p256(x, y).has_value());
    BOOST_TEST(point_is_refused(x_plus_p, y));
}

BOOST_AUTO_TEST_CASE(refuses_coordinates_of_another_length) {
    const auto x = ec_key().x();
    const auto y = ec_key().y();
    BOOST_TEST(point_is_refused("", ""));
    BOOST_TEST(point_is_refused(x.substr(0, 31), y));
    BOOST_TEST(point_is_refused(x, y + '\0'));
    BOOST_TEST(point_is_refused('\0' + x, y));
    BOOST_TEST(point_is_refused(x + y.substr(0, 1), y.substr(1)));
    const auto longer = TestKey::make_ec("P-384");
    BOOST_TEST(point_is_refused(longer.x().substr(0, 32), longer.y().substr(0, 32)));
}

BOOST_AUTO_TEST_CASE(reads_private_keys_in_every_pem_form) {
    for (const auto* const source : {&rsa_key(), &ec_key()}) {
        for (const auto& pem : {source->private_pem(), pem_of(*source, PemForm::traditional), "comment\n" + source->private_pem()}) {
            const auto key = PrivateKey::from_pem(pem);
            BOOST_REQUIRE(key.has_value());
            BOOST_TEST((key->kind() == (source->is_rsa() ? KeyKind::rsa : KeyKind::ec_p256)));
        }
    }
}

BOOST_AUTO_TEST_CASE(reads_a_pem_that_names_the_curve_first) {
    // As `openssl ecparam -name prime256v1 -genkey` writes it.
    const std::string parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    BOOST_TEST(PrivateKey::from_pem(parameters + pem_of(ec_key(), PemForm::traditional)).has_value());
}

BOOST_AUTO_TEST_CASE(refuses_pem_texts_without_a_usable_private_key) {
    for (const std::string pem : {"", "\n", "not a key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
                                  "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}) {
        BOOST_TEST(pem_is_refused(pem), pem);
    }
    BOOST_TEST(pem_is_refused(pem_of(rsa_key(), PemForm::public_only)));
    BOOST_TEST(pem_is_refused(rsa_key().private_pem().substr(0, 800)));
    BOOST_TEST(pem_is_refused(rsa_key().private_pem() + std::string(70'000, '\n')));
}

BOOST_AUTO_TEST_CASE(refuses_an_encrypted_pem_without_asking_for_its_password) {
    BOOST_TEST(pem_is_refused(pem_of(rsa_key(), PemForm::pkcs8_encrypted)));
    BOOST_TEST(pem_is_refused(pem_of(ec_key(), PemForm::pkcs8_encrypted)));
}

BOOST_AUTO_TEST_CASE(refuses_private_keys_that_are_weak_or_of_another_kind) {
    BOOST_TEST(pem_is_refused(TestKey::make_rsa(1024).private_pem()));
    for (const char* const group : {"P-384", "P-521", "secp256k1", "P-224"}) {
        BOOST_TEST(pem_is_refused(TestKey::make_ec(group).private_pem()), group);
    }
    // Ed25519, RFC 8410 section 10.3.
    BOOST_TEST(pem_is_refused("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"));
}

BOOST_AUTO_TEST_CASE(refuses_an_ec_key_whose_halves_do_not_belong_together) {
    const auto jwk = [](const std::string& d) {
        return R"({"kty":"EC","x":")" + encoded(ec_key().x()) + R"(","y":")" + encoded(ec_key().y()) + R"(","d":")" + encoded(d) + "\"}";
    };
    BOOST_TEST(pem_is_refused(TestKey::from_jwk(jwk(std::string(32, '\x11'))).private_pem()));
}

// RFC 7638 section 3.1.
BOOST_AUTO_TEST_CASE(computes_the_thumbprint_of_rfc_7638) {
    const auto key = TestKey::from_jwk(kRfc7517A2Rsa).private_key();
    BOOST_TEST(key.thumbprint().value() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

BOOST_AUTO_TEST_CASE(shows_the_public_half_as_a_jwk) {
    for (const auto* const source : {&rsa_key(), &ec_key()}) {
        const auto key = source->private_key();
        const auto jwk = json::Document::parse_object(key.public_jwk("sig", source->is_rsa() ? "RS256" : "ES256").value());
        BOOST_REQUIRE(jwk.has_value());
        const auto root = jwk->root();
        BOOST_TEST(root.string_member("kid").value() == key.thumbprint().value());
        BOOST_TEST(root.string_member("use").value() == "sig");
        if (source->is_rsa()) {
            BOOST_TEST(root.string_member("kty").value() == "RSA");
            BOOST_TEST(root.string_member("alg").value() == "RS256");
            BOOST_TEST(root.string_member("n").value() == encoded(source->n()));
            BOOST_TEST(root.string_member("e").value() == "AQAB");
        } else {
            BOOST_TEST(root.string_member("kty").value() == "EC");
            BOOST_TEST(root.string_member("crv").value() == "P-256");
            BOOST_TEST(root.string_member("x").value() == encoded(source->x()));
            BOOST_TEST(root.string_member("y").value() == encoded(source->y()));
        }
        for (const char* const name : {"d", "p", "q", "dp", "dq", "qi"}) {
            BOOST_TEST(!root.find(name).has_value(), name);
        }
    }
}

BOOST_AUTO_TEST_CASE(keeps_leading_zeros_of_coordinates_in_the_jwk) {
    // One key in 128 has a coordinate that begins with a zero byte.
    for (;;) {
        const auto source = TestKey::make_ec();
        if (source.x().front() == '\0' || source.y().front() == '\0') {
            const auto jwk = json::Document::parse_object(*source.private_key().public_jwk("enc", "ECDH-ES"));
            BOOST_TEST(decoded(jwk->root().string_member("x").value()).size() == 32U);
            BOOST_TEST(decoded(jwk->root().string_member("y").value()).size() == 32U);
            return;
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_to_write_a_jwk_with_names_that_need_escaping) {
    const auto jwk = ec_key().private_key().public_jwk("sig\",\"d\":\"", "ES256");
    BOOST_TEST((jwk.error().code == ErrorCode::internal_error));
}

BOOST_AUTO_TEST_CASE(leaves_no_error_in_the_queue) {
    ERR_clear_error();
    BOOST_TEST(rsa_is_refused(""));
    BOOST_TEST(point_is_refused(std::string(32, '\x01'), std::string(32, '\x01')));
    BOOST_TEST(pem_is_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    BOOST_TEST(ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
