#pragma once
#include <httpd.h>

#include "httpd/runtime.hpp"

namespace proconnect::httpd {

// What happens without a request. In one child (mod_watchdog): fetching ProConnect's keys before they age, dropping expired sessions.
// In the parent, which alone may write root's files: the snapshots, and the move to a larger table.

/// Registers the timer and the last snapshot at a full stop. @return false without mod_watchdog, the timer's: a key that ProConnect gave up would be
/// believed for as long as httpd runs
[[nodiscard]] bool start_housekeeping(apr_pool_t* pconf, server_rec* main_server);

/// In a child that is to end now: calls to ProConnect return server_stopping, the timer does nothing any more. Does not wait.
void end_calls_in_child() noexcept;

/// In a child, before it exits: ends calls to ProConnect and the timer, and waits for both, two seconds at the longest.
void stop_in_child() noexcept;

/// The parent's turn, about every ten seconds (httpd's monitor hook).
int keep_house_in_parent(apr_pool_t* pool, server_rec* main_server);

/// At a start with an empty table.
void load_saved_sessions(Runtime& runtime, server_rec* main_server);
/// What was known of ProConnect before a full stop, so that logins work while its discovery is down.
void load_saved_providers(Runtime& runtime, server_rec* main_server);

}  // namespace proconnect::httpd
