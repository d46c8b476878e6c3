// Memory that something else has scribbled over. Nobody promises to find all sessions in it; but nothing crashes, reads outside, or runs on for
// ever, and attaching brings it in order or refuses. (The mutexes are left alone: they are the C library's, and a damaged one is a bounded wait.)
#include <boost/test/unit_test.hpp>

#include <random>

#include "session/shm_store.hpp"
#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using session::Part;
using session::ShmStore;
using session::shm::ShardHeader;
using session::shm::TableHeader;
using test::bytes_of;
using test::head_at;
using test::id_of;
using test::kNow;
using test::part_of;
using test::problem_of;
using test::realm_of;
using test::Table;

namespace {

constexpr std::uint64_t kSessions = 6;
constexpr std::uint64_t kCapacity = 8;

void use_everything(ShmStore& store) {
    test::VectorBuffer buffer;
    for (std::uint64_t number = 0; number < kSessions; ++number) {
        for (const Part part : {Part::attributes, Part::tokens}) {
            const auto found = store.find(id_of(number), realm_of('r'), part, buffer, kNow, session::Touch::yes);
            BOOST_REQUIRE(!found || !*found || buffer.content.size() <= session::SessionStore::kMaxPartBytes);
        }
    }
    (void)store.create(id_of(20), head_at(), bytes_of(std::string(900, 'x')), bytes_of("t"), kNow);
    auto head = head_at();
    head.serial = 2;
    (void)store.replace(id_of(0), head, bytes_of(std::string(2000, 'y')), bytes_of("t"), kNow);
    (void)store.remove(id_of(1), realm_of('r'));
    (void)store.remove_subject(realm_of('q'), head.subject);
    (void)store.sweep(kNow + 30min);
    (void)store.statistics();
    (void)store.validate();
    session::RecordCursor cursor;
    std::vector<session::StoredRecord> records;
    for (int steps = 0; store.next_records(cursor, records, true).value_or(false); ++steps) {
        BOOST_REQUIRE(steps < 100);
    }
    for (std::uint64_t number = 30; number < 40; ++number) {
        (void)store.create(id_of(number), head_at(), bytes_of(std::string(900, 'x')), bytes_of("t"), kNow);
    }
}

/// A table in which every structure occurs: records, free entries, free chunks, a tombstone.
class Patient {
public:
    Patient() : table_(kCapacity), larger_(kCapacity) {
        auto& store = table_.store;
        for (std::uint64_t number = 0; number < kSessions; ++number) {
            store.create(id_of(number), head_at(), bytes_of(std::string(300 * number, 'a')), bytes_of("tokens"), kNow).value();
        }
        BOOST_REQUIRE(store.remove(id_of(2), realm_of('r')).value());
        larger_.store.copy_from(store, kNow).value();
        BOOST_REQUIRE(store.remove(id_of(3), realm_of('r')).value());
        healthy_.assign(memory().begin(), memory().end());
        used_ = healthy_.size();
        while (healthy_[used_ - 1] == std::byte{0}) {
            --used_;
        }
    }

    [[nodiscard]] std::span<std::byte> memory() const { return session::shm::aligned_table(table_.memory.bytes()).value(); }
    /// What has ever been written.
    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] static bool is_mutex(std::size_t at) {
        return at >= sizeof(TableHeader) && at < sizeof(TableHeader) + sizeof(core::RobustMutex);
    }
    /// Inside a chunk, behind its head: sealed content, which the table only carries.
    [[nodiscard]] static bool is_content(std::size_t at) {
        const auto geometry = session::shm::Geometry::for_capacity(kCapacity).value();
        const std::size_t chunks = geometry.areas_offset() + geometry.chunks_offset();
        return at >= chunks && (at - chunks) % sizeof(session::shm::Chunk) >= 8;
    }
    void heal() const { std::ranges::copy(healthy_, memory().begin()); }

    /// A process that attached before the damage goes on using it.
    void go_on() { use_everything(table_.store); }

