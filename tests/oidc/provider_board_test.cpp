#include "oidc/provider_board.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "support/shared_memory.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::UnixTime;
using oidc::ProviderBoard;
using test::Child;
using test::Shared;
using test::SharedMemory;

namespace {

constexpr std::string_view kIssuer = "https://provider.test/api/v2";
constexpr UnixTime kNow = core::from_unix_seconds(1'790'000'000);

ProviderBoard::Part part(std::string_view text, UnixTime fetched = kNow, std::chrono::seconds lifetime = 600s) {
    return {.text = text, .fetched = fetched, .lifetime = lifetime};
}

struct Fixture {
    SharedMemory memory{ProviderBoard::bytes_needed()};
    ProviderBoard board = ProviderBoard::create(memory.bytes(), kIssuer).value();

    [[nodiscard]] ProviderBoard::Status status() const { return board.status().value(); }
    [[nodiscard]] ProviderBoard attach() const { return ProviderBoard::attach(memory.bytes(), kIssuer).value(); }
};

/// Seconds from a failure to the next attempt.
std::int64_t back_off_after_failure(Fixture& fixture, std::chrono::seconds took = 0s) {
    fixture.board.record_failure(ErrorCode::provider_timeout, kNow, kNow + took);
    return (fixture.status().next_attempt - kNow).count();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(provider_board, Fixture)

BOOST_AUTO_TEST_CASE(is_empty_at_first) {
    BOOST_TEST(board.generation() == 0u);
    BOOST_TEST(!board.read());
    BOOST_TEST(status().generation == 0u);
    BOOST_TEST(status().failures == 0u);
}

BOOST_AUTO_TEST_CASE(attaches_to_the_same_issuers_board_only) {
    BOOST_REQUIRE(board.publish(part("discovery"), part("jwks")));
    BOOST_TEST(attach().read()->discovery == "discovery");
    BOOST_TEST(!ProviderBoard::attach(memory.bytes(), "https://provider.test/api/v3"));
    BOOST_TEST(!ProviderBoard::attach(memory.bytes(), "https://provider.test/api/v"));
    BOOST_TEST(!ProviderBoard::attach(memory.bytes(), ""));
    BOOST_TEST(!ProviderBoard::attach(memory.bytes().first(ProviderBoard::bytes_needed() - 1), kIssuer));
}

BOOST_AUTO_TEST_CASE(refuses_memory_that_nobody_laid_out_or_another_version_did) {
    const SharedMemory blank(ProviderBoard::bytes_needed());
    BOOST_TEST(!ProviderBoard::attach(blank.bytes(), kIssuer));
    BOOST_TEST(!ProviderBoard::attach(blank.bytes(), ""));
    for (std::size_t i = 0; i < 8; ++i) {
        memory.bytes()[i] ^= std::byte{0x01};
        BOOST_TEST(!ProviderBoard::attach(memory.bytes(), kIssuer));
        memory.bytes()[i] ^= std::byte{0x01};
    }
    BOOST_TEST(ProviderBoard::attach(memory.bytes(), kIssuer).has_value());
}

BOOST_AUTO_TEST_CASE(is_not_made_for_an_issuer_it_cannot_hold_or_in_too_little_memory) {
    const SharedMemory blank(ProviderBoard::bytes_needed());
    BOOST_TEST(!ProviderBoard::create(blank.bytes(), ""));
    BOOST_TEST(!ProviderBoard::create(blank.bytes(), std::string(ProviderBoard::kMaxIssuerBytes + 1, 'x')));
    BOOST_TEST(!ProviderBoard::create(blank.bytes().first(ProviderBoard::bytes_needed() - 1), kIssuer));
    BOOST_TEST(ProviderBoard::create(blank.bytes(), std::string(ProviderBoard::kMaxIssuerBytes, 'x')).has_value());
}

BOOST_AUTO_TEST_CASE(keeps_what_is_published_with_its_age) {
    BOOST_REQUIRE(board.publish(part("discovery", kNow, 3600s), part("jwks", kNow + 1s, 60s)));
    const auto copy = board.read();
    BOOST_REQUIRE(copy);
    BOOST_TEST(copy->discovery == "discovery");
    BOOST_TEST(copy->jwks == "jwks");
    BOOST_TEST(copy->generation == 1u);
    BOOST_TEST(board.generation() == 1u);
    BOOST_TEST((status().discovery_fetched == kNow));
    BOOST_TEST((status().discovery_lifetime == 3600s));
    BOOST_TEST((status().jwks_fetched == kNow + 1s));
    BOOST_TEST((status().jwks_lifetime == 60s));
}

BOOST_AUTO_TEST_CASE(replaces_one_part_and_keeps_the_other) {
    BOOST_REQUIRE(board.publish(part("discovery"), part("jwks")));
    for (int i = 2; i < 7; ++i) {
        const std::string jwks = "jwks" + std::to_string(i);
        BOOST_REQUIRE(board.publish(std::nullopt, part(jwks, kNow + 5s)));
        BOOST_TEST(board.read()->discovery == "discovery");
        BOOST_TEST(board.read()->jwks == jwks);
        BOOST_TEST(board.generation() == static_cast<unsigned>(i));
    }
    BOOST_TEST((status().discovery_fetched == kNow));
    BOOST_TEST((status().jwks_fetched == kNow + 5s));
    BOOST_REQUIRE(board.publish(part("another"), std::nullopt));
    BOOST_TEST(board.read()->discovery == "another");
    BOOST_TEST(board.read()->jwks == "jwks6");
}

BOOST_AUTO_TEST_CASE(only_freshens_what_has_not_changed) {
    BOOST_REQUIRE(board.publish(part("discovery"), part("jwks")));
    BOOST_REQUIRE(board.publish(part("discovery", kNow + 100s), part("jwks", kNow + 200s)));
    BOOST_TEST(board.generation() == 1u);
    BOOST_TEST((status().discovery_fetched == kNow + 100s));
    BOOST_TEST((status().jwks_fetched == kNow + 200s));
}

BOOST_AUTO_TEST_CASE(the_first_copy_needs_both_parts) {
    BOOST_TEST(!board.publish(part("discovery"), std::nullopt));
    BOOST_TEST(!board.publish(std::nullopt, part("jwks")));
    BOOST_TEST(board.generation() == 0u);
}

BOOST_AUTO_TEST_CASE(takes_texts_up_to_their_limits) {
    const std::string discovery(ProviderBoard::kMaxDiscoveryBytes, 'd');
    const std::string jwks(ProviderBoard::kMaxJwksBytes, 'j');
    BOOST_REQUIRE(board.publish(part(discovery), part(jwks)));
    BOOST_TEST((board.read()->discovery == discovery));
    BOOST_TEST((board.read()->jwks == jwks));
    BOOST_TEST(!board.publish(part(discovery + 'd'), part("jwks")));
    BOOST_TEST(!board.publish(part("discovery"), part(jwks + 'j')));
    BOOST_TEST((board.read()->jwks == jwks));
}

BOOST_AUTO_TEST_CASE(backs_off_from_one_second_to_fifteen) {
    for (const std::int64_t expected : {1, 2, 4, 8, 15, 15, 15}) {
        BOOST_TEST(back_off_after_failure(*this) == expected);
    }
    BOOST_TEST(status().failures == 7u);
    board.record_success();
    BOOST_TEST(status().failures == 0u);
    BOOST_TEST(back_off_after_failure(*this) == 1, "a success starts anew");
}

BOOST_AUTO_TEST_CASE(leaves_a_second_after_an_attempt_that_hung_longer_than_the_back_off) {
    BOOST_TEST(back_off_after_failure(*this, 10s) == 11);
    for (int i = 0; i < 5; ++i) {
        back_off_after_failure(*this, 10s);
    }
    BOOST_TEST(back_off_after_failure(*this, 10s) == 15, "counted from the start, so that a recovery is noticed in time");
}

BOOST_AUTO_TEST_CASE(remembers_what_fails_and_since_when) {
    board.record_failure(ErrorCode::provider_unreachable, kNow, kNow + 1s);
    board.record_failure(ErrorCode::discovery_issuer_mismatch, kNow + 5s, kNow + 6s);
    BOOST_TEST((status().last_error == ErrorCode::discovery_issuer_mismatch));
    BOOST_TEST((status().failing_since == kNow + 1s));
    board.record_success();
    board.record_failure(ErrorCode::provider_tls, kNow + 50s, kNow + 50s);
    BOOST_TEST((status().failing_since == kNow + 50s));
}

BOOST_AUTO_TEST_CASE(lets_an_unknown_key_cause_a_fetch_once_a_minute_for_all) {
    ProviderBoard other = attach();
    BOOST_TEST(board.claim_unknown_key_fetch(kNow));
    BOOST_TEST(!board.claim_unknown_key_fetch(kNow));
    BOOST_TEST(!other.claim_unknown_key_fetch(kNow + 59s));
    BOOST_TEST(other.claim_unknown_key_fetch(kNow + 60s));
    BOOST_TEST(!board.claim_unknown_key_fetch(kNow + 61s));
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_does_not_forbid_the_fetch_for_an_unknown_key) {
    BOOST_TEST(board.claim_unknown_key_fetch(kNow));
    BOOST_TEST(board.claim_unknown_key_fetch(kNow - 1h));
    BOOST_TEST(!board.claim_unknown_key_fetch(kNow - 1h + 59s));
}

BOOST_AUTO_TEST_CASE(remembers_how_far_the_providers_clock_is_off) {
    board.record_clock(-7s);
    BOOST_TEST((status().clock_ahead == -7s));
}

BOOST_AUTO_TEST_CASE(one_at_a_time_may_fetch_and_its_death_gives_the_right_back) {
    const Shared<std::atomic<bool>> has_it;
    Child child([&] {
        const auto fetching = board.begin_fetch(0ms);
        *has_it = fetching.is_held();
        ::pause();
    });
    while (!*has_it) {
        std::this_thread::sleep_for(1ms);
    }
    BOOST_TEST(!board.begin_fetch(0ms).is_held());
    BOOST_TEST(!board.begin_fetch(20ms).is_held());
    child.kill();
    BOOST_TEST(board.begin_fetch(0ms).is_held());
    BOOST_TEST(board.begin_fetch(0ms).is_held(), "and it was given back at the end of the scope");
}

// Each child publishes pairs that belong together, of changing sizes, until it is killed at a random moment.
BOOST_AUTO_TEST_CASE(a_writer_killed_at_any_moment_leaves_a_whole_pair) {
    std::minstd_rand random(7);
    BOOST_REQUIRE(board.publish(part("1"), part("1")));
    for (int round = 0; round < 300; ++round) {
        const std::uint64_t before = board.generation();
        Child child([&] {
            for (std::size_t i = 0;; ++i) {
                const char letter = static_cast<char>('a' + (i + static_cast<std::size_t>(round)) % 26);
                const std::string discovery(1 + i * 7919 % ProviderBoard::kMaxDiscoveryBytes, letter);
                const std::string jwks(1 + i * 104729 % ProviderBoard::kMaxJwksBytes, letter);
                static_cast<void>(board.publish(part(discovery), part(jwks)));
            }
        });
        while (board.generation() == before) {
            std::this_thread::yield();
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
        child.kill();
        const auto copy = board.read();
        BOOST_REQUIRE(copy);
        const char letter = copy->discovery.at(0);
        BOOST_REQUIRE(copy->discovery.find_first_not_of(letter) == std::string::npos);
        BOOST_REQUIRE(copy->jwks.find_first_not_of(letter) == std::string::npos);
        BOOST_REQUIRE(status().generation == board.generation());
    }
}

BOOST_AUTO_TEST_CASE(readers_never_see_a_mixture_while_others_write) {
    BOOST_REQUIRE(board.publish(part("a"), part("a")));
    std::atomic<bool> stop = false;
    std::atomic<int> mixtures = 0;
    std::atomic<int> reads = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                std::uint64_t newest = 0;
                while (!stop) {
                    const std::uint64_t generation = board.generation();
                    const auto copy = board.read();
                    if (!copy) {
                        continue;  // the machine is so busy that the lock was not had in time
                    }
                    mixtures += copy->discovery != copy->jwks || copy->generation < generation || copy->generation < newest ? 1 : 0;
                    newest = copy->generation;
                    ++reads;
                    std::this_thread::sleep_for(10us);  // or the writer would starve
                }
            });
        }
        while (reads == 0) {
            std::this_thread::yield();
        }
        for (int i = 0; i < 500; ++i) {
            const std::string text(static_cast<std::size_t>(1 + i * 37 % 20000), static_cast<char>('a' + i % 26));
            BOOST_REQUIRE(board.publish(part(text), part(text)));
        }
        stop = true;
    }
    BOOST_TEST(mixtures == 0);
}

