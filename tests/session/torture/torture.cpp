// Many processes and threads on one small session table, and some of them killed in the middle of it.
//
//   session_torture kill KILLS              4 processes x 2 threads; kill -9 of a random one, again and again; validate() after each
//   session_torture takeover KILLS          the same while a larger table takes over from the first one
//   session_torture load SECONDS [P T]      P processes x T threads (8 x 8), nobody killed
//   session_torture threads SECONDS [T]     T threads (8) in one process: for a thread sanitizer
//
// Exits with 1 when a record was found that does not open, holds another owner's data, or the table is out of order.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "crypto/digest.hpp"
#include "session/table.hpp"
#include "session/torture/worker.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using torture::Scoreboard;
using torture::Worker;

namespace {

constexpr std::uint64_t kCapacity = 512;  ///< two shards, so that all meet at two locks
constexpr std::uint64_t kOwners = 2000;   ///< far more than fit: somebody is always evicted

Scoreboard& shared_scoreboard() {
    void* const memory = ::mmap(nullptr, sizeof(Scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        std::perror("mmap");
        std::exit(2);
    }
    return *new (memory) Scoreboard{};
}

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "FAILED: %s\n", what.c_str());
    std::exit(1);
}

void check(session::ShmStore& store, const Scoreboard& score) {
    if (score.violations != 0) {
        fail(std::to_string(score.violations) + " violations, the first: " + score.first_violation);
    }
    const auto problem = store.validate();
    if (!problem || *problem) {
        fail(problem ? **problem : problem.error().detail);
    }
}

void run_threads(session::ShmStore& store, Scoreboard& score, unsigned threads, unsigned seed, std::chrono::seconds lifetime = 0s) {
    std::vector<std::thread> running;
    for (unsigned i = 0; i < threads; ++i) {
        running.emplace_back([&, i] {
            Worker{store, score, kOwners, lifetime, seed + i}.run_until_stopped();
            crypto::release_thread_contexts();
        });
    }
    for (std::thread& thread : running) {
        thread.join();
    }
}

pid_t start_process(session::ShmStore& store, Scoreboard& score, unsigned threads, unsigned seed, std::chrono::seconds lifetime = 0s) {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() == parent) {
            run_threads(store, score, threads, seed, lifetime);
        }
        ::_exit(0);
    }
    return child;
}

void report(const char* what, session::ShmStore& store, const Scoreboard& score, std::chrono::steady_clock::time_point begun) {
    const auto statistics = store.statistics().value();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
    std::printf("%s: %.1f s, %llu operations, %llu found and opened, %llu created, %llu replaced, %llu removed, %llu expired, %llu evicted, "
                "%llu repairs, %llu live\n",
                what, taken.count(), static_cast<unsigned long long>(score.operations), static_cast<unsigned long long>(score.found),
                static_cast<unsigned long long>(score.created), static_cast<unsigned long long>(score.replaced),
                static_cast<unsigned long long>(score.removed), static_cast<unsigned long long>(statistics.expired),
                static_cast<unsigned long long>(statistics.evicted), static_cast<unsigned long long>(statistics.repaired),
                static_cast<unsigned long long>(statistics.live));
}

/// Two tables when one takes over from the other: half of the processes are old children, half new ones.
struct Arena {
    test::Table table{kCapacity};
    test::Table larger{2 * kCapacity};
    bool takeover = false;
    Scoreboard& score = shared_scoreboard();

    session::ShmStore store_for(std::size_t process) {
        if (!takeover || process % 2 == 0) {
            return table.store;
        }
        auto store = larger.store;
        store.set_predecessor(&table.store);
        return store;
    }
    void settle() {
        check(table.store, score);
        if (takeover) {
            if (const auto merged = larger.store.merge_from(table.store, core::now()); !merged) {
                fail(merged.error().detail);
            }
            check(larger.store, score);
        }
    }
};

int kill_at_random(unsigned long kills, bool takeover) {
    constexpr unsigned kThreads = 2;
    const std::chrono::seconds lifetime = takeover ? 1s : 0s;
    Arena arena;
    arena.takeover = takeover;
    if (takeover) {
        arena.larger.store.copy_from(arena.table.store, core::now()).value();
    }
    std::mt19937 random{std::random_device{}()};
    std::vector<pid_t> children;
    unsigned seed = static_cast<unsigned>(random());
    for (std::size_t i = 0; i < 4; ++i) {
        auto store = arena.store_for(i);
        children.push_back(start_process(store, arena.score, kThreads, seed += 100, lifetime));
    }
    const auto begun = std::chrono::steady_clock::now();
    for (unsigned long killed = 0; killed < kills; ++killed) {
        std::this_thread::sleep_for(std::chrono::microseconds{1000 + random() % 30'000});
        const std::size_t victim = random() % children.size();
        ::kill(children[victim], SIGKILL);
        int status = 0;
        ::waitpid(children[victim], &status, 0);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
            fail("a worker ended by itself");
        }
        arena.settle();
        auto store = arena.store_for(victim);
        children[victim] = start_process(store, arena.score, kThreads, seed += 100, lifetime);
    }
    arena.score.stop = true;
    for (const pid_t child : children) {
        ::waitpid(child, nullptr, 0);
    }
    arena.settle();
    session::ShmStore& last = takeover ? arena.larger.store : arena.table.store;
    Worker{last, arena.score, kOwners, lifetime, 0}.look_at_all();
    check(last, arena.score);
    report(takeover ? "takeover" : "kill", last, arena.score, begun);
    if (kills >= 100 && arena.table.store.statistics()->repaired + arena.larger.store.statistics()->repaired == 0) {
        fail("no kill ever hit a write: nothing tested");
    }
    return 0;
}

int load(std::chrono::seconds duration, unsigned processes, unsigned threads) {
    Arena arena;
    const auto begun = std::chrono::steady_clock::now();
    std::vector<pid_t> children;
    for (unsigned i = 0; i < processes; ++i) {
        children.push_back(start_process(arena.table.store, arena.score, threads, i * 100));
    }
    for (auto left = duration; left > 0s; left -= 1s) {
        std::this_thread::sleep_for(1s);
        arena.settle();
    }
    arena.score.stop = true;
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (status != 0) {
            fail("a worker died");
        }
    }
    arena.settle();
    report("load", arena.table.store, arena.score, begun);
    return 0;
}

int threads_only(std::chrono::seconds duration, unsigned threads) {
    Arena arena;
    const auto begun = std::chrono::steady_clock::now();
    std::thread timer{[&] {
        for (auto left = duration; left > 0s; left -= 1s) {
            std::this_thread::sleep_for(1s);
            arena.settle();
        }
        arena.score.stop = true;
    }};
    run_threads(arena.table.store, arena.score, threads, 1);
    timer.join();
    arena.settle();
    report("threads", arena.table.store, arena.score, begun);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialize().value();
    const std::string mode = argc > 1 ? argv[1] : "";
    const auto number = [&](int at, unsigned long otherwise) { return argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise; };
    if (mode == "kill" || mode == "takeover") {
        return kill_at_random(number(2, 200), mode == "takeover");
    }
    if (mode == "load") {
        return load(std::chrono::seconds{number(2, 60)}, static_cast<unsigned>(number(3, 8)), static_cast<unsigned>(number(4, 8)));
    }
    if (mode == "threads") {
        return threads_only(std::chrono::seconds{number(2, 10)}, static_cast<unsigned>(number(3, 8)));
    }
    std::fprintf(stderr, "usage: session_torture kill|takeover KILLS, load SECONDS [P T], threads SECONDS [T]\n");
    return 2;
}
