#include "core/robust_mutex.hpp"

#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <thread>

using namespace std::chrono_literals;
using proconnect::core::is_held;
using proconnect::core::LockResult;
using proconnect::core::RobustGuard;
using proconnect::core::RobustMutex;

namespace {

struct SharedMutex {
    SharedMutex() {
        void* memory = ::mmap(nullptr, sizeof(RobustMutex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        BOOST_REQUIRE(memory != MAP_FAILED);
        mutex = new (memory) RobustMutex;
        BOOST_REQUIRE(mutex->initialize());
    }
    ~SharedMutex() { ::munmap(static_cast<void*>(mutex), sizeof(RobustMutex)); }
    SharedMutex(const SharedMutex&) = delete;
    SharedMutex& operator=(const SharedMutex&) = delete;
    RobustMutex* mutex;
};

/// A process that holds the mutex until it is killed.
class Holder {
public:
    explicit Holder(RobustMutex& mutex) {
        int ready[2];
        BOOST_REQUIRE(::pipe(ready) == 0);
        child_ = ::fork();
        if (child_ == 0) {
            const char told = is_held(mutex.lock(1s)) ? 'y' : 'n';
            static_cast<void>(::write(ready[1], &told, 1) == 1);
            ::pause();
            ::_exit(0);
        }
        char told = 0;
        BOOST_REQUIRE(::read(ready[0], &told, 1) == 1);
        BOOST_REQUIRE(told == 'y');
        ::close(ready[0]);
        ::close(ready[1]);
    }
    void kill() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }

private:
    pid_t child_ = -1;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(robust_mutex)

BOOST_AUTO_TEST_CASE(locks_and_unlocks) {
    const SharedMutex shared;
    BOOST_TEST((shared.mutex->lock(1s) == LockResult::locked));
    shared.mutex->unlock();
    BOOST_TEST((shared.mutex->try_lock() == LockResult::locked));
    shared.mutex->unlock();
}

BOOST_AUTO_TEST_CASE(waits_no_longer_than_told) {
    const SharedMutex shared;
    Holder holder(*shared.mutex);
    BOOST_TEST((shared.mutex->try_lock() == LockResult::timed_out));
    BOOST_TEST((shared.mutex->lock(0s) == LockResult::timed_out));
    const auto start = std::chrono::steady_clock::now();
    BOOST_TEST((shared.mutex->lock(50ms) == LockResult::timed_out));
    const auto waited = std::chrono::steady_clock::now() - start;
    BOOST_TEST((waited >= 50ms && waited < 10s));
    holder.kill();
}

BOOST_AUTO_TEST_CASE(tells_the_next_holder_of_a_death) {
    const SharedMutex shared;
    Holder holder(*shared.mutex);
    holder.kill();
    BOOST_TEST((shared.mutex->lock(1s) == LockResult::locked_after_death));
    shared.mutex->unlock();
    BOOST_TEST((shared.mutex->lock(1s) == LockResult::locked), "once is enough");
    shared.mutex->unlock();
    Holder another(*shared.mutex);
    another.kill();
    BOOST_TEST((shared.mutex->try_lock() == LockResult::locked_after_death));
    shared.mutex->unlock();
}

BOOST_AUTO_TEST_CASE(wakes_up_when_the_holder_dies_during_the_wait) {
    const SharedMutex shared;
    Holder holder(*shared.mutex);
    std::jthread killer([&] {
        std::this_thread::sleep_for(50ms);
        holder.kill();
    });
    BOOST_TEST((shared.mutex->lock(20s) == LockResult::locked_after_death));
    shared.mutex->unlock();
}

BOOST_AUTO_TEST_CASE(a_second_lock_by_the_same_thread_is_no_hang) {
    const SharedMutex shared;
    BOOST_TEST((shared.mutex->lock(1s) == LockResult::locked));
    BOOST_TEST((shared.mutex->try_lock() == LockResult::timed_out));
    BOOST_TEST((shared.mutex->lock(20s) == LockResult::failed));
    shared.mutex->unlock();
}

#ifndef __SANITIZE_THREAD__  // which rightly reports what this does
BOOST_AUTO_TEST_CASE(the_unlock_of_a_stranger_does_nothing) {
    const SharedMutex shared;
    Holder holder(*shared.mutex);
    shared.mutex->unlock();
    BOOST_TEST((shared.mutex->try_lock() == LockResult::timed_out));
    holder.kill();
}
#endif

BOOST_AUTO_TEST_CASE(a_guard_unlocks_what_it_holds_and_nothing_else) {
    const SharedMutex shared;
    {
        const RobustGuard guard(*shared.mutex, 1s);
        BOOST_TEST(guard.is_held());
        BOOST_TEST((guard.result() == LockResult::locked));
        const RobustGuard nothing(*shared.mutex, shared.mutex->try_lock());
        BOOST_TEST(!nothing.is_held());
    }
    BOOST_TEST((shared.mutex->try_lock() == LockResult::locked));
    shared.mutex->unlock();
}

BOOST_AUTO_TEST_SUITE_END()