BOOST_AUTO_TEST_CASE(survives_any_byte_of_it_being_damaged) {
    const std::string discovery(300, 'd');
    const std::string jwks(300, 'j');
    BOOST_REQUIRE(board.publish(part(discovery), part(jwks)));
    BOOST_REQUIRE(board.publish(part("d"), part("j")));
    board.record_failure(ErrorCode::provider_timeout, kNow, kNow);
    std::vector<std::byte> good(memory.bytes().begin(), memory.bytes().end());
    // The locks are the C library's and left alone: they stand between the issuer's text and the generation.
    const std::size_t locks_begin = 8 + 8 + ProviderBoard::kMaxIssuerBytes;
    const std::size_t locks_end = locks_begin + 2 * sizeof(core::RobustMutex);
    std::minstd_rand random(11);
    for (int round = 0; round < 3000; ++round) {
        for (int flips = 0; flips < 4; ++flips) {
            // Mostly the head, where lengths and numbers are.
            const std::size_t at = random() % (round % 4 == 0 ? memory.bytes().size() : locks_end + 256);
            if (at < locks_begin || at >= locks_end) {
                memory.bytes()[at] = static_cast<std::byte>(random());
            }
        }
        if (auto attached = ProviderBoard::attach(memory.bytes(), kIssuer)) {
            const auto copy = attached->read();
            BOOST_REQUIRE((!copy || copy->discovery.size() <= ProviderBoard::kMaxDiscoveryBytes));
            BOOST_REQUIRE(attached->status());
            static_cast<void>(core::catalogue_entry(attached->status()->last_error));
            static_cast<void>(attached->claim_unknown_key_fetch(kNow));
            attached->record_failure(ErrorCode::provider_timeout, kNow, kNow);
            static_cast<void>(attached->publish(std::nullopt, part("new keys")));
            BOOST_REQUIRE(attached->publish(part("new"), part("new")));
            BOOST_REQUIRE(attached->read()->jwks == "new");
        }
        std::memcpy(memory.bytes().data(), good.data(), good.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
