#pragma once
#include <chrono>
#include <cstdint>

namespace proconnect::core {

/// Unix time in whole seconds. Every function that depends on the time takes it as a parameter, so that tests need no
/// real clock and one request sees one time only.
using UnixTime = std::chrono::sys_seconds;

/// The system's clock; called once per request, at the top.
[[nodiscard]] inline UnixTime now() noexcept {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

[[nodiscard]] constexpr UnixTime from_unix_seconds(std::int64_t seconds) noexcept {
    return UnixTime{std::chrono::seconds{seconds}};
}

[[nodiscard]] constexpr std::int64_t to_unix_seconds(UnixTime time) noexcept {
    return time.time_since_epoch().count();
}

}  // namespace proconnect::core
