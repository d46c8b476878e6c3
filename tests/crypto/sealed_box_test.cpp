#include "crypto/sealed_box.hpp"

#include <openssl/err.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <thread>
#include <vector>

#include "support/openssl_allocations.hpp"
#include "support/token_factory.hpp"

namespace crypto = proconnect::crypto;
using namespace proconnect::test;
using proconnect::core::ErrorCode;

namespace {

constexpr crypto::Key256 key_of(std::uint8_t byte) {
    crypto::Key256 key{};
    key.fill(byte);
    return key;
}
constexpr auto kKey = key_of(7);

std::string_view text_of(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A box of form 2.
std::vector<std::uint8_t> sealed(const crypto::Key256& key, std::uint64_t nonce, std::string_view associated, std::string_view plaintext) {
    std::vector<std::uint8_t> box(plaintext.size() + crypto::kTagBytes);
    BOOST_REQUIRE(crypto::seal_into(key, nonce, associated, plaintext, box).has_value());
    return box;
}

bool is_all_zero(std::span<const std::uint8_t> bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sealed_box)

BOOST_AUTO_TEST_CASE(opens_what_it_sealed) {
    for (const std::size_t size : {0UZ, 1UZ, 15UZ, 16UZ, 17UZ, 4096UZ, 100'000UZ}) {
        const std::string plaintext(size, 'p');
        const auto box = crypto::seal(kKey, "context", plaintext);
        BOOST_REQUIRE(box.has_value());
        BOOST_TEST(box->size() == size + crypto::kSaltedOverhead);
        BOOST_TEST(crypto::open_sealed(kKey, "context", *box).value() == plaintext);
    }
}

BOOST_AUTO_TEST_CASE(seals_differently_each_time_and_shows_nothing) {
    const std::string plaintext = "a plaintext that would be seen";
    const auto box = *crypto::seal(kKey, "", plaintext);
    BOOST_TEST(box != *crypto::seal(kKey, "", plaintext));
    BOOST_TEST(!box.contains("plaintext"));
}

BOOST_AUTO_TEST_CASE(opens_no_box_with_another_key_or_context) {
    const auto box = *crypto::seal(kKey, "context", "plaintext");
    for (const auto& result : {crypto::open_sealed(key_of(8), "context", box), crypto::open_sealed(kKey, "Context", box),
                               crypto::open_sealed(kKey, "", box), crypto::open_sealed(kKey, "context ", box)}) {
        BOOST_REQUIRE(!result.has_value());
        BOOST_TEST((result.error().code == ErrorCode::sealed_box_unreadable));
    }
}

BOOST_AUTO_TEST_CASE(opens_no_box_with_any_bit_changed) {
    const auto box = *crypto::seal(kKey, "context", "plaintext");
    for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
        auto changed = box;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        BOOST_TEST(!crypto::open_sealed(kKey, "context", changed).has_value(), bit);
    }
}

BOOST_AUTO_TEST_CASE(opens_no_box_that_was_cut_or_extended) {
    const auto box = *crypto::seal(kKey, "context", "plaintext");
    for (std::size_t size = 0; size < box.size(); ++size) {
        const auto result = crypto::open_sealed(kKey, "context", std::string_view{box}.substr(0, size));
        BOOST_REQUIRE(!result.has_value());
        BOOST_TEST((result.error().code == ErrorCode::sealed_box_unreadable));
    }
    BOOST_TEST(!crypto::open_sealed(kKey, "context", box + '\0').has_value());
    BOOST_TEST(!crypto::open_sealed(kKey, "context", box.substr(1)).has_value());
}

BOOST_AUTO_TEST_CASE(says_the_same_whatever_was_wrong) {
    const auto box = *crypto::seal(kKey, "context", "plaintext");
    const auto detail = crypto::open_sealed(kKey, "context", "").error().detail;
    BOOST_TEST(crypto::open_sealed(key_of(8), "context", box).error().detail == detail);
    BOOST_TEST(crypto::open_sealed(kKey, "other", box).error().detail == detail);
}

// The GCM specification by McGrew and Viega, appendix B, test cases 13 and 14: key and IV are zero.
BOOST_AUTO_TEST_CASE(follows_the_gcm_vectors) {
    BOOST_TEST(to_hex(text_of(sealed(key_of(0), 0, "", ""))) == "530f8afbc74536b9a963b4f1c4cb738b");
    BOOST_TEST(to_hex(text_of(sealed(key_of(0), 0, "", std::string(16, '\0')))) ==
               "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

BOOST_AUTO_TEST_CASE(opens_in_place) {
    for (const std::size_t size : {0UZ, 1UZ, 16UZ, 4096UZ}) {
        const std::string plaintext(size, 'p');
        auto box = sealed(kKey, 5, "id", plaintext);
        BOOST_TEST(crypto::open_in_place(kKey, 5, "id", box));
        BOOST_TEST(text_of(box).substr(0, size) == plaintext);
    }
}

BOOST_AUTO_TEST_CASE(seals_into_a_larger_buffer_and_leaves_the_rest_alone) {
    std::vector<std::uint8_t> buffer(3 + crypto::kTagBytes + 2, 0xEE);
    BOOST_REQUIRE(crypto::seal_into(kKey, 1, "", "abc", buffer).has_value());
    BOOST_TEST(buffer[buffer.size() - 1] == 0xEE);
    BOOST_TEST(buffer[buffer.size() - 2] == 0xEE);
    BOOST_TEST(crypto::open_in_place(kKey, 1, "", std::span{buffer}.first(3 + crypto::kTagBytes)));
}

BOOST_AUTO_TEST_CASE(refuses_a_buffer_that_is_too_small_and_a_key_of_another_size) {
    std::vector<std::uint8_t> buffer(3 + crypto::kTagBytes - 1);
    BOOST_TEST((crypto::seal_into(kKey, 1, "", "abc", buffer).error().code == ErrorCode::crypto_failure));
    std::vector<std::uint8_t> tiny(3);
    BOOST_TEST(!crypto::seal_into(kKey, 1, "", "abc", tiny).has_value());
    std::vector<std::uint8_t> fitting(3 + crypto::kTagBytes);
    for (const std::size_t size : {0UZ, 16UZ, 31UZ, 33UZ}) {
        const std::vector<std::uint8_t> key(size, 1);
        BOOST_TEST(!crypto::seal_into(key, 1, "", "abc", fitting).has_value());
        auto box = sealed(kKey, 1, "", "abc");
        BOOST_TEST(!crypto::open_in_place(key, 1, "", box));
    }
}

BOOST_AUTO_TEST_CASE(opens_nothing_with_another_key_nonce_or_context_and_wipes_it) {
    const auto box = sealed(kKey, 5, "id", "plaintext");
    const auto fails = [&](const crypto::Key256& key, std::uint64_t nonce, std::string_view associated) {
        auto copy = box;
        return !crypto::open_in_place(key, nonce, associated, copy) && is_all_zero(std::span{copy}.first(9));
    };
    BOOST_TEST(fails(key_of(8), 5, "id"));
    BOOST_TEST(fails(kKey, 4, "id"));
    BOOST_TEST(fails(kKey, 5 + (1ULL << 32), "id"));
    BOOST_TEST(fails(kKey, 5, "ID"));
    BOOST_TEST(fails(kKey, 5, ""));
    // The context still works afterwards.
    auto copy = box;
    BOOST_TEST(crypto::open_in_place(kKey, 5, "id", copy));
}

BOOST_AUTO_TEST_CASE(opens_nothing_in_place_with_any_bit_changed) {
    const auto box = sealed(kKey, 5, "id", "plaintext");
    for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
        auto changed = box;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        BOOST_TEST(!crypto::open_in_place(kKey, 5, "id", changed), bit);
    }
}

BOOST_AUTO_TEST_CASE(opens_nothing_shorter_than_a_tag) {
    for (std::size_t size = 0; size < crypto::kTagBytes; ++size) {
        std::vector<std::uint8_t> box(size);
        BOOST_TEST(!crypto::open_in_place(kKey, 5, "id", box));
    }
}

BOOST_AUTO_TEST_CASE(uses_all_64_bits_of_the_nonce) {
    const auto box = sealed(kKey, 0, "", "abc");
    for (int bit = 0; bit < 64; ++bit) {
        BOOST_TEST((sealed(kKey, 1ULL << bit, "", "abc") != box), bit);
    }
}

BOOST_AUTO_TEST_CASE(opens_in_many_threads_at_once) {
    const auto box = sealed(kKey, 5, "id", "plaintext");
    std::vector<int> failures(8, 0);
    {
        std::vector<std::jthread> threads;
        for (int& count : failures) {
            threads.emplace_back([&count, &box] {
                for (int i = 0; i < 1000; ++i) {
                    auto copy = box;
                    count += crypto::open_in_place(kKey, 5, "id", copy) ? 0 : 1;
                }
                crypto::release_thread_contexts();
            });
        }
    }
    BOOST_TEST(failures == std::vector<int>(8, 0), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(allocates_nothing_once_the_thread_has_opened) {
    auto first = sealed(kKey, 5, "id", "plaintext");
    auto second = first;
    auto spoilt = first;
    spoilt.back() ^= 1;
    BOOST_REQUIRE(crypto::open_in_place(kKey, 5, "id", first));
    const AllocationCount allocations;
    BOOST_TEST(crypto::open_in_place(kKey, 5, "id", second));
    BOOST_TEST(crypto::seal_into(kKey, 6, "id", "plaintext", second).has_value());
    BOOST_TEST(!crypto::open_in_place(kKey, 5, "id", spoilt));
    BOOST_TEST(allocations.so_far() == 0U);
}

BOOST_AUTO_TEST_CASE(opens_again_after_its_contexts_were_released) {
    auto box = sealed(kKey, 5, "id", "plaintext");
    crypto::release_thread_contexts();
    BOOST_TEST(crypto::open_in_place(kKey, 5, "id", box));
}

BOOST_AUTO_TEST_CASE(leaves_no_error_in_the_queue) {
    ERR_clear_error();
    auto box = sealed(kKey, 5, "id", "plaintext");
    box.back() ^= 1;
    BOOST_TEST(!crypto::open_in_place(kKey, 5, "id", box));
    BOOST_TEST(!crypto::open_sealed(kKey, "", std::string(60, 'x')).has_value());
    BOOST_TEST(ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
