// One table taking over from another that is still in use: growth beyond the mapped memory at a graceful restart.
#include <boost/test/unit_test.hpp>

#include <map>

#include "session/shm_store.hpp"
#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using session::Part;
using session::ShmStore;
using session::Touch;
using test::bytes_of;
using test::head_at;
using test::id_of;
using test::kNow;
using test::part_of;
using test::problem_of;
using test::realm_of;
using test::Table;

namespace {

void create(ShmStore& store, std::uint64_t number, core::UnixTime now = kNow, std::string_view content = "content") {
    store.create(id_of(number), head_at(now), bytes_of(content), bytes_of("tokens"), now).value();
}

bool has(ShmStore& store, std::uint64_t number, core::UnixTime now = kNow) {
    return part_of(store, id_of(number), Part::attributes, now).has_value();
}

/// An old table with two sessions and a larger one that has just taken over.
struct Takeover {
    Table old{100};
    Table larger{2000};

    Takeover() {
        create(old.store, 1);
        create(old.store, 2);
        larger.store.copy_from(old.store, kNow).value();
    }
    void merge(core::UnixTime now = kNow) { larger.store.merge_from(old.store, now).value(); }
    ~Takeover() {
        BOOST_TEST(problem_of(old.store) == "");
        BOOST_TEST(problem_of(larger.store) == "");
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(shm_takeover)

BOOST_AUTO_TEST_CASE(brings_every_session_over_as_it_is) {
    Table old{3000};
    Table larger{6000};
    for (std::uint64_t number = 0; number < 3000; ++number) {
        auto head = head_at();
        head.serial = number + 1;
        head.last_used += std::chrono::seconds{number % 60};
        old.store.create(id_of(number), head, bytes_of(std::string(number, 'a')), bytes_of(std::to_string(number)), kNow).value();
    }
    larger.store.copy_from(old.store, kNow).value();
    BOOST_TEST(larger.store.statistics()->live == 3000U);
    for (std::uint64_t number = 0; number < 3000; ++number) {
        test::VectorBuffer buffer;
        const auto head = larger.store.find(id_of(number), realm_of('r'), Part::attributes, buffer, kNow, Touch::no).value().value();
        BOOST_TEST((buffer.text() == std::string(number, 'a')));
        BOOST_TEST(head.serial == number + 1);
        BOOST_TEST((head.last_used == kNow + std::chrono::seconds{number % 60}));
        BOOST_TEST(part_of(larger.store, id_of(number), Part::tokens).value() == std::to_string(number));
    }
    BOOST_TEST(problem_of(larger.store) == "");
}

BOOST_AUTO_TEST_CASE(leaves_the_expired_behind) {
    Table old{100};
    Table larger{2000};
    create(old.store, 1, kNow - 2h);
    create(old.store, 2);
    larger.store.copy_from(old.store, kNow).value();
    BOOST_TEST(larger.store.statistics()->live == 1U);
}

BOOST_AUTO_TEST_CASE(brings_over_what_an_old_child_creates_later) {
    Takeover takeover;
    create(takeover.old.store, 3);
    BOOST_TEST(!has(takeover.larger.store, 3));
    takeover.merge();
    BOOST_TEST(has(takeover.larger.store, 3));
}

BOOST_AUTO_TEST_CASE(a_new_child_finds_at_once_what_an_old_child_created) {
    Takeover takeover;
    auto child = takeover.larger.store;
    child.set_predecessor(&takeover.old.store);
    create(takeover.old.store, 3);
    BOOST_TEST(has(child, 3));
    BOOST_TEST(has(takeover.larger.store, 3), "it is in the larger table from now on");
    BOOST_TEST(!has(child, 4));
    BOOST_TEST(child.remove(id_of(3), realm_of('r')).value());
    BOOST_TEST(!has(child, 3), "and does not come back");
}

BOOST_AUTO_TEST_CASE(use_in_the_old_table_counts_in_the_new_one) {
    Takeover takeover;
    BOOST_TEST(part_of(takeover.old.store, id_of(1), Part::attributes, kNow + 50min, Touch::yes).has_value());
    takeover.merge(kNow + 50min);
    BOOST_TEST(has(takeover.larger.store, 1, kNow + 100min));
    BOOST_TEST(!has(takeover.larger.store, 2, kNow + 100min));
}

BOOST_AUTO_TEST_CASE(use_in_the_new_table_is_not_set_back) {
    Takeover takeover;
    BOOST_TEST(part_of(takeover.larger.store, id_of(1), Part::attributes, kNow + 50min, Touch::yes).has_value());
    takeover.merge(kNow + 50min);
    BOOST_TEST(has(takeover.larger.store, 1, kNow + 100min));
}

BOOST_AUTO_TEST_CASE(a_session_ended_in_the_old_table_ends_in_the_new_one) {
    Takeover takeover;
    BOOST_TEST(takeover.old.store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(!has(takeover.old.store, 1));
    takeover.merge();
    BOOST_TEST(!has(takeover.larger.store, 1));
    takeover.merge();
    BOOST_TEST(!has(takeover.larger.store, 1));
    BOOST_TEST(has(takeover.larger.store, 2));
}

BOOST_AUTO_TEST_CASE(a_session_ended_in_the_new_table_ends_in_the_old_one_and_does_not_come_back) {
    Takeover takeover;
    BOOST_TEST(takeover.larger.store.remove(id_of(1), realm_of('r')).value());
    takeover.merge();
    BOOST_TEST(!has(takeover.larger.store, 1));
    BOOST_TEST(!has(takeover.old.store, 1));
    takeover.merge();
    BOOST_TEST(!has(takeover.larger.store, 1));
}

BOOST_AUTO_TEST_CASE(a_new_child_ends_a_session_in_both_tables_at_once) {
    Takeover takeover;
    auto child = takeover.larger.store;
    child.set_predecessor(&takeover.old.store);
    BOOST_TEST(child.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(!has(takeover.old.store, 1));
    BOOST_TEST(child.remove_subject(realm_of('r'), head_at().subject).value() == 1U);
    BOOST_TEST(!has(takeover.old.store, 2));
    BOOST_TEST(!has(child, 2));
    takeover.merge();
    BOOST_TEST(takeover.larger.store.statistics()->live == 0U);
}

BOOST_AUTO_TEST_CASE(a_person_ended_in_the_old_table_stays_ended) {
    Takeover takeover;
    BOOST_TEST(takeover.old.store.remove_subject(realm_of('r'), head_at().subject).value() == 2U);
    takeover.merge();
    BOOST_TEST(takeover.larger.store.statistics()->live == 0U);
}

BOOST_AUTO_TEST_CASE(the_old_table_replaces_no_record_so_that_no_nonce_is_used_twice) {
    Takeover takeover;
    auto head = head_at();
    head.serial = 2;
    BOOST_TEST(!takeover.old.store.replace(id_of(1), head, bytes_of("x"), bytes_of("y"), kNow).value());
    BOOST_TEST(takeover.larger.store.replace(id_of(1), head, bytes_of("x"), bytes_of("y"), kNow).value());
    takeover.merge();
    BOOST_TEST(part_of(takeover.larger.store, id_of(1), Part::attributes).value() == "x", "the newer version stays");
}

BOOST_AUTO_TEST_CASE(a_tombstone_cannot_be_found_replaced_removed_or_created_over) {
    Takeover takeover;
    auto& store = takeover.larger.store;
    BOOST_TEST(store.remove(id_of(1), realm_of('r')).value());
    auto head = head_at();
    BOOST_TEST(!has(store, 1));
    BOOST_TEST(!store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(!store.create(id_of(1), head, bytes_of("x"), bytes_of("y"), kNow).has_value());
    head.serial = 2;
    BOOST_TEST(!store.replace(id_of(1), head, bytes_of("x"), bytes_of("y"), kNow).value());
    BOOST_TEST(store.statistics()->live == 1U);
}

BOOST_AUTO_TEST_CASE(tells_every_generation_of_the_code_that_it_is_under_way) {
    Takeover takeover;
    BOOST_TEST(session::ShmStore::open(takeover.larger.memory.bytes())->is_taking_over());
    BOOST_TEST(!session::ShmStore::open(takeover.old.memory.bytes())->is_taking_over());
    takeover.larger.store.finish_takeover().value();
    BOOST_TEST(!session::ShmStore::open(takeover.larger.memory.bytes())->is_taking_over());
}

BOOST_AUTO_TEST_CASE(tombstones_go_when_the_old_table_is_no_longer_in_use) {
    Takeover takeover;
    BOOST_TEST(takeover.larger.store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(takeover.larger.store.statistics()->bytes_in_use > 2U * 132U);
    takeover.larger.store.finish_takeover().value();
    const auto statistics = takeover.larger.store.statistics().value();
    BOOST_TEST(statistics.live == 1U);
    BOOST_TEST(statistics.bytes_in_use == 132U + 256U);
    BOOST_TEST(takeover.larger.store.remove(id_of(2), realm_of('r')).value());
    BOOST_TEST(takeover.larger.store.statistics()->bytes_in_use == 0U);
}

BOOST_AUTO_TEST_CASE(a_tombstone_goes_with_the_time_of_its_session) {
    Takeover takeover;
    BOOST_TEST(takeover.old.store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(takeover.old.store.sweep(kNow + 30min).value() == 0U);
    BOOST_TEST(takeover.old.store.statistics()->bytes_in_use == 2U * 132U + 256U);
    BOOST_TEST(takeover.old.store.sweep(kNow + 2h).value() == 1U, "the tombstone does not count as an expired session");
    BOOST_TEST(takeover.old.store.statistics()->bytes_in_use == 0U);
}

BOOST_AUTO_TEST_CASE(tombstones_give_way_before_any_live_session_does) {
    Table table{3};
    Table larger{100};
    larger.store.copy_from(table.store, kNow).value();
    for (std::uint64_t number = 1; number <= 20; ++number) {
        create(table.store, number);
        if (number % 5 != 0) {
            BOOST_TEST(table.store.remove(id_of(number), realm_of('r')).value());
        }
        BOOST_TEST(problem_of(table.store) == "");
    }
    // Four stay: three fit.
    BOOST_TEST(table.store.statistics()->live == 3U);
    BOOST_TEST(table.store.statistics()->evicted == 1U);
}

BOOST_AUTO_TEST_CASE(a_smaller_table_keeps_those_used_last) {
    Table old{100};
    Table smaller{10};
    for (std::uint64_t number = 0; number < 100; ++number) {
        create(old.store, number, kNow + std::chrono::seconds{number * 37 % 100});
    }
    smaller.store.copy_from(old.store, kNow + 2min).value();
    for (std::uint64_t number = 0; number < 100; ++number) {
        BOOST_TEST(has(smaller.store, number, kNow + 2min) == (number * 37 % 100 >= 90));
    }
}

BOOST_AUTO_TEST_CASE(a_walk_meets_every_session_once_while_others_come_go_and_change) {
    Table table{4000};
    for (std::uint64_t number = 0; number < 4000; ++number) {
        create(table.store, number);
    }
    std::map<session::LookupId, int> met;
    session::RecordCursor cursor;
    std::vector<session::StoredRecord> records;
    std::uint64_t disturbance = 0;
    while (table.store.next_records(cursor, records, false).value()) {
        for (const auto& record : records) {
            ++met[record.id];
        }
        // The first 2000 are replaced again and again, which moves them to other entries; the last 100 come and go.
        for (int i = 0; i < 50; ++i) {
            const std::uint64_t number = disturbance++ % 2000;
            auto head = head_at();
            head.serial = 2 + (disturbance - 1) / 2000;
            BOOST_REQUIRE(table.store.replace(id_of(number), head, bytes_of("changed"), bytes_of("tokens"), kNow).value());
            table.store.remove(id_of(3900 + number % 100), realm_of('r')).value();
        }
    }
    for (std::uint64_t number = 0; number < 3900; ++number) {
        BOOST_TEST(met[id_of(number)] == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
