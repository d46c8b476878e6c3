#include "core/robust_mutex.hpp"

#include <cerrno>
#include <ctime>
#include <type_traits>

namespace proconnect::core {

static_assert(std::is_trivial_v<RobustMutex> && std::is_standard_layout_v<RobustMutex>, "it is laid over shared memory");

namespace {

/// pthread_mutex_lock with a limit on the monotonic clock.
#ifdef __SANITIZE_THREAD__
// g++ 12's thread sanitizer knows neither pthread_mutex_clocklock nor a timed lock after a death, and would report every use.
int lock_within(pthread_mutex_t& mutex, std::chrono::milliseconds timeout) noexcept {
    const auto end = std::chrono::steady_clock::now() + timeout;
    int answer = pthread_mutex_trylock(&mutex);
    while (answer == EBUSY && std::chrono::steady_clock::now() < end) {
        const timespec pause{.tv_sec = 0, .tv_nsec = 200'000};
        nanosleep(&pause, nullptr);
        answer = pthread_mutex_trylock(&mutex);
    }
    return answer;
}
#else
int lock_within(pthread_mutex_t& mutex, std::chrono::milliseconds timeout) noexcept {
    timespec deadline{};
    if (clock_gettime(CLOCK_MONOTONIC, &deadline) != 0) {
        return EINVAL;
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    const std::chrono::nanoseconds rest = timeout - seconds;
    deadline.tv_sec += static_cast<std::time_t>(seconds.count());
    deadline.tv_nsec += static_cast<long>(rest.count());
    if (deadline.tv_nsec >= 1'000'000'000L) {
        deadline.tv_nsec -= 1'000'000'000L;
        ++deadline.tv_sec;
    }
    return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &deadline);
}
#endif

}  // namespace

bool RobustMutex::initialize() noexcept {
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0) {
        return false;
    }
    // Error-checking, so that a second lock by the same thread is an answer and not a hang, and a stray unlock does no harm.
    const bool ok = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK) == 0 &&
                    pthread_mutex_init(&mutex_, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return ok;
}

LockResult RobustMutex::accept(int answer) noexcept {
    switch (answer) {
        case 0:
            return LockResult::locked;
        case EOWNERDEAD:
            // Marked consistent at once: the layouts it protects are repaired by whoever reads `locked_after_death`, and if
            // that one dies too, the next one is told again.
            pthread_mutex_consistent(&mutex_);
            return LockResult::locked_after_death;
        case ETIMEDOUT:
        case EBUSY:
            return LockResult::timed_out;
        default:
            return LockResult::failed;
    }
}

[[gnu::hot]] LockResult RobustMutex::lock(std::chrono::milliseconds timeout) noexcept {
    const LockResult at_once = try_lock();
    if (at_once != LockResult::timed_out || timeout <= std::chrono::milliseconds::zero()) {
        return at_once;
    }
    return accept(lock_within(mutex_, timeout));
}

LockResult RobustMutex::try_lock() noexcept {
    const int answer = pthread_mutex_trylock(&mutex_);
    return answer == EDEADLK ? LockResult::timed_out : accept(answer);
}

void RobustMutex::unlock() noexcept {
    pthread_mutex_unlock(&mutex_);
}

}  // namespace proconnect::core
