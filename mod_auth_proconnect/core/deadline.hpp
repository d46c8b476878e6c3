#pragma once
#include <chrono>

namespace proconnect::core {

/// Bounds everything one request of a browser may wait for, calls and waits for other processes' calls alike: a provider that answers each call
/// just in time must not keep a worker for the sum of all time-outs. Holds for the thread it stands on, until the end of its scope; the outermost
/// of several holds.
class CallDeadline {
public:
    explicit CallDeadline(std::chrono::milliseconds within) noexcept;
    ~CallDeadline();
    CallDeadline(const CallDeadline&) = delete;
    CallDeadline& operator=(const CallDeadline&) = delete;

    /// What is left, at most `otherwise`; 0 when it is over. `otherwise` where there is no deadline.
    [[nodiscard]] static std::chrono::milliseconds remaining(std::chrono::milliseconds otherwise) noexcept;

private:
    bool is_outermost_;
};

}  // namespace proconnect::core
