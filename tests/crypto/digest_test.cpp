#include "crypto/digest.hpp"

#include <openssl/err.h>

#include <boost/test/unit_test.hpp>

#include <thread>
#include <vector>

#include "support/openssl_allocations.hpp"
#include "support/token_factory.hpp"

namespace crypto = proconnect::crypto;
using namespace proconnect::test;
using proconnect::core::ErrorCode;

namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string hex(const std::array<std::uint8_t, 32>& value) {
    return to_hex({reinterpret_cast<const char*>(value.data()), value.size()});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(digest)

BOOST_AUTO_TEST_CASE(initializes_more_than_once) {
    BOOST_TEST(crypto::initialize().has_value());
    BOOST_TEST(crypto::initialize().has_value());
}

// FIPS 180-4 examples.
BOOST_AUTO_TEST_CASE(follows_the_sha_256_examples) {
    BOOST_TEST(hex(*crypto::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    BOOST_TEST(hex(*crypto::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(hex(*crypto::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    BOOST_TEST(hex(*crypto::sha256(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

BOOST_AUTO_TEST_CASE(hashes_bytes_and_text_alike_and_each_time_anew) {
    BOOST_TEST((*crypto::sha256(bytes("abc")) == *crypto::sha256("abc")));
    BOOST_TEST((*crypto::sha256("abc") == *crypto::sha256("abc")));
    BOOST_TEST((*crypto::sha256("abd") != *crypto::sha256("abc")));
}

// RFC 4231.
BOOST_AUTO_TEST_CASE(follows_the_hmac_examples_of_rfc_4231) {
    const auto mac = [](const std::string& key, const std::string& message) { return hex(*crypto::hmac_sha256(bytes(key), message)); };
    BOOST_TEST(mac(std::string(20, '\x0b'), "Hi There") == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    BOOST_TEST(mac("Jefe", "what do ya want for nothing?") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    BOOST_TEST(mac(std::string(20, '\xaa'), std::string(50, '\xdd')) == "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    BOOST_TEST(mac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    BOOST_TEST(mac(std::string(131, '\xaa'),
                   "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed "
                   "before being used by the HMAC algorithm.") == "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_key) {
    for (const auto key : {std::span<const std::uint8_t>{}, bytes("")}) {  // without and with an address
        BOOST_REQUIRE(!crypto::hmac_sha256(key, "message").has_value());
        BOOST_TEST((crypto::hmac_sha256(key, "message").error().code == ErrorCode::crypto_failure));
        BOOST_REQUIRE(!crypto::derive_key(key, "purpose").has_value());
        BOOST_TEST((crypto::derive_key(key, "purpose").error().code == ErrorCode::crypto_failure));
    }
}

// RFC 5869 appendix A.3: neither salt nor info; the first 32 of its 42 bytes.
BOOST_AUTO_TEST_CASE(follows_the_hkdf_example_without_salt) {
    const auto key = crypto::derive_key(bytes(std::string(22, '\x0b')), "");
    BOOST_TEST(hex(*key) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

BOOST_AUTO_TEST_CASE(derives_another_key_for_another_purpose_or_master) {
    const std::string master(32, 'm');
    const auto key = crypto::derive_key(bytes(master), "session");
    BOOST_TEST((*crypto::derive_key(bytes(master), "session") == *key));
    BOOST_TEST((*crypto::derive_key(bytes(master), "state") != *key));
    BOOST_TEST((*crypto::derive_key(bytes(std::string(32, 'n')), "session") != *key));
}

BOOST_AUTO_TEST_CASE(hashes_in_many_threads_at_once) {
    const auto expected = *crypto::sha256("abc");
    std::vector<int> wrong(8, 0);
    {
        std::vector<std::jthread> threads;
        for (int& count : wrong) {
            threads.emplace_back([&count, &expected] {
                for (int i = 0; i < 1000; ++i) {
                    count += *crypto::sha256("abc") == expected ? 0 : 1;
                }
                crypto::release_thread_contexts();
            });
        }
    }
    BOOST_TEST(wrong == std::vector<int>(8, 0), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(hashes_again_after_its_contexts_were_released) {
    crypto::release_thread_contexts();
    crypto::release_thread_contexts();
    BOOST_TEST(hex(*crypto::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// OpenSSL 3.0 renews the 112 bytes of its own hash state at each start; newer ones reuse them.
BOOST_AUTO_TEST_CASE(allocates_no_more_than_the_state_of_the_hash) {
    BOOST_REQUIRE(crypto::sha256("first").has_value());
    const AllocationCount allocations;
    for (int i = 0; i < 10; ++i) {
        BOOST_REQUIRE(crypto::sha256("again").has_value());
    }
    BOOST_TEST(allocations.so_far() <= 10U);
}

BOOST_AUTO_TEST_CASE(leaves_the_errors_of_others_in_the_queue) {
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42);
    BOOST_REQUIRE(crypto::sha256("abc").has_value());
    BOOST_TEST(!crypto::hmac_sha256({}, "").has_value());
    BOOST_TEST(ERR_GET_REASON(ERR_get_error()) == 42);
    BOOST_TEST(ERR_get_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