    /// A new generation attaches to it, or refuses to. @return whether it did
    bool attach() {
        auto attached = ShmStore::attach(table_.memory.bytes());
        if (!attached) {
            return false;
        }
        BOOST_REQUIRE(problem_of(*attached) == "");
        use_everything(*attached);
        BOOST_REQUIRE(problem_of(*attached) == "");
        return true;
    }

private:
    Table table_;
    Table larger_;
    std::vector<std::byte> healthy_;
    std::size_t used_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(shm_damage)

BOOST_AUTO_TEST_CASE(of_any_one_byte_does_no_harm) {
    Patient patient;
    std::size_t refused = 0;
    for (std::size_t at = 0; at < patient.used(); ++at) {
        if (Patient::is_mutex(at) || (Patient::is_content(at) && at % 50 != 0)) {
            continue;
        }
        const std::byte good = patient.memory()[at];
        for (const std::byte bad : {good ^ std::byte{1}, good ^ std::byte{0x80}, ~good, std::byte{0}, std::byte{0xFF}}) {
            patient.memory()[at] = bad;
            patient.go_on();
            patient.heal();
            patient.memory()[at] = bad;
            refused += patient.attach() ? 0U : 1U;
            patient.heal();
        }
    }
    BOOST_TEST(refused > 100U, "a damaged header is refused");
    BOOST_TEST(refused < 5 * sizeof(TableHeader));
}

BOOST_AUTO_TEST_CASE(of_many_bytes_does_no_harm) {
    Patient patient;
    std::mt19937 random{3};
    for (int round = 0; round < 3000; ++round) {
        patient.heal();
        const std::size_t from = sizeof(TableHeader) + sizeof(core::RobustMutex);
        const std::size_t length = 1 + random() % (1U << (random() % 12));
        const std::size_t begin = from + random() % (patient.used() - from);
        const auto manner = random() % 3;
        for (std::size_t at = begin; at < std::min(begin + length, patient.used()); ++at) {
            patient.memory()[at] = manner == 0 ? std::byte{0xFF} : manner == 1 ? std::byte(random() % 4) : std::byte(random());
        }
        if (round % 2 == 0) {
            patient.go_on();
        }
        BOOST_REQUIRE(patient.attach());
    }
}

BOOST_AUTO_TEST_CASE(of_every_number_in_the_headers_of_a_shard_does_no_harm) {
    Patient patient;
    const std::size_t from = sizeof(TableHeader) + sizeof(core::RobustMutex);
    for (std::size_t at = from; at + 4 <= sizeof(TableHeader) + sizeof(ShardHeader); at += 4) {
        for (const std::uint32_t value : {0U, 1U, 2U, 5U, 8U, 9U, 10U, 1024U, 1025U, 0x7fff'ffffU, 0xffff'ffffU}) {
            patient.heal();
            std::memcpy(patient.memory().data() + at, &value, sizeof(value));
            patient.go_on();
            patient.heal();
            std::memcpy(patient.memory().data() + at, &value, sizeof(value));
            BOOST_REQUIRE(patient.attach());
        }
    }
}

BOOST_AUTO_TEST_CASE(of_one_record_costs_that_record_alone) {
    Table table{100};
    for (std::uint64_t number = 0; number < 50; ++number) {
        table.store.create(id_of(number), head_at(), bytes_of(std::string(900, 'a')), bytes_of("tokens"), kNow).value();
    }
    auto* const label = reinterpret_cast<std::uint32_t*>(
        static_cast<std::byte*>(::memmem(table.memory.bytes().data(), table.memory.bytes().size(), std::string(248, 'a').data(), 248)) - 4);
    *label ^= 1;
    BOOST_TEST(problem_of(table.store) == "shard 0: chain of chunks leads into another record");
    std::size_t found = 0;
    for (std::uint64_t number = 0; number < 50; ++number) {
        found += part_of(table.store, id_of(number), Part::attributes).has_value() ? 1U : 0U;
    }
    BOOST_TEST(found == 49U);
    BOOST_TEST(problem_of(table.store) == "");
    BOOST_TEST(table.store.statistics()->repaired == 1U);
}

BOOST_AUTO_TEST_CASE(of_a_lock_is_a_bounded_wait) {
    Table table{100};
    table.store.set_lock_wait(50ms);
    auto* const word = reinterpret_cast<std::uint32_t*>(session::shm::aligned_table(table.memory.bytes()).value().data() + sizeof(TableHeader));
    *word = 0x3fff'fff0;  // held by a thread that is not there
    BOOST_TEST((table.store.statistics().error().code == core::ErrorCode::session_store_unavailable));
    *word = 0;
    BOOST_TEST(table.store.statistics().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
