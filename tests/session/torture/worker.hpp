#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "session/session.hpp"
#include "session/shm_store.hpp"

namespace proconnect::torture {

/// What all processes report to, in shared memory.
struct Scoreboard {
    std::atomic<std::uint64_t> operations, found, created, replaced, removed;
    std::atomic<std::uint64_t> violations;
    char first_violation[200];
    std::atomic<bool> stop;
};

/// One user of the table: creates, finds, touches, replaces and removes sessions of so many owners, and checks that whatever it finds opens under
/// its owner's key and is its owner's.
class Worker {
public:
    /// @param lifetime  after which an owner has another handle; 0 for never. Where removals leave tombstones, an id is used once.
    Worker(session::ShmStore store, Scoreboard& score, std::uint64_t owners, std::chrono::seconds lifetime, unsigned seed);

    void run_until_stopped();
    /// Looks at every owner's session once. @return how many there are
    std::uint64_t look_at_all();

private:
    void one_operation();
    void create(std::uint64_t owner);
    void find(std::uint64_t owner, session::Part part, session::Touch touch);
    void replace(std::uint64_t owner);
    void remove(std::uint64_t owner);
    void check_content(std::uint64_t owner, session::Part part, const session::OpenedPart& opened);
    void violation(std::uint64_t owner, const std::string& what);

    [[nodiscard]] session::SessionHandle handle_of(std::uint64_t owner) const;

    session::ShmStore store_;
    Scoreboard& score_;
    std::uint64_t owners_;
    std::chrono::seconds lifetime_;
    std::mt19937 random_;
    core::UnixTime now_;
};

}  // namespace proconnect::torture
