#include "core/deadline.hpp"

#include <algorithm>
#include <optional>

namespace proconnect::core {
namespace {

using Clock = std::chrono::steady_clock;

thread_local std::optional<Clock::time_point> deadline;

}  // namespace

CallDeadline::CallDeadline(std::chrono::milliseconds within) noexcept : is_outermost_(!deadline) {
    if (is_outermost_) {
        deadline = Clock::now() + within;
    }
}

CallDeadline::~CallDeadline() {
    if (is_outermost_) {
        deadline.reset();
    }
}

std::chrono::milliseconds CallDeadline::remaining(std::chrono::milliseconds otherwise) noexcept {
    if (!deadline) {
        return otherwise;
    }
    const auto left = std::chrono::floor<std::chrono::milliseconds>(*deadline - Clock::now());
    return std::clamp(left, std::chrono::milliseconds{0}, std::max(otherwise, std::chrono::milliseconds{0}));
}

}  // namespace proconnect::core
