#include "crypto/signature.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

#include "crypto/openssl_handles.hpp"
#include "support/openssl_allocations.hpp"
#include "support/rfc_vectors.hpp"
#include "support/token_factory.hpp"

using namespace proconnect::crypto;
using namespace proconnect::test;
using proconnect::core::ErrorCode;
using proconnect::core::Secret;

namespace {

constexpr std::string_view kInput = "eyJhbGciOiJFUzI1NiJ9.e30";

PublicKey public_half(const TestKey& key) {
    return *(key.is_rsa() ? PublicKey::from_rsa(key.n(), key.e()) : PublicKey::from_p256(key.x(), key.y()));
}

/// The code of the refusal; 0 when the signature is accepted.
int refusal(SignatureAlgorithm algorithm, const TestKey& key, std::string_view signature, std::string_view input = kInput) {
    const auto result = verify_signature(algorithm, public_half(key), input, signature);
    return result ? 0 : static_cast<int>(result.error().code);
}
int refusal_es256(std::string_view signature) { return refusal(SignatureAlgorithm::es256, ec_key(), signature); }
int refusal_rs256(std::string_view signature) { return refusal(SignatureAlgorithm::rs256, rsa_key(), signature); }

constexpr int kWrongSignature = static_cast<int>(ErrorCode::jwt_signature);
constexpr int kUnusableKey = static_cast<int>(ErrorCode::jwt_key_unusable);

const std::string kOrder = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const std::string kZero(32, '\0');

/// Any RSA signature of kInput: another hash, another padding.
std::string rsa_signature(const char* digest, int padding) {
    const DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* key_context = nullptr;
    std::string signature(256, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit_ex(context.get(), &key_context, digest, nullptr, nullptr, rsa_key().handle(), nullptr);
    EVP_PKEY_CTX_set_rsa_padding(key_context, padding);
    BOOST_REQUIRE(EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(kInput), kInput.size()) == 1);
    return signature;
}

/// The most memory that this process has had so far.
long peak_kibibytes() {
    rusage usage{};
    BOOST_REQUIRE(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signature)

BOOST_AUTO_TEST_CASE(knows_the_three_algorithms_by_their_exact_names) {
    BOOST_TEST((parse_signature_algorithm("ES256") == SignatureAlgorithm::es256));
    BOOST_TEST((parse_signature_algorithm("RS256") == SignatureAlgorithm::rs256));
    BOOST_TEST((parse_signature_algorithm("HS256") == SignatureAlgorithm::hs256));
    for (const std::string_view name : {"", "none", "None", "NONE", "nOnE", "es256", "Es256", "ES256 ", " ES256", "ES256K", "ES384", "ES512", "RS384", "RS512", "rs256",
                                        "PS256", "HS384", "HS512", "hs256", "EdDSA", "RS1", "ES25", "ES2566"}) {
        BOOST_TEST(!parse_signature_algorithm(name).has_value(), name);
    }
    BOOST_TEST(!parse_signature_algorithm(std::string_view("ES256\0", 6)).has_value());
    BOOST_TEST(to_text(SignatureAlgorithm::es256) == "ES256");
}

BOOST_AUTO_TEST_CASE(accepts_good_signatures) {
    BOOST_TEST(refusal_es256(raw_signature(ec_key(), kInput)) == 0);
    BOOST_TEST(refusal_rs256(raw_signature(rsa_key(), kInput)) == 0);
}

BOOST_AUTO_TEST_CASE(refuses_signatures_of_other_keys_and_other_texts) {
    BOOST_TEST(refusal_es256(raw_signature(other_ec_key(), kInput)) == kWrongSignature);
    BOOST_TEST(refusal_rs256(raw_signature(other_rsa_key(), kInput)) == kWrongSignature);
    BOOST_TEST(refusal_es256(raw_signature(ec_key(), "other text")) == kWrongSignature);
    BOOST_TEST(refusal_rs256(raw_signature(rsa_key(), "other text")) == kWrongSignature);
    BOOST_TEST(refusal(SignatureAlgorithm::es256, ec_key(), raw_signature(ec_key(), kInput), "") == kWrongSignature);
}

BOOST_AUTO_TEST_CASE(refuses_an_es256_signature_with_any_bit_changed) {
    const auto good = raw_signature(ec_key(), kInput);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto changed = good;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        BOOST_TEST(refusal_es256(changed) == kWrongSignature, bit);
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_es256_signature_in_der) {
    BOOST_TEST(refusal_es256(openssl_signature(ec_key(), kInput)) == kWrongSignature);
}

BOOST_AUTO_TEST_CASE(refuses_an_es256_signature_of_another_length) {
    const auto good = raw_signature(ec_key(), kInput);
    BOOST_TEST(refusal_es256("") == kWrongSignature);
    BOOST_TEST(refusal_es256(good.substr(0, 63)) == kWrongSignature);
    BOOST_TEST(refusal_es256(good + '\0') == kWrongSignature);
    BOOST_TEST(refusal_es256('\0' + good) == kWrongSignature);
    BOOST_TEST(refusal_es256('\0' + good.substr(0, 32) + '\0' + good.substr(32)) == kWrongSignature);
    BOOST_TEST(refusal_es256(good + good) == kWrongSignature);
    // The same numbers, written with a zero more.
    BOOST_TEST(refusal_es256(good.substr(0, 32) + '\0' + good.substr(32)) == kWrongSignature);
}

BOOST_AUTO_TEST_CASE(refuses_an_es256_signature_with_r_or_s_out_of_range) {
    const auto good = raw_signature(ec_key(), kInput);
    const auto r = good.substr(0, 32);
    const auto s = good.substr(32);
    auto above = kOrder;
    above.back() = static_cast<char>(above.back() + 1);
    const std::string most(32, '\xFF');
    for (const auto& bad : {kZero, kOrder, above, most}) {
        for (const auto& signature : {bad + s, r + bad, bad + bad}) {
            const auto result = verify_signature(SignatureAlgorithm::es256, public_half(ec_key()), kInput, signature);
            BOOST_REQUIRE(!result.has_value());
            BOOST_TEST((result.error().code == ErrorCode::jwt_signature));
            BOOST_TEST(result.error().detail == "ES256 signature is out of range");
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_es256_signature_at_the_limits_of_the_range) {
    auto largest = kOrder;
    largest.back() = static_cast<char>(largest.back() - 1);
    auto smallest = kZero;
    smallest.back() = 1;
    for (const auto& r : {smallest, largest}) {
        for (const auto& s : {smallest, largest}) {
            const auto result = verify_signature(SignatureAlgorithm::es256, public_half(ec_key()), kInput, r + s);
            BOOST_REQUIRE(!result.has_value());
            BOOST_TEST(result.error().detail == "ES256 signature is wrong");
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_rs256_signature_of_another_length) {
    const auto good = raw_signature(rsa_key(), kInput);
    for (const auto& bad : {std::string{}, good.substr(0, 255), good + '\0', '\0' + good, std::string(256, '\0'), std::string(256, '\xFF'), std::string(255, '\0') + '\x01'}) {
        BOOST_TEST(refusal_rs256(bad) == kWrongSignature);
    }
    const auto shorter = verify_signature(SignatureAlgorithm::rs256, public_half(rsa_key()), kInput, good.substr(0, 255));
    BOOST_TEST(shorter.error().detail == "RS256 signature is not as long as the key");
}

BOOST_AUTO_TEST_CASE(refuses_rsa_signatures_with_another_hash_or_padding) {
    BOOST_TEST(refusal_rs256(rsa_signature("SHA256", RSA_PKCS1_PADDING)) == 0);
    for (const char* const digest : {"SHA1", "SHA224", "SHA384", "SHA512"}) {
        BOOST_TEST(refusal_rs256(rsa_signature(digest, RSA_PKCS1_PADDING)) == kWrongSignature, digest);
    }
    BOOST_TEST(refusal_rs256(rsa_signature("SHA256", RSA_PKCS1_PSS_PADDING)) == kWrongSignature);
}

BOOST_AUTO_TEST_CASE(refuses_a_key_of_another_kind) {
    BOOST_TEST(refusal(SignatureAlgorithm::rs256, ec_key(), raw_signature(ec_key(), kInput)) == kUnusableKey);
    BOOST_TEST(refusal(SignatureAlgorithm::es256, rsa_key(), raw_signature(rsa_key(), kInput)) == kUnusableKey);
    BOOST_TEST(refusal(SignatureAlgorithm::hs256, rsa_key(), raw_signature(rsa_key(), kInput)) == kUnusableKey);
    BOOST_TEST(refusal(SignatureAlgorithm::hs256, ec_key(), raw_signature(ec_key(), kInput)) == kUnusableKey);
}

BOOST_AUTO_TEST_CASE(verifies_hs256) {
    const std::string secret(32, 's');
    const auto token = hs256_token(secret, R"({"alg":"HS256"})", "{}");
    const auto input = token.substr(0, token.rfind('.'));
    const auto mac = decoded(token.substr(token.rfind('.') + 1));
    BOOST_TEST(verify_hs256(Secret{secret}, input, mac).has_value());
    for (const auto& [key, text, signature] : {std::tuple{std::string(32, 't'), input, mac}, {secret + 's', input, mac}, {secret, input + "x", mac},
                                               {secret, input, mac.substr(0, 31)}, {secret, input, std::string{}}, {secret, input, mac + '\0'},
                                               {secret, input, std::string(32, '\0')}}) {
        const auto result = verify_hs256(Secret{key}, text, signature);
        BOOST_REQUIRE(!result.has_value());
        BOOST_TEST((result.error().code == ErrorCode::jwt_signature));
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_secret_too_short_for_hs256) {
    for (const std::size_t size : {0UZ, 1UZ, 31UZ}) {
        const auto result = verify_hs256(Secret{std::string(size, 's')}, kInput, std::string(32, 'm'));
        BOOST_REQUIRE(!result.has_value());
        BOOST_TEST((result.error().code == ErrorCode::jwt_key_unusable));
    }
}

BOOST_AUTO_TEST_CASE(says_that_hs256_cannot_be_computed_when_memory_is_short) {
    const std::string secret(32, 's');
    const auto token = hs256_token(secret, R"({"alg":"HS256"})", "{}");
    const auto input = token.substr(0, token.rfind('.'));
    const auto mac = decoded(token.substr(token.rfind('.') + 1));
    int failures = 0;
    bool happened = true;
    for (std::size_t nth = 1; happened; ++nth) {
        const FailingAllocation failing(nth);
        const auto right = verify_hs256(Secret{secret}, input, mac);
        happened = failing.happened();
        if (!right) {
            BOOST_TEST((right.error().code == ErrorCode::crypto_failure), nth);
            ++failures;
        }
    }
    BOOST_TEST(failures > 0);
}

// RFC 7520 sections 4.1 and 4.4; their payload is prose, so they cannot pass for a JWT.
BOOST_AUTO_TEST_CASE(verifies_the_signatures_of_rfc_7520) {
    const auto parts = [](std::string_view compact) {
        const auto dot = compact.rfind('.');
        return std::pair{compact.substr(0, dot), decoded(compact.substr(dot + 1))};
    };
    const auto [mac_input, mac] = parts(kRfc7520Section44);
    BOOST_TEST(verify_hs256(Secret{decoded(kRfc7520Key35)}, mac_input, mac).has_value());
    const auto n = std::string_view{kRfc7520Key33}.substr(kRfc7520Key33.find("\"n\":\"") + 5);
    const auto key = PublicKey::from_rsa(decoded(n.substr(0, n.find('"'))), from_hex("010001"));
    BOOST_REQUIRE(key.has_value());
    const auto [input, signature] = parts(kRfc7520Section41);
    BOOST_TEST(verify_signature(SignatureAlgorithm::rs256, *key, input, signature).has_value());
    BOOST_TEST(!verify_signature(SignatureAlgorithm::rs256, *key, input, parts(kRfc7520Section42).second).has_value());
}

BOOST_AUTO_TEST_CASE(signs_what_it_verifies) {
    for (const auto* const source : {&rsa_key(), &ec_key()}) {
        const auto key = source->private_key();
        BOOST_TEST((algorithm_of(key) == (source->is_rsa() ? SignatureAlgorithm::rs256 : SignatureAlgorithm::es256)));
        // Often enough to meet values of r and s with leading zeros.
        for (int i = 0; i < (source->is_rsa() ? 3 : 600); ++i) {
            const auto made = sign(key, kInput);
            BOOST_REQUIRE(made.has_value());
            BOOST_REQUIRE(made->size() == (source->is_rsa() ? 256U : 64U));
            BOOST_REQUIRE(refusal(algorithm_of(key), *source, *made) == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(keeps_no_memory_of_a_signature) {
    for (const auto* const source : {&rsa_key(), &ec_key()}) {
        const auto key = source->private_key();
        const auto public_key = public_half(*source);
        const auto use = [&] {
            const auto made = sign(key, kInput);
            BOOST_REQUIRE(made.has_value());
            BOOST_TEST(verify_signature(algorithm_of(key), public_key, kInput, *made).has_value());
            BOOST_TEST(!verify_signature(algorithm_of(key), public_key, "other text", *made).has_value());
        };
        use();   // what OpenSSL makes once
        const AllocationCount count;
        use();
        BOOST_TEST(count.kept() == 0);
    }
}

// OpenSSL does without some of what it asks for: then the answer is the right one.
BOOST_AUTO_TEST_CASE(accepts_no_wrong_signature_and_makes_none_when_memory_is_short_at_whichever_step) {
    const auto peak_before = peak_kibibytes();
    for (const auto* const source : {&rsa_key(), &ec_key()}) {
        const auto key = source->private_key();
        const auto public_key = public_half(*source);
        const auto good = sign(key, kInput).value();
        BOOST_REQUIRE(verify_signature(algorithm_of(key), public_key, kInput, good).has_value());
        int refusals = 0;
        int unsigned_texts = 0;
        bool happened = true;
        for (std::size_t nth = 1; happened; ++nth) {
            bool one_happened = false;
            const auto short_of_memory = [&](auto&& call) {
                const FailingAllocation failing(nth);
                auto result = call();
                one_happened = one_happened || failing.happened();
                return result;
            };
            const auto right = short_of_memory([&] { return verify_signature(algorithm_of(key), public_key, kInput, good); });
            const auto wrong = short_of_memory([&] { return verify_signature(algorithm_of(key), public_key, "other text", good); });
            const auto made = short_of_memory([&] { return sign(key, kInput); });
            BOOST_TEST(!wrong.has_value(), nth);
            refusals += right ? 0 : 1;
            unsigned_texts += made ? 0 : 1;
            if (made) {
                BOOST_TEST(verify_signature(algorithm_of(key), public_key, kInput, *made).has_value(), nth);
            }
            happened = one_happened;
        }
        BOOST_TEST(refusals > 0);
        BOOST_TEST(unsigned_texts > 0);
    }
    // Nor are gigabytes made of a size that OpenSSL never set.
    BOOST_TEST(peak_kibibytes() - peak_before < 1024 * 1024);
}

BOOST_AUTO_TEST_CASE(leaves_no_error_in_the_queue) {
    ERR_clear_error();
    BOOST_TEST(refusal_es256(std::string(64, '\x01')) == kWrongSignature);
    BOOST_TEST(refusal_rs256(std::string(256, '\x01')) == kWrongSignature);
    BOOST_TEST(ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
