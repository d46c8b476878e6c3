#include "session/shm_layout.hpp"

#include <boost/test/unit_test.hpp>

#include "session/table.hpp"

using namespace proconnect;
using core::ErrorCode;
using session::Part;
using session::ShmStore;
using session::shm::Geometry;
using test::bytes_of;
using test::head_at;
using test::id_of;
using test::kNow;
using test::part_of;
using test::Table;

namespace {

session::shm::TableHeader& header_of(const Table& table) {
    return *reinterpret_cast<session::shm::TableHeader*>(session::shm::aligned_table(table.memory.bytes()).value().data());
}

void check_refused(const Table& table, const char* reason) {
    const auto attached = ShmStore::attach(table.memory.bytes());
    BOOST_REQUIRE(!attached.has_value());
    BOOST_TEST((attached.error().code == ErrorCode::session_store_unavailable));
    BOOST_TEST(attached.error().detail == reason);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shm_layout)

BOOST_AUTO_TEST_CASE(small_tables_have_one_shard_and_large_ones_at_most_256) {
    const auto shards = [](std::uint64_t capacity) { return Geometry::for_capacity(capacity).value().shards; };
    BOOST_TEST(shards(1) == 1U);
    BOOST_TEST(shards(511) == 1U);
    BOOST_TEST(shards(512) == 2U);
    BOOST_TEST(shards(1023) == 2U);
    BOOST_TEST(shards(65'535) == 128U);
    BOOST_TEST(shards(65'536) == 256U);
    BOOST_TEST(shards(10'000'000) == 256U);
}

BOOST_AUTO_TEST_CASE(there_is_room_for_each_record_its_replacement_and_eight_chunks) {
    for (const std::uint64_t capacity : {1U, 100U, 511U, 512U, 100'000U, 1'000'000U}) {
        const auto geometry = Geometry::for_capacity(capacity).value();
        const std::uint32_t limit = session::shm::entry_limit_for(capacity, geometry.shards);
        BOOST_TEST(geometry.entries == limit + 1);
        BOOST_TEST(geometry.chunks >= 8 * limit);
        BOOST_TEST(geometry.chunks >= 2 * session::shm::kMaxChunksPerRecord);
        BOOST_TEST(geometry.buckets >= limit);
        BOOST_TEST(std::has_single_bit(geometry.buckets));
        BOOST_TEST(std::uint64_t{limit} * geometry.shards >= capacity);
        BOOST_TEST(geometry.area_bytes() % session::shm::kCacheLine == 0U);
    }
}

BOOST_AUTO_TEST_CASE(impossible_capacities_are_refused) {
    for (const std::uint64_t capacity : {std::uint64_t{0}, std::uint64_t{2'000'000'000}, UINT64_MAX}) {
        BOOST_TEST(!Geometry::for_capacity(capacity).has_value());
        BOOST_TEST(ShmStore::required_bytes(capacity) == 0U);
        const test::SharedMemory memory{4096};
        BOOST_TEST((ShmStore::create(memory.bytes(), capacity).error().code == ErrorCode::session_store_unavailable));
    }
}

BOOST_AUTO_TEST_CASE(memory_that_is_too_small_is_refused) {
    const std::size_t needed = ShmStore::required_bytes(100);
    const test::SharedMemory memory{needed};
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{191}, needed / 2, needed - 64}) {
        BOOST_TEST(!ShmStore::create(memory.bytes().first(bytes), 100).has_value());
        BOOST_TEST(!ShmStore::attach(memory.bytes().first(bytes)).has_value());
    }
    BOOST_TEST(ShmStore::create(memory.bytes(), 100).has_value());
    BOOST_TEST(ShmStore::attach(memory.bytes()).has_value());
    BOOST_TEST((ShmStore::attach(memory.bytes().first(needed / 2)).error().detail == "session table larger than its memory"));
}

BOOST_AUTO_TEST_CASE(a_table_fits_wherever_its_memory_begins) {
    const std::size_t needed = ShmStore::required_bytes(100);
    for (std::size_t skip = 0; skip < 64; skip += 8) {
        const test::SharedMemory memory{needed + skip};
        auto store = ShmStore::create(memory.bytes().subspan(skip), 100).value();
        store.create(id_of(1), head_at(), bytes_of("a"), bytes_of("t"), kNow).value();
        auto attached = ShmStore::attach(memory.bytes().subspan(skip)).value();
        BOOST_TEST(part_of(attached, id_of(1), Part::attributes).value() == "a");
    }
}

BOOST_AUTO_TEST_CASE(another_generation_of_the_code_finds_every_session) {
    Table table{1000};
    for (std::uint64_t number = 0; number < 1000; ++number) {
        table.store.create(id_of(number), head_at(), bytes_of("a" + std::to_string(number)), bytes_of("t"), kNow).value();
    }
    auto attached = ShmStore::attach(table.memory.bytes()).value();
    for (std::uint64_t number = 0; number < 1000; ++number) {
        BOOST_TEST(part_of(attached, id_of(number), Part::attributes).value() == "a" + std::to_string(number));
    }
    BOOST_TEST(attached.capacity() == 1000U);
    BOOST_TEST(attached.statistics()->repaired == 0U);
}

BOOST_AUTO_TEST_CASE(a_capacity_set_later_is_found_again) {
    Table table{1000};
    BOOST_TEST(table.store.set_capacity(700).value());
    BOOST_TEST(ShmStore::attach(table.memory.bytes()).value().capacity() == 700U);
}

BOOST_AUTO_TEST_CASE(empty_memory_and_other_memory_are_no_table) {
    const test::SharedMemory memory{ShmStore::required_bytes(100)};
    BOOST_TEST((ShmStore::attach(memory.bytes()).error().detail == "no session table"));
    std::ranges::fill(memory.bytes(), std::byte{0xA5});
    BOOST_TEST((ShmStore::attach(memory.bytes()).error().detail == "no session table"));
    BOOST_TEST(!ShmStore::attach({}).has_value());
}

BOOST_AUTO_TEST_CASE(a_table_of_another_version_is_refused) {
    Table table{100};
    header_of(table).layout_version += 1;
    check_refused(table, "session table of another version");
}

BOOST_AUTO_TEST_CASE(a_table_of_another_build_is_refused) {
    using Header = session::shm::TableHeader;
    for (auto Header::*size : {&Header::header_bytes, &Header::shard_header_bytes, &Header::entry_bytes, &Header::chunk_bytes, &Header::mutex_bytes}) {
        Table table{100};
        header_of(table).*size += 8;
        check_refused(table, "session table of another build");
    }
}

BOOST_AUTO_TEST_CASE(a_table_whose_numbers_do_not_fit_together_is_refused) {
    const auto damaged_by = [](auto change) {
        Table table{100};
        change(header_of(table));
        check_refused(table, "session table with a damaged header");
        BOOST_TEST(test::problem_of(table.store) == "session table with a damaged header");
    };
    damaged_by([](auto& header) { header.geometry.shards = 2; });
    damaged_by([](auto& header) { header.geometry.entries += 1; });
    damaged_by([](auto& header) { header.geometry.buckets *= 2; });
    damaged_by([](auto& header) { header.geometry.chunks = 0xffff'ffff; });
    damaged_by([](auto& header) { header.mapped_capacity = 101; });
    damaged_by([](auto& header) { header.mapped_capacity = 0; });
    damaged_by([](auto& header) { header.total_bytes = 1; });
    damaged_by([](auto& header) { header.capacity = 0; });
    damaged_by([](auto& header) { header.capacity = 1000; });
}

BOOST_AUTO_TEST_SUITE_END()
