#include "http/wait_slots.hpp"

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "support/shared_memory.hpp"

using namespace std::chrono_literals;
using proconnect::http::WaitSlots;
using proconnect::test::Child;
using proconnect::test::Shared;
using proconnect::test::SharedMemory;

BOOST_AUTO_TEST_SUITE(wait_slots)

BOOST_AUTO_TEST_CASE(gives_as_many_permits_as_there_are_slots) {
    const SharedMemory memory(WaitSlots::bytes_needed(3));
    auto slots = WaitSlots::create(memory.bytes(), 3, 100);
    BOOST_REQUIRE(slots);
    BOOST_TEST(slots->count() == 3u);
    auto first = slots->try_acquire();
    auto second = slots->try_acquire();
    {
        auto third = slots->try_acquire();
        BOOST_TEST((first && second && third));
        BOOST_TEST(!slots->try_acquire());
    }
    BOOST_TEST(slots->try_acquire().has_value(), "a permit that ends frees its slot");
}

BOOST_AUTO_TEST_CASE(a_moved_permit_frees_its_slot_once) {
    const SharedMemory memory(WaitSlots::bytes_needed(1));
    auto slots = WaitSlots::create(memory.bytes(), 1, 100);
    BOOST_REQUIRE(slots);
    {
        auto first = slots->try_acquire();
        BOOST_REQUIRE(first);
        WaitSlots::Permit moved = *std::move(first);
        first.reset();
        BOOST_TEST(!slots->try_acquire(), "the empty permit frees nothing");
    }
    BOOST_TEST(slots->try_acquire().has_value());
}

BOOST_AUTO_TEST_CASE(refuses_no_slots_too_many_and_too_little_memory) {
    const SharedMemory memory(WaitSlots::bytes_needed(4));
    BOOST_TEST(!WaitSlots::create(memory.bytes(), 0, 100));
    BOOST_TEST(!WaitSlots::create(memory.bytes(), WaitSlots::kMaxCount + 1, 100));
    BOOST_TEST(!WaitSlots::create(memory.bytes().first(WaitSlots::bytes_needed(4) - 1), 4, 100));
    BOOST_TEST(!WaitSlots::create(memory.bytes(), 4, 0), "nobody of this process");
}

BOOST_AUTO_TEST_CASE(attaches_to_its_own_layout_with_the_same_count_only) {
    const SharedMemory memory(WaitSlots::bytes_needed(4));
    BOOST_TEST(!WaitSlots::attach(memory.bytes(), 4, 100), "memory that nobody laid out");
    auto slots = WaitSlots::create(memory.bytes(), 2, 100);
    BOOST_REQUIRE(slots);
    BOOST_TEST(!WaitSlots::attach(memory.bytes(), 4, 100));
    BOOST_TEST(!WaitSlots::attach(memory.bytes(), 0, 100));
    BOOST_TEST(!WaitSlots::attach(memory.bytes(), 2, 0));
    BOOST_TEST(!WaitSlots::attach(memory.bytes().first(8), 2, 100));
    auto again = WaitSlots::attach(memory.bytes(), 2, 100);
    BOOST_REQUIRE(again);
    const auto permit = slots->try_acquire();
    const auto another = again->try_acquire();
    BOOST_TEST((permit && another));
    BOOST_TEST(!again->try_acquire(), "both views share the slots");
    memory.bytes()[0] ^= std::byte{1};
    BOOST_TEST(!WaitSlots::attach(memory.bytes(), 2, 100), "another version's stamp");
}

BOOST_AUTO_TEST_CASE(the_death_of_a_process_frees_its_slots) {
    const SharedMemory memory(WaitSlots::bytes_needed(2));
    auto slots = WaitSlots::create(memory.bytes(), 2, 100);
    BOOST_REQUIRE(slots);
    const Shared<std::atomic<int>> taken;
    Child child([&] {
        const auto first = slots->try_acquire();
        const auto second = slots->try_acquire();
        *taken = first && second ? 2 : -1;
        ::pause();
    });
    while (*taken == 0) {
        std::this_thread::sleep_for(1ms);
    }
    BOOST_TEST(*taken == 2);
    BOOST_TEST(!slots->try_acquire());
    child.kill();
    const auto first = slots->try_acquire();
    const auto second = slots->try_acquire();
    BOOST_TEST((first && second));
    BOOST_TEST(!slots->try_acquire());
}

BOOST_AUTO_TEST_CASE(no_process_takes_more_than_its_share_whatever_is_free) {
    const SharedMemory memory(WaitSlots::bytes_needed(8));
    auto slots = WaitSlots::create(memory.bytes(), 8, 2);
    auto of_another_process = WaitSlots::attach(memory.bytes(), 8, 2);
    BOOST_REQUIRE((slots && of_another_process));
    auto first = slots->try_acquire();
    {
        const auto second = slots->acquire(10ms);
        BOOST_TEST((first && second));
        BOOST_TEST(!slots->try_acquire());
        BOOST_TEST(of_another_process->try_acquire().has_value());
    }
    const WaitSlots::Permit moved = *std::move(first);
    first.reset();
    auto second = slots->try_acquire();
    BOOST_TEST(second.has_value(), "a place is given back with its permit");
    BOOST_TEST(!slots->try_acquire(), "and once only");
}

