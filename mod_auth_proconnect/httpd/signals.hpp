#pragma once
#include <signal.h>

namespace proconnect::httpd {

/// Blocks signals of this thread, and of threads it makes, as long as it lives.
class SignalsBlocked {
public:
    static SignalsBlocked all() noexcept {
        sigset_t signals;
        sigfillset(&signals);
        return SignalsBlocked{signals};
    }
    static SignalsBlocked only(int signal) noexcept {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, signal);
        return SignalsBlocked{signals};
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    explicit SignalsBlocked(const sigset_t& signals) noexcept { pthread_sigmask(SIG_BLOCK, &signals, &before_); }

    sigset_t before_{};
};

}  // namespace proconnect::httpd
