#include "httpd/unprivileged.hpp"

#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include <unixd.h>

namespace proconnect::httpd {
namespace {

bool give_up_rights() {
    if (::geteuid() != 0) {
        return true;  // a test server of an ordinary user: its children have the same rights
    }
    const auto group = ap_unixd_config.group_id;
    const auto user = ap_unixd_config.user_id;
    return ::setgroups(1, &group) == 0 && ::setgid(group) == 0 && ::setuid(user) == 0 && (user == 0 || ::setuid(0) != 0);
}

[[noreturn]] void run_and_end(const std::function<bool()>& body) {
    bool done = false;
    try {
        done = give_up_rights() && body();
    } catch (...) {
        done = false;
    }
    // No destructors, no cleanups: they belong to the parent.
    ::_exit(done ? 0 : 1);
}

}  // namespace

bool run_unprivileged(const std::function<bool()>& body, std::chrono::milliseconds limit) {
    const pid_t child = ::fork();
    if (child < 0) {
        return false;
    }
    if (child == 0) {
        run_and_end(body);
    }
    const auto deadline = std::chrono::steady_clock::now() + limit;
    int status = 0;
    for (;;) {
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) {
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
        if (ended < 0 && errno != EINTR) {
            return false;
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            ::kill(child, SIGKILL);
            while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
            }
            return false;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = 2'000'000};
        ::nanosleep(&pause, nullptr);
    }
}

}  // namespace proconnect::httpd
