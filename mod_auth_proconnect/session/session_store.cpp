#include "session/session_store.hpp"

namespace proconnect::session {

bool is_expired(const RecordHead& head, core::UnixTime now) noexcept {
    constexpr std::chrono::minutes kClockTolerance{5};
    // Only `now`, which is the system's, takes part in arithmetic: the times of the record may be anything.
    if (head.created > now + kClockTolerance || head.expires <= now) {
        return true;
    }
    return head.idle > std::chrono::seconds{0} && head.last_used <= now - head.idle;
}

}  // namespace proconnect::session
