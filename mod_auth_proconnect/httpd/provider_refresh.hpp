#pragma once
#include <atomic>
#include <thread>

#include "core/clock.hpp"

namespace proconnect::httpd {

struct Runtime;
struct SiteRuntime;

/// The thread on which one provider is asked in the background: one that hangs must not hold up the recovery of another.
class ProviderRefresh {
public:
    ProviderRefresh() noexcept = default;
    ~ProviderRefresh() { leave(); }
    ProviderRefresh(const ProviderRefresh&) = delete;
    ProviderRefresh& operator=(const ProviderRefresh&) = delete;

    [[nodiscard]] bool is_running() const noexcept { return running_; }
    /// Only while it is not running, and from one thread at a time. On the caller's own thread when there is no other to be had.
    void start(SiteRuntime& site, core::UnixTime now);
    /// Waits for the last instructions of a thread that has done its work; one that has not is left to itself.
    void leave() noexcept;

private:
    std::thread thread_;
    std::atomic<bool> running_{false};
};

/// The timer's turn, in one child: asks each provider whose keys are due, at most sixteen at once. Waits for none.
void refresh_providers(Runtime& runtime, core::UnixTime now);

/// Whether any provider is being asked.
[[nodiscard]] bool is_refreshing(const Runtime& runtime) noexcept;

}  // namespace proconnect::httpd
