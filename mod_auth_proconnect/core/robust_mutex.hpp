#pragma once
#include <pthread.h>

#include <chrono>

namespace proconnect::core {

enum class LockResult {
    locked,
    locked_after_death,  ///< held now, but the previous holder died inside: repair what it may have left half done
    timed_out,           ///< somebody else holds it
    failed,              ///< not usable: never initialised, damaged, or this thread holds it already
};

[[nodiscard]] constexpr bool is_held(LockResult result) noexcept {
    return result == LockResult::locked || result == LockResult::locked_after_death;
}

/// A mutex that lives in shared memory and survives its holder: when a thread or process dies while holding it, the kernel
/// gives it to the next one, who is told so. Plain bytes without constructor, so that it may be a member of a shared-memory layout
/// and outlive the code that made it. Never destroyed: the memory simply goes away with its last process.
///
/// It must be unlocked by the very thread that locked it; any other thread's unlock() does nothing.
class RobustMutex {
public:
    /// Once, before any other process or thread sees the memory. @return false when the system refuses
    [[nodiscard]] bool initialize() noexcept;

    /// Waits at most `timeout` on the monotonic clock, so that a jump of the wall clock neither hangs nor hurries it.
    [[nodiscard]] LockResult lock(std::chrono::milliseconds timeout) noexcept;
    /// Never waits; `timed_out` when held, by this thread as well.
    [[nodiscard]] LockResult try_lock() noexcept;
    void unlock() noexcept;

private:
    LockResult accept(int answer) noexcept;
    pthread_mutex_t mutex_;
};

/// Holds a RobustMutex for one scope; ask `is_held()` before touching what it protects.
class RobustGuard {
public:
    RobustGuard(RobustMutex& mutex, std::chrono::milliseconds timeout) noexcept : mutex_(&mutex), result_(mutex.lock(timeout)) {}
    /// Takes over a mutex that this thread has just locked, or tried to.
    RobustGuard(RobustMutex& mutex, LockResult result) noexcept : mutex_(&mutex), result_(result) {}
    ~RobustGuard() {
        if (is_held()) {
            mutex_->unlock();
        }
    }
    RobustGuard(const RobustGuard&) = delete;
    RobustGuard& operator=(const RobustGuard&) = delete;

    [[nodiscard]] bool is_held() const noexcept { return core::is_held(result_); }
    [[nodiscard]] LockResult result() const noexcept { return result_; }

private:
    RobustMutex* mutex_;
    LockResult result_;
};

}  // namespace proconnect::core