BOOST_AUTO_TEST_CASE(a_burst_that_passes_at_once_waits_for_its_process_too) {
    const SharedMemory memory(WaitSlots::bytes_needed(8));
    auto slots = WaitSlots::create(memory.bytes(), 8, 1);
    BOOST_REQUIRE(slots);
    std::atomic<int> passed = 0;
    {
        std::vector<std::jthread> logins;
        for (int i = 0; i < 6; ++i) {
            logins.emplace_back([&] {
                if (const auto permit = slots->acquire(20s)) {
                    std::this_thread::sleep_for(10ms);
                    ++passed;
                }
            });
        }
    }
    BOOST_TEST(passed == 6);
    const auto held = slots->try_acquire();
    BOOST_REQUIRE(held);
    BOOST_TEST(!slots->acquire(20ms));
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(!slots->acquire(20s), "once that was in vain, nobody waits");
    BOOST_TEST((std::chrono::steady_clock::now() - began < 10s));
}

BOOST_AUTO_TEST_CASE(a_process_that_has_taken_its_share_keeps_no_other_from_waiting) {
    const SharedMemory memory(WaitSlots::bytes_needed(8));
    auto slots = WaitSlots::create(memory.bytes(), 8, 1);
    auto of_another_process = WaitSlots::attach(memory.bytes(), 8, 1);
    BOOST_REQUIRE((slots && of_another_process));
    const auto held = slots->try_acquire();
    BOOST_REQUIRE(held);
    BOOST_TEST(!slots->acquire(20ms));
    auto elsewhere = of_another_process->try_acquire();
    BOOST_REQUIRE(elsewhere);
    std::jthread login{[&] {
        const auto permit = of_another_process->acquire(20s);
        BOOST_TEST(permit.has_value(), "it waits, and gets the place that is given back");
    }};
    std::this_thread::sleep_for(50ms);
    elsewhere.reset();
}

BOOST_AUTO_TEST_CASE(when_all_slots_are_taken_nobody_waits_in_any_process) {
    const SharedMemory memory(WaitSlots::bytes_needed(1));
    auto slots = WaitSlots::create(memory.bytes(), 1, 4);
    auto of_another_process = WaitSlots::attach(memory.bytes(), 1, 4);
    BOOST_REQUIRE((slots && of_another_process));
    const auto held = slots->try_acquire();
    BOOST_REQUIRE(held);
    BOOST_TEST(!slots->acquire(20ms));
    const auto began = std::chrono::steady_clock::now();
    BOOST_TEST(!of_another_process->acquire(20s));
    BOOST_TEST((std::chrono::steady_clock::now() - began < 10s));
}

#ifndef __SANITIZE_THREAD__  // which rightly reports what this does
BOOST_AUTO_TEST_CASE(a_permit_destroyed_on_another_thread_is_kept_until_its_own_thread_ends) {
    const SharedMemory memory(WaitSlots::bytes_needed(1));
    auto slots = WaitSlots::create(memory.bytes(), 1, 100);
    BOOST_REQUIRE(slots);
    std::optional<WaitSlots::Permit> stray;
    std::atomic<int> step = 0;
    std::jthread holder([&] {
        if (auto permit = slots->try_acquire()) {
            stray.emplace(*std::move(permit));
        }
        step = 1;
        step.notify_all();
        step.wait(1);
    });
    step.wait(0);
    BOOST_REQUIRE(stray);
    stray.reset();
    BOOST_TEST(!slots->try_acquire());
    step = 2;
    step.notify_all();
    holder.join();
    BOOST_TEST(slots->try_acquire().has_value());
}
#endif

BOOST_AUTO_TEST_CASE(never_gives_more_permits_than_slots_to_many_processes_and_threads) {
    constexpr int kSlots = 5;
    const SharedMemory memory(WaitSlots::bytes_needed(kSlots));
    const Shared<std::atomic<int>> held;
    const Shared<std::atomic<int>> most;
    auto slots = WaitSlots::create(memory.bytes(), kSlots, 100);
    BOOST_REQUIRE(slots);
    const auto come_and_go = [&] {
        for (int i = 0; i < 500; ++i) {
            if (const auto permit = slots->try_acquire()) {
                const int now = ++*held;
                for (int seen = *most; seen < now && !most->compare_exchange_weak(seen, now);) {
                }
                std::this_thread::sleep_for(20us);
                --*held;
            }
        }
    };
    std::vector<Child> children;
    for (int p = 0; p < 4; ++p) {
        children.emplace_back([&] {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 4; ++t) {
                threads.emplace_back(come_and_go);
            }
        });
    }
    for (Child& child : children) {
        BOOST_TEST(child.wait());
    }
    BOOST_TEST(*held == 0);
    BOOST_TEST(*most <= kSlots);
    BOOST_TEST(*most > 1, "the test did run things side by side");
    std::vector<WaitSlots::Permit> all;
    while (auto permit = slots->try_acquire()) {
        all.push_back(*std::move(permit));
    }
    BOOST_TEST(all.size() == static_cast<std::size_t>(kSlots), "none is lost");
}

BOOST_AUTO_TEST_SUITE_END()
