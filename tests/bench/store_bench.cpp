// What the session library costs, without httpd: instructions and time of one request's part, memory per session, and how neither depends on
// the number of live sessions.
//
//   store_bench                    a table of all measurements
//   store_bench request N          N requests with a session, for valgrind --tool=callgrind --toggle-collect=one_request
//   store_bench unknown N          the same with a made-up cookie, --toggle-collect=one_unknown
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/typical_session.hpp"
#include "crypto/digest.hpp"
#include "session/session.hpp"
#include "session/snapshot.hpp"
#include "session/table.hpp"

using namespace proconnect;
using namespace proconnect::bench;
using Clock = std::chrono::steady_clock;

namespace {

/// A request's pool: memory that is there already.
class PoolBuffer final : public session::RecordBuffer {
public:
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override { return std::span{memory_}.first(size); }

private:
    std::array<std::uint8_t, 8192> memory_;
};

}  // namespace

/// The library's part of one request: cookie, lookup, opening, every variable, PROCONNECT_CLAIMS.
extern "C" [[gnu::noinline]] std::size_t one_request(session::SessionStore& store, std::string_view cookie, PoolBuffer& buffer, std::span<char> json) {
    const auto handle = session::SessionHandle::parse(cookie);
    if (!handle) {
        return 0;
    }
    const auto opened = session::open_session(store, *handle, test::realm_of('r'), session::Part::attributes, buffer, test::kNow, session::Touch::yes);
    if (!opened || !*opened) {
        return 0;
    }
    const auto block = session::AttributeBlock::parse((*opened)->plaintext);
    if (!block) {
        return 0;
    }
    std::size_t variables = 0;
    block->for_each([&](const session::AttributeBlock::Item& item) { variables += item.variable != item.value ? 1U : 0U; });
    block->write_claims_json(json.first(block->claims_json_bytes()));
    return variables;
}

extern "C" [[gnu::noinline]] std::size_t one_unknown(session::SessionStore& store, std::string_view cookie, PoolBuffer& buffer, std::span<char> json) {
    return one_request(store, cookie, buffer, json);
}

