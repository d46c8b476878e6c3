// How much a table holds, what goes when it is full, and which memory it touches.
#include <boost/test/unit_test.hpp>

#include "session/shm_store.hpp"
#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using session::SessionStore;
using test::bytes_of;
using test::has;
using test::head_at;
using test::id_of;
using test::kNow;
using test::problem_of;
using test::put;
using test::realm_of;
using test::Table;
using test::touch;

BOOST_AUTO_TEST_SUITE(shm_store_capacity)

BOOST_AUTO_TEST_CASE(a_small_table_holds_exactly_its_capacity) {
    for (const std::uint64_t capacity : {1U, 2U, 10U, 255U, 511U}) {
        Table table{capacity};
        for (std::uint64_t number = 0; number < capacity; ++number) {
            put(table.store, number);
        }
        BOOST_TEST(table.store.statistics()->evicted == 0U);
        put(table.store, capacity);
        BOOST_TEST(table.store.statistics()->evicted == 1U);
        BOOST_TEST(table.store.statistics()->live == capacity);
    }
}

BOOST_AUTO_TEST_CASE(a_large_table_holds_its_capacity_of_typical_sessions_before_anyone_is_evicted) {
    for (const std::uint64_t capacity : {512U, 1000U, 4096U, 20'000U, 100'000U}) {
        Table table{capacity};
        for (std::uint64_t number = 0; number < capacity; ++number) {
            put(table.store, number + 1'000'000 * capacity, kNow, 916, 816);
        }
        const auto statistics = table.store.statistics().value();
        BOOST_TEST(statistics.live == capacity);
        BOOST_TEST(statistics.evicted == 0U);
        BOOST_TEST(statistics.bytes_in_use <= 2048 * capacity);
    }
}

BOOST_AUTO_TEST_CASE(the_expired_go_first_then_the_longest_idle) {
    Table table{4};
    put(table.store, 1, kNow);
    put(table.store, 2, kNow + 1min);
    put(table.store, 3, kNow + 2min);
    put(table.store, 4, kNow + 3min);
    touch(table.store, 1, kNow + 59min);
    touch(table.store, 2, kNow + 58min);
    // At an hour and two minutes only 3 is expired.
    put(table.store, 5, kNow + 62min);
    BOOST_TEST(table.store.statistics()->evicted == 0U);
    BOOST_TEST(table.store.statistics()->expired == 1U);
    // Nobody is expired now; 4 was used at 3, then 2 at 58, then 1 at 59, then 5 at 62 minutes.
    for (const std::uint64_t number : {6U, 7U, 8U, 9U}) {
        put(table.store, number, kNow + 62min + 30s);
    }
    BOOST_TEST(table.store.statistics()->evicted == 4U);
    for (const std::uint64_t number : {1U, 2U, 3U, 4U, 5U}) {
        BOOST_TEST(!has(table.store, number, kNow + 62min));
    }
}

BOOST_AUTO_TEST_CASE(sessions_are_evicted_in_the_order_of_their_last_use) {
    Table table{10};
    for (std::uint64_t number = 0; number < 10; ++number) {
        put(table.store, number);
    }
    const std::vector<std::uint64_t> order{3, 1, 4, 0, 5, 9, 2, 6, 8, 7};
    for (std::size_t i = 0; i < order.size(); ++i) {
        touch(table.store, order[i], kNow + 1min + std::chrono::seconds{i});
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        BOOST_TEST(has(table.store, order[i], kNow + 2min));
        put(table.store, 100 + i, kNow + 2min);
        BOOST_TEST(!has(table.store, order[i], kNow + 2min));
    }
}

