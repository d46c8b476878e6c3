// A process killed inside a write: at each named step of it, and at each single machine instruction. Whoever comes next finds a table in order,
// every session that had nothing to do with the write, and of the one that had: the old state or the new one.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <set>

#include "session/shm_store.hpp"
#include "session/table.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using session::Part;
using session::ShmStore;
using session::shm::WriteObserver;
using session::shm::WriteStep;
using test::bytes_of;
using test::head_at;
using test::id_of;
using test::kNow;
using test::part_of;
using test::problem_of;
using test::realm_of;
using test::Table;

namespace {

const std::string kOldContent(300, 'o');
const std::string kNewContent(600, 'n');
constexpr std::uint64_t kSubject = 100;  ///< the session the write is about; 1 and 2 stand by

class DieAt final : public WriteObserver {
public:
    explicit DieAt(int step) noexcept : left_(step) {}
    void reached(WriteStep) noexcept override {
        if (--left_ == 0) {
            ::kill(::getpid(), SIGKILL);
        }
    }

private:
    int left_;
};

void put(ShmStore& store, std::uint64_t number, const std::string& content, core::UnixTime used = kNow) {
    auto head = head_at();
    head.last_used = used;
    store.create(id_of(number), head, bytes_of(content), bytes_of("tokens"), kNow).value();
}

/// One kind of write: what stands in the table before, what is done, and what the session may look like afterwards.
struct Write {
    const char* name;
    std::function<void(ShmStore&)> prepare;
    std::function<void(ShmStore&)> run;
    std::set<std::string> outcomes;  ///< content of the session, "" for none
};

Write creation() {
    return {"create", [](ShmStore&) {}, [](ShmStore& store) { put(store, kSubject, kNewContent); }, {"", kNewContent}};
}

const std::vector<Write>& writes() {
    static const std::vector<Write> all{
        creation(),
        {"create into freed places",
         [](ShmStore& store) {
             put(store, 50, kOldContent);
             put(store, 51, kOldContent);
             store.remove(id_of(50), realm_of('r')).value();
             store.remove(id_of(51), realm_of('r')).value();
         },
         [](ShmStore& store) { put(store, kSubject, kNewContent); },
         {"", kNewContent}},
        {"create that evicts",
         [](ShmStore& store) {
             store.set_capacity(3).value();
             put(store, kSubject, kOldContent, kNow - 10min);
         },
         [](ShmStore& store) { put(store, 51, kNewContent); },
         {"", kOldContent}},
        {"replace",
         [](ShmStore& store) { put(store, kSubject, kOldContent); },
         [](ShmStore& store) {
             auto head = head_at();
             head.serial = 2;
             store.replace(id_of(kSubject), head, bytes_of(kNewContent), bytes_of("tokens"), kNow).value();
         },
         {kOldContent, kNewContent}},
        {"remove",
         [](ShmStore& store) { put(store, kSubject, kOldContent); },
         [](ShmStore& store) { store.remove(id_of(kSubject), realm_of('r')).value(); },
         {kOldContent, ""}},
        {"remove with a tombstone",
         [](ShmStore& store) {
             put(store, kSubject, kOldContent);
             Table larger{10};
             larger.store.copy_from(store, kNow).value();
         },
         [](ShmStore& store) { store.remove(id_of(kSubject), realm_of('r')).value(); },
         {kOldContent, ""}},
        {"sweep",
         [](ShmStore& store) { put(store, kSubject, kOldContent, kNow - 59min); },
         [](ShmStore& store) { store.sweep(kNow + 1min).value(); },
         {kOldContent, ""}},
        {"touch",
         [](ShmStore& store) { put(store, kSubject, kOldContent); },
         [](ShmStore& store) { part_of(store, id_of(kSubject), Part::attributes, kNow + 1min, session::Touch::yes); },
         {kOldContent}},
    };
    return all;
}

void prepare(Table& table, const Write& write) {
    put(table.store, 1, "bystander 1");
    put(table.store, 2, "bystander 2");
    write.prepare(table.store);
}

/// Runs in a child of its own. @return true when it came to its end
bool survives(const std::function<void()>& run) {
    const pid_t child = ::fork();
    if (child == 0) {
        run();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_REQUIRE(WIFEXITED(status) || WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
}

/// Everything a death may leave behind. @return what the session looks like
std::string check_aftermath(ShmStore& store, const Write& write) {
    BOOST_REQUIRE_MESSAGE(problem_of(store) == "", write.name);
    BOOST_REQUIRE_MESSAGE(part_of(store, id_of(1), Part::attributes) == "bystander 1", write.name);
    BOOST_REQUIRE_MESSAGE(part_of(store, id_of(2), Part::attributes) == "bystander 2", write.name);
    std::string content = part_of(store, id_of(kSubject), Part::attributes).value_or("");
    BOOST_REQUIRE_MESSAGE(write.outcomes.contains(content), write.name << ": " << content);
    return content;
}

/// And the table goes on working.
void check_usable(ShmStore& store, const Write& write) {
    put(store, 77, "afterwards");
    BOOST_REQUIRE_MESSAGE(part_of(store, id_of(77), Part::attributes) == "afterwards", write.name);
    BOOST_REQUIRE_MESSAGE(store.remove(id_of(77), realm_of('r')).value(), write.name);
    BOOST_REQUIRE_MESSAGE(problem_of(store) == "", write.name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shm_death)

BOOST_AUTO_TEST_CASE(at_each_step_of_each_write_leaves_the_table_in_order) {
    for (const Write& write : writes()) {
        std::set<std::string> seen;
        int step = 1;
        for (bool alive = false; !alive; ++step) {
            Table table{4};
            prepare(table, write);
            alive = survives([&] {
                DieAt observer{step};
                table.store.set_write_observer(&observer);
                write.run(table.store);
            });
            seen.insert(check_aftermath(table.store, write));
            BOOST_TEST(table.store.statistics()->repaired == (alive ? 0U : 1U));
            check_usable(table.store, write);
        }
        BOOST_TEST((seen == write.outcomes), write.name);
        BOOST_TEST((step > 4 || write.outcomes.size() == 1), write.name);
    }
}

BOOST_AUTO_TEST_CASE(at_each_step_of_a_repair_leaves_it_to_be_done_again) {
    for (const Write& write : writes()) {
        // Somewhere in the middle, so that there is something to repair.
        for (const int first_death : {2, 4, 6}) {
            int step = 1;
            for (bool alive = false; !alive; ++step) {
                Table table{4};
                prepare(table, write);
                const bool too_short = survives([&] {
                    DieAt observer{first_death};
                    table.store.set_write_observer(&observer);
                    write.run(table.store);
                });
                if (too_short) {
                    break;
                }
                alive = survives([&] {
                    DieAt observer{step};
                    table.store.set_write_observer(&observer);
                    table.store.validate().value();
                });
                check_aftermath(table.store, write);
                check_usable(table.store, write);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(of_several_processes_one_after_the_other_adds_up_to_nothing) {
    Table table{200};
    for (std::uint64_t round = 0; round < 100; ++round) {
        survives([&] {
            DieAt observer{static_cast<int>(round % 23) + 1};
            table.store.set_write_observer(&observer);
            put(table.store, round, kNewContent);
            table.store.remove(id_of(round - 1), realm_of('r')).value();
        });
    }
    BOOST_TEST(problem_of(table.store) == "");
    BOOST_TEST(table.store.statistics()->repaired > 40U);
}

BOOST_AUTO_TEST_CASE(while_another_holds_the_lock_everybody_waits_a_bounded_time) {
    class WaitForever final : public WriteObserver {
        void reached(WriteStep) noexcept override { ::pause(); }
    };
    Table table{600};  // two shards
    std::uint64_t other_shard = kSubject;
    while (((id_of(other_shard)[0] ^ id_of(kSubject)[0]) & 1) == 0) {
        ++other_shard;
    }
    const pid_t child = ::fork();
    if (child == 0) {
        WaitForever observer;
        table.store.set_write_observer(&observer);
        put(table.store, kSubject, kNewContent);
        ::_exit(0);
    }
    table.store.set_lock_wait(100ms);
    const auto begun = std::chrono::steady_clock::now();
    while (table.store.remove(id_of(kSubject), realm_of('r')).has_value() && std::chrono::steady_clock::now() - begun < 10s) {
        ::usleep(1000);
    }
    const auto refused = table.store.remove(id_of(kSubject), realm_of('r'));
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == core::ErrorCode::session_store_unavailable));
    put(table.store, other_shard, "another shard");
    BOOST_TEST(part_of(table.store, id_of(other_shard), Part::attributes).value() == "another shard");
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    BOOST_TEST(!table.store.remove(id_of(kSubject), realm_of('r')).value());
    BOOST_TEST(problem_of(table.store) == "");
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// A picture of the table's memory as a death at this very moment would leave it.
class Picture {
public:
    explicit Picture(const Table& table) : original_(table.memory.bytes()), copy_(original_.size()) {}

    /// @return false when nothing has changed since the last one
    bool take(pid_t writer) {
        if (!last_.empty() && std::memcmp(original_.data(), last_.data(), last_.size()) == 0) {
            return false;
        }
        last_.assign(original_.begin(), original_.end());
        std::ranges::copy(last_, copy_.bytes().begin());
        release_lock(writer);
        return true;
    }
    [[nodiscard]] std::span<std::byte> bytes() const { return copy_.bytes(); }

private:
    /// What the kernel does with a robust mutex of a process that dies: see robust_list(7). There is one shard, so one mutex, right
    /// behind the header; the lock word is its first member.
    void release_lock(pid_t writer) const {
        constexpr std::uint32_t kWaiters = 0x8000'0000;
        constexpr std::uint32_t kOwnerDied = 0x4000'0000;
        constexpr std::uint32_t kOwner = 0x3fff'ffff;
        std::byte* const word_at = session::shm::aligned_table(copy_.bytes()).value().data() + sizeof(session::shm::TableHeader);
        std::uint32_t word = 0;
        std::memcpy(&word, word_at, sizeof(word));
        if ((word & kOwner) == static_cast<std::uint32_t>(writer)) {
            word = (word & kWaiters) | kOwnerDied;
            std::memcpy(word_at, &word, sizeof(word));
        }
    }

    std::span<const std::byte> original_;
    test::SharedMemory copy_;
    std::vector<std::byte> last_;
};

/// Runs the write in a child, one instruction at a time, and shows each state of the memory. @return how many states, 0 when the system does
/// not let us trace
int for_each_instruction(const Write& write, const std::function<void(ShmStore&)>& check) {
    Table table{4};
    prepare(table, write);
    Picture picture{table};
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
            ::_exit(1);
        }
        ::raise(SIGSTOP);
        write.run(table.store);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    int states = 0;
    while (WIFSTOPPED(status)) {
        if (picture.take(child)) {
            auto store = ShmStore::attach(picture.bytes()).value();
            check(store);
            ++states;
        }
        if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) {
            ::kill(child, SIGKILL);
        }
        ::waitpid(child, &status, 0);
    }
    BOOST_REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status) == 0 ? states : 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shm_death_at_every_instruction)

BOOST_AUTO_TEST_CASE(leaves_the_table_in_order) {
    for (const Write& write : writes()) {
        std::set<std::string> seen;
        const int states = for_each_instruction(write, [&](ShmStore& store) {
            seen.insert(check_aftermath(store, write));
            check_usable(store, write);
        });
        if (states == 0) {
            BOOST_TEST_MESSAGE("not allowed to trace a child: nothing tested");
            return;
        }
        BOOST_TEST_MESSAGE(write.name << ": " << states << " states of the memory");
        BOOST_TEST((states > 20 || write.outcomes.size() == 1), write.name);
        BOOST_TEST((seen == write.outcomes), write.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