namespace {

std::vector<std::string> fill(session::ShmStore& store, std::size_t sessions) {
    const auto claims = default_claims();
    const std::string id_token = typical_id_token();
    std::vector<std::string> cookies;
    for (std::size_t i = 0; i < sessions; ++i) {
        cookies.push_back(session::create_session(store, test::head_at(), claims, typical_tokens(id_token), test::kNow).value().cookie_value());
    }
    return cookies;
}

double nanoseconds_per_request(session::ShmStore& store, const std::vector<std::string>& cookies, std::size_t requests, unsigned seed) {
    PoolBuffer buffer;
    std::array<char, 4096> json{};
    std::mt19937 random{seed};
    std::size_t found = 0;
    const auto begun = Clock::now();
    for (std::size_t i = 0; i < requests; ++i) {
        found += one_request(store, cookies[random() % cookies.size()], buffer, json) != 0 ? 1U : 0U;
    }
    const std::chrono::duration<double, std::nano> taken = Clock::now() - begun;
    if (found != requests && cookies.size() > 1) {
        std::fputs("sessions were lost\n", stderr);
        std::exit(1);
    }
    return taken.count() / static_cast<double>(requests);
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

void print_memory(session::ShmStore& store, const test::SharedMemory& memory, std::size_t sessions) {
    const auto statistics = store.statistics().value();
    std::printf("memory per session: %.0f bytes in use, %.0f bytes of pages touched (%zu sessions; block %zu, tokens %zu)\n",
                static_cast<double>(statistics.bytes_in_use) / static_cast<double>(sessions),
                static_cast<double>(memory.resident_bytes()) / static_cast<double>(sessions), sessions,
                session::encode_attributes(default_claims()).size(), session::encode_tokens(typical_tokens(typical_id_token())).size());
}

void print_sizes() {
    std::printf("%-12s %12s %12s %12s\n", "sessions", "ns/request", "ns/unknown", "us/create");
    for (const std::size_t sessions : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}, std::size_t{1'000'000}}) {
        test::Table table{std::max<std::size_t>(sessions, 100'000)};
        const auto begun = Clock::now();
        const auto cookies = fill(table.store, sessions);
        const std::chrono::duration<double, std::micro> filled = Clock::now() - begun;
        const std::vector<std::string> unknown{random_text(64)};
        std::vector<double> known_times;
        std::vector<double> unknown_times;
        for (unsigned round = 0; round < 5; ++round) {
            known_times.push_back(nanoseconds_per_request(table.store, cookies, 100'000, round));
            unknown_times.push_back(nanoseconds_per_request(table.store, unknown, 100'000, round));
        }
        std::printf("%-12zu %12.0f %12.0f %12.1f\n", sessions, median(known_times), median(unknown_times), filled.count() / static_cast<double>(sessions));
        if (sessions == 100'000) {
            print_memory(table.store, table.memory, sessions);
        }
    }
}

/// The full table, in which each new session makes an old one go: the worst case of a login.
void print_eviction() {
    test::Table table{100'000};
    auto store = table.store;
    fill(store, 140'000);
    const auto begun = Clock::now();
    fill(store, 10'000);
    const std::chrono::duration<double, std::micro> taken = Clock::now() - begun;
    std::printf("create in a full table: %.1f us (%llu evicted)\n", taken.count() / 10'000, static_cast<unsigned long long>(store.statistics()->evicted));
}

template <typename Action>
void print_time(const char* what, Action&& action) {
    const auto begun = Clock::now();
    action();
    const std::chrono::duration<double, std::milli> taken = Clock::now() - begun;
    std::printf("%-40s %8.1f ms\n", what, taken.count());
}

/// What the parent does now and then, with the default capacity full.
void print_maintenance() {
    test::Table table{100'000};
    test::Table larger{200'000};
    test::Table loaded{100'000};
    fill(table.store, 100'000);
    const auto file = std::filesystem::temp_directory_path() / ("proconnect-store-bench-" + std::to_string(::getpid()));
    const crypto::Key256 key{};
    print_time("sweep of 100 000 sessions", [&] { table.store.sweep(test::kNow).value(); });
    print_time("statistics", [&] { table.store.statistics().value(); });
    print_time("attach with validation", [&] { session::ShmStore::attach(table.memory.bytes()).value(); });
    print_time("snapshot written", [&] { session::write_snapshot(table.store, file, key, test::kNow).value(); });
    print_time("snapshot loaded", [&] { session::load_snapshot(loaded.store, file, key, test::kNow).value(); });
    print_time("copy to a larger table", [&] { larger.store.copy_from(table.store, test::kNow).value(); });
    print_time("merge from the old table", [&] { larger.store.merge_from(table.store, test::kNow).value(); });
    std::filesystem::remove(file);
}

void print_threads() {
    test::Table table{100'000};
    const auto many = fill(table.store, 10'000);
    const std::vector<std::string> one{many.front()};
    for (const auto* cookies : {&many, &one}) {
        for (const unsigned threads : {1U, 2U, 8U, 64U}) {
            constexpr std::size_t kRequests = 200'000;
            const auto begun = Clock::now();
            std::vector<std::thread> running;
            for (unsigned i = 0; i < threads; ++i) {
                running.emplace_back([&, i] { nanoseconds_per_request(table.store, *cookies, kRequests / threads, i); });
            }
            for (std::thread& thread : running) {
                thread.join();
            }
            const std::chrono::duration<double> taken = Clock::now() - begun;
            std::printf("%2u threads on %s: %.0f requests/s\n", threads, cookies == &many ? "10 000 sessions" : "one session    ",
                        static_cast<double>(kRequests) / taken.count());
        }
    }
}

int run_for_callgrind(std::string_view what, std::size_t requests) {
    test::Table table{1000};
    const auto cookies = fill(table.store, 100);
    const std::string unknown = random_text(64);
    PoolBuffer buffer;
    std::array<char, 4096> json{};
    std::size_t variables = 0;
    for (std::size_t i = 0; i < requests; ++i) {
        variables += what == "unknown" ? one_unknown(table.store, unknown, buffer, json) : one_request(table.store, cookies[i % 100], buffer, json);
    }
    std::printf("%zu requests, %zu variables\n", requests, variables);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize().value();
    if (argc == 3) {
        return run_for_callgrind(argv[1], std::strtoul(argv[2], nullptr, 10));
    }
    print_sizes();
    print_eviction();
    print_maintenance();
    print_threads();
    return 0;
}
