#include "session/shm_store.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using core::ErrorCode;
using session::Part;
using session::SessionStore;
using session::Touch;
using test::bytes_of;
using test::has;
using test::head_at;
using test::id_of;
using test::kNow;
using test::part_of;
using test::problem_of;
using test::put;
using test::realm_of;
using test::Table;
using test::touch;

BOOST_AUTO_TEST_SUITE(shm_store)

BOOST_AUTO_TEST_CASE(gives_both_parts_and_the_head_back) {
    Table table{100};
    auto head = head_at();
    head.serial = 7;
    table.store.create(id_of(1), head, bytes_of("attributes"), bytes_of("tokens"), kNow).value();
    test::VectorBuffer buffer;
    const auto found = table.store.find(id_of(1), realm_of('r'), Part::attributes, buffer, kNow, Touch::no).value().value();
    BOOST_TEST(buffer.text() == "attributes");
    BOOST_TEST(buffer.reservations == 1);
    BOOST_TEST((found.realm == head.realm && found.subject == head.subject && found.created == head.created && found.expires == head.expires &&
                found.last_used == head.last_used && found.idle == head.idle && found.serial == 7U));
    BOOST_TEST(part_of(table.store, id_of(1), Part::tokens).value() == "tokens");
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_CASE(keeps_parts_of_every_length_around_the_size_of_a_chunk) {
    Table table{10};
    for (const std::size_t attributes : {0, 1, 247, 248, 249, 496, 61'439, 61'440}) {
        for (const std::size_t tokens : {0, 1, 247, 248, 249, 495, 61'440}) {
            std::string first(attributes, 'a');
            std::string second(tokens, 't');
            std::ranges::generate(first, [n = 0]() mutable { return static_cast<char>(n++ * 7); });
            std::ranges::generate(second, [n = 1]() mutable { return static_cast<char>(n++ * 11); });
            table.store.create(id_of(1), head_at(), bytes_of(first), bytes_of(second), kNow).value();
            BOOST_TEST((part_of(table.store, id_of(1), Part::attributes).value() == first));
            BOOST_TEST((part_of(table.store, id_of(1), Part::tokens).value() == second));
            BOOST_TEST(problem_of(table.store) == "");
            BOOST_TEST(table.store.remove(id_of(1), realm_of('r')).value());
        }
    }
    BOOST_TEST(table.store.statistics()->bytes_in_use == 0U);
}

BOOST_AUTO_TEST_CASE(knows_no_other_id) {
    Table table{100};
    put(table.store, 1);
    for (std::size_t bit = 0; bit < 256; ++bit) {
        auto id = id_of(1);
        id[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        BOOST_TEST(!part_of(table.store, id, Part::attributes));
        BOOST_TEST(!table.store.remove(id, realm_of('r')).value());
    }
    BOOST_TEST(has(table.store, 1));
}

BOOST_AUTO_TEST_CASE(shows_no_session_to_another_realm) {
    Table table{100};
    put(table.store, 1);
    test::VectorBuffer buffer;
    for (std::size_t at = 0; at < 16; ++at) {
        auto realm = realm_of('r');
        realm[at] ^= 1;
        BOOST_TEST(!table.store.find(id_of(1), realm, Part::attributes, buffer, kNow, Touch::yes).value().has_value());
        BOOST_TEST(!table.store.remove(id_of(1), realm).value());
        auto head = head_at();
        head.realm = realm;
        head.serial = 2;
        BOOST_TEST(!table.store.replace(id_of(1), head, bytes_of("x"), bytes_of("y"), kNow).value());
    }
    BOOST_TEST(buffer.reservations == 0);
    BOOST_TEST(has(table.store, 1));
}

BOOST_AUTO_TEST_CASE(refuses_a_second_session_with_the_same_id) {
    Table table{100};
    put(table.store, 1);
    const auto again = table.store.create(id_of(1), head_at(), bytes_of("x"), bytes_of("y"), kNow);
    BOOST_TEST((again.error().code == ErrorCode::internal_error));
    BOOST_TEST(part_of(table.store, id_of(1), Part::attributes).value() == std::string(900, 'a'));
    // Once it is expired its place is free.
    BOOST_TEST(table.store.create(id_of(1), head_at(kNow + 2h), bytes_of("x"), bytes_of("y"), kNow + 2h).has_value());
    BOOST_TEST(table.store.statistics()->expired == 1U);
}

BOOST_AUTO_TEST_CASE(refuses_a_part_that_is_too_large) {
    Table table{100};
    const std::string large(SessionStore::kMaxPartBytes + 1, 'x');
    BOOST_TEST((table.store.create(id_of(1), head_at(), bytes_of(large), {}, kNow).error().code == ErrorCode::session_too_large));
    BOOST_TEST((table.store.create(id_of(1), head_at(), {}, bytes_of(large), kNow).error().code == ErrorCode::session_too_large));
    put(table.store, 1);
    auto head = head_at();
    head.serial = 2;
    BOOST_TEST((table.store.replace(id_of(1), head, bytes_of(large), {}, kNow).error().code == ErrorCode::session_too_large));
    BOOST_TEST(has(table.store, 1));
}

BOOST_AUTO_TEST_CASE(tells_when_the_caller_has_no_memory) {
    class NoMemory final : public session::RecordBuffer {
        std::span<std::uint8_t> reserve(std::size_t) noexcept override { return {}; }
    };
    Table table{100};
    put(table.store, 1);
    NoMemory buffer;
    BOOST_TEST((table.store.find(id_of(1), realm_of('r'), Part::attributes, buffer, kNow, Touch::no).error().code == ErrorCode::internal_error));
}

BOOST_AUTO_TEST_CASE(use_moves_the_idle_time_out_and_nothing_else) {
    Table table{100};
    put(table.store, 1);
    touch(table.store, 1, kNow + 50min);
    BOOST_TEST(has(table.store, 1, kNow + 100min), "used 50 minutes before");
    BOOST_TEST(has(table.store, 1, kNow + 109min), "looked at without touching");
    BOOST_TEST(!has(table.store, 1, kNow + 110min));
    BOOST_TEST(table.store.statistics()->live == 0U, "what is found expired is removed");
    BOOST_TEST(table.store.statistics()->expired == 1U);

    put(table.store, 2);
    for (auto now = kNow; now < kNow + 12h; now += 30min) {
        touch(table.store, 2, now);
    }
    BOOST_TEST(!has(table.store, 2, kNow + 12h), "the absolute time-out is not moved");
}

BOOST_AUTO_TEST_CASE(a_clock_that_jumps_makes_nothing_immortal) {
    Table table{100};
    put(table.store, 1);
    put(table.store, 2, kNow - 3h + 30min);
    touch(table.store, 2, kNow - 3h + 80min);
    touch(table.store, 2, kNow - 50min);
    BOOST_TEST(!has(table.store, 1, kNow - 1h), "begun in the future");
    BOOST_TEST(has(table.store, 2, kNow - 1h), "used in the future: that counts as now");
    touch(table.store, 2, kNow - 1h);
    BOOST_TEST(!has(table.store, 2, kNow), "idle from the new clock's time on");
    put(table.store, 3);
    BOOST_TEST(!has(table.store, 3, kNow + 24h));
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_CASE(replaces_only_the_version_it_was_made_from) {
    Table table{100};
    put(table.store, 1);
    auto head = head_at();
    const auto replace = [&](std::uint64_t serial, std::string_view content) {
        head.serial = serial;
        return table.store.replace(id_of(1), head, bytes_of(content), bytes_of("tokens"), kNow).value();
    };
    BOOST_TEST(!replace(1, "same"));
    BOOST_TEST(!replace(3, "one missing"));
    BOOST_TEST(!replace(0, "wrapped"));
    BOOST_TEST(replace(2, "second"));
    BOOST_TEST(!replace(2, "too late"));
    BOOST_TEST(replace(3, "third"));
    BOOST_TEST(part_of(table.store, id_of(1), Part::attributes).value() == "third");
    BOOST_TEST(table.store.statistics()->live == 1U);
    BOOST_TEST(!table.store.replace(id_of(2), head, bytes_of("x"), {}, kNow).value(), "no such session");
    head.serial = 4;
    BOOST_TEST(!table.store.replace(id_of(1), head, bytes_of("x"), {}, kNow + 2h).value(), "expired");
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_CASE(replaces_in_a_table_that_is_full_without_losing_another) {
    for (const std::uint64_t capacity : {1U, 7U}) {
        Table table{capacity};
        for (std::uint64_t number = 0; number < capacity; ++number) {
            put(table.store, number);
        }
        for (std::uint64_t serial = 2; serial < 50; ++serial) {
            auto head = head_at();
            head.serial = serial;
            BOOST_TEST(table.store.replace(id_of(0), head, bytes_of(std::string(900, 'b')), bytes_of(std::string(800, 'u')), kNow).value());
        }
        BOOST_TEST(table.store.statistics()->live == capacity);
        BOOST_TEST(table.store.statistics()->evicted == 0U);
        BOOST_TEST(problem_of(table.store) == "");
    }
}

BOOST_AUTO_TEST_CASE(replaces_the_largest_record_in_the_smallest_table) {
    Table table{1};
    const std::string most(SessionStore::kMaxPartBytes, 'm');
    table.store.create(id_of(1), head_at(), bytes_of(most), bytes_of(most), kNow).value();
    auto head = head_at();
    head.serial = 2;
    BOOST_TEST(table.store.replace(id_of(1), head, bytes_of(most), bytes_of(most), kNow).value());
    BOOST_TEST((part_of(table.store, id_of(1), Part::tokens).value() == most));
}

BOOST_AUTO_TEST_CASE(a_removed_session_is_gone_from_the_memory_too) {
    Table table{100};
    table.store.create(id_of(1), head_at(), bytes_of("some attributes"), bytes_of(std::string(500, 'x') + "some tokens"), kNow).value();
    BOOST_TEST(table.memory.contains("some tokens"));
    BOOST_TEST(table.store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(!table.store.remove(id_of(1), realm_of('r')).value());
    BOOST_TEST(!has(table.store, 1));
    BOOST_TEST(!table.memory.contains("some attributes"));
    BOOST_TEST(!table.memory.contains("some tokens"));
    BOOST_TEST(!table.memory.contains({reinterpret_cast<const char*>(id_of(1).data()), 32}));
    BOOST_TEST(table.store.statistics()->removed == 1U);
}

BOOST_AUTO_TEST_CASE(ends_all_sessions_of_a_person_in_one_realm) {
    Table table{5000};
    for (std::uint64_t number = 0; number < 300; ++number) {
        auto head = head_at();
        head.subject[0] = static_cast<std::uint8_t>(number % 3);
        head.realm = number % 2 == 0 ? realm_of('r') : realm_of('q');
        table.store.create(id_of(number), head, bytes_of("a"), bytes_of("t"), kNow).value();
    }
    auto subject = head_at().subject;
    subject[0] = 1;
    BOOST_TEST(table.store.remove_subject(realm_of('r'), subject).value() == 50U);
    BOOST_TEST(table.store.remove_subject(realm_of('r'), subject).value() == 0U);
    BOOST_TEST(table.store.statistics()->live == 250U);
    BOOST_TEST(!has(table.store, 4));
    BOOST_TEST(has(table.store, 0));
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_CASE(sweeps_what_is_expired) {
    Table table{5000};
    for (std::uint64_t number = 0; number < 1000; ++number) {
        put(table.store, number, kNow + std::chrono::seconds{number % 10});
    }
    BOOST_TEST(table.store.sweep(kNow + 1h - 1s).value() == 0U);
    BOOST_TEST(table.store.sweep(kNow + 1h).value() == 100U);
    BOOST_TEST(table.store.sweep(kNow + 1h + 4s).value() == 400U);
    BOOST_TEST(table.store.statistics()->live == 500U);
    BOOST_TEST(table.store.statistics()->expired == 500U);
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_CASE(counts_what_happens) {
    Table table{2};
    put(table.store, 1);
    put(table.store, 2);
    put(table.store, 3);
    table.store.remove(id_of(3), realm_of('r')).value();
    const auto statistics = table.store.statistics().value();
    BOOST_TEST(statistics.capacity == 2U);
    BOOST_TEST(statistics.live == 1U);
    BOOST_TEST(statistics.created == 3U);
    BOOST_TEST(statistics.evicted == 1U);
    BOOST_TEST(statistics.removed == 1U);
    BOOST_TEST(statistics.repaired == 0U);
    BOOST_TEST(statistics.bytes_in_use == 128U + 4U + 7U * 256U);
}

BOOST_AUTO_TEST_CASE(agrees_with_a_simple_model_through_random_operations) {
    std::mt19937 random{11};
    Table table{40};
    std::map<std::uint64_t, std::uint64_t> model;  // number -> serial
    const auto content = [](std::uint64_t number, std::uint64_t serial) { return std::string(serial * 37 % 2000, static_cast<char>('a' + number % 26)); };
    for (int round = 0; round < 20'000; ++round) {
        const std::uint64_t number = random() % 40;
        const auto known = model.find(number);
        switch (random() % 4) {
            case 0: {
                auto head = head_at();
                const auto created = table.store.create(id_of(number), head, bytes_of(content(number, 1)), bytes_of("t"), kNow);
                BOOST_REQUIRE(created.has_value() == (known == model.end()));
                model.try_emplace(number, 1);
                break;
            }
            case 1: {
                auto head = head_at();
                head.serial = known == model.end() ? 2 : known->second + 1;
                const bool replaced = table.store.replace(id_of(number), head, bytes_of(content(number, head.serial)), bytes_of("t"), kNow).value();
                BOOST_REQUIRE(replaced == (known != model.end()));
                if (replaced) {
                    known->second = head.serial;
                }
                break;
            }
            case 2:
                BOOST_REQUIRE(table.store.remove(id_of(number), realm_of('r')).value() == (model.erase(number) == 1));
                break;
            default: {
                const auto found = part_of(table.store, id_of(number), Part::attributes);
                BOOST_REQUIRE(found.has_value() == (known != model.end()));
                BOOST_REQUIRE((!found || *found == content(number, known->second)));
            }
        }
        if (round % 1000 == 0) {
            BOOST_REQUIRE(problem_of(table.store) == "");
        }
    }
    BOOST_TEST(table.store.statistics()->live == model.size());
    BOOST_TEST(table.store.statistics()->evicted == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