BOOST_AUTO_TEST_CASE(a_large_session_takes_the_room_of_several_small_ones_and_no_more) {
    Table table{200};  // 1600 chunks
    for (std::uint64_t number = 0; number < 200; ++number) {
        put(table.store, number, kNow + std::chrono::seconds{number});
    }
    const std::string most(SessionStore::kMaxPartBytes, 'm');  // 496 chunks beside 200 * 7
    table.store.create(id_of(1000), head_at(kNow + 5min), bytes_of(most), bytes_of(most), kNow + 5min).value();
    const auto statistics = table.store.statistics().value();
    BOOST_TEST(statistics.evicted == 43U);  // (496 - 200) / 7, rounded up
    BOOST_TEST(!has(table.store, 42, kNow + 5min));
    BOOST_TEST(has(table.store, 43, kNow + 5min));
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_CASE(a_lower_capacity_takes_effect_as_sessions_come) {
    Table table{10};
    for (std::uint64_t number = 0; number < 10; ++number) {
        put(table.store, number, kNow + std::chrono::seconds{number});
    }
    BOOST_TEST(table.store.set_capacity(5).value());
    BOOST_TEST(table.store.capacity() == 5U);
    BOOST_TEST(table.store.statistics()->live == 10U, "nobody is signed out by a change of the configuration alone");
    put(table.store, 100, kNow + 1min);
    BOOST_TEST(table.store.statistics()->live == 5U);
    for (const std::uint64_t number : {6U, 7U, 8U, 9U, 100U}) {
        BOOST_TEST(has(table.store, number, kNow + 1min));
    }
    BOOST_TEST(table.store.set_capacity(10).value());
    for (std::uint64_t number = 200; number < 205; ++number) {
        put(table.store, number, kNow + 1min);
    }
    BOOST_TEST(table.store.statistics()->live == 10U);
}

BOOST_AUTO_TEST_CASE(a_capacity_beyond_the_memory_is_refused) {
    for (const std::uint64_t capacity : {10U, 5000U}) {
        Table table{capacity};
        BOOST_TEST(!table.store.set_capacity(capacity + 100).value());
        BOOST_TEST(!table.store.set_capacity(0).value());
        BOOST_TEST(!table.store.set_capacity(UINT64_MAX).value());
        BOOST_TEST(table.store.capacity() == capacity);
        BOOST_TEST(table.store.set_capacity(capacity).value());
    }
}

BOOST_AUTO_TEST_CASE(making_a_table_touches_its_headers_only) {
    Table table{1'000'000};
    BOOST_TEST(table.memory.bytes().size() > 2'000'000'000U);
    BOOST_TEST(table.memory.resident_bytes() <= 64U * 1024U);
    for (std::uint64_t number = 0; number < 1000; ++number) {
        put(table.store, number);
    }
    BOOST_TEST(table.memory.resident_bytes() < 16'000'000U);
}

BOOST_AUTO_TEST_CASE(freed_memory_is_used_again_before_fresh_memory) {
    Table table{100'000};
    for (std::uint64_t number = 0; number < 2000; ++number) {
        put(table.store, number);
    }
    const std::size_t touched = table.memory.resident_bytes();
    for (int round = 0; round < 5; ++round) {
        for (std::uint64_t number = 0; number < 2000; ++number) {
            table.store.remove(id_of(number), realm_of('r')).value();
            put(table.store, number);
        }
    }
    BOOST_TEST(table.memory.resident_bytes() == touched);
}

BOOST_AUTO_TEST_CASE(each_eviction_is_told_once_to_whichever_process_asks) {
    Table table{2};
    for (const std::uint64_t number : {1U, 2U, 3U, 4U}) {
        put(table.store, number);
    }
    auto other = session::ShmStore::open(table.memory.bytes()).value();
    BOOST_TEST(other.take_evictions().value() == 2U);
    BOOST_TEST(table.store.take_evictions().value() == 0U);
    put(table.store, 5);
    BOOST_TEST(table.store.take_evictions().value() == 1U);
    BOOST_TEST(other.take_evictions().value() == 0U);
    BOOST_TEST(table.store.statistics()->evicted == 3U, "the counter itself goes on");
}

BOOST_AUTO_TEST_CASE(each_expiry_is_told_once_to_whichever_process_asks) {
    Table table{8};
    put(table.store, 1);
    put(table.store, 2);
    auto other = session::ShmStore::open(table.memory.bytes()).value();
    BOOST_TEST(other.take_expiries().value() == 0U);
    BOOST_REQUIRE(table.store.sweep(kNow + std::chrono::hours{24 * 365}).value() == 2U);
    BOOST_TEST(other.take_expiries().value() == 2U);
    BOOST_TEST(table.store.take_expiries().value() == 0U);
    BOOST_TEST(table.store.statistics()->expired == 2U, "the counter itself goes on");
}

BOOST_AUTO_TEST_SUITE_END()
