#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "crypto/digest.hpp"
#include "session/private_file.hpp"
#include "session/shm_store.hpp"

namespace proconnect::session {

// Sessions in a file, over a full stop of the server: the sealed records as they stand in the table, with their heads. The file is as
// worthless to a thief as the memory, and any change to it is noticed. Its form does not depend on the table's layout, so another
// version of the module with another layout reads it.

struct SnapshotCount {
    bool found = true;           ///< false: there is no such file, as before the first stop; no failure
    std::uint64_t sessions = 0;  ///< written, or brought into the table
    std::uint64_t expired = 0;
    std::uint64_t dropped = 0;   ///< for which the table has no room: those unused for the longest time
};

/// Writes all live sessions. The file appears under its name complete or not at all; the former one stays when anything fails (PC4005).
/// Owned by the caller, mode 0600. One writer at a time: the server's parent. The table goes on being used meanwhile.
/// @param key  authenticates the file; derived for this purpose only
std::expected<SnapshotCount, core::Error> write_snapshot(ShmStore& store, const std::filesystem::path& path, const crypto::Key256& key,
                                                         core::UnixTime now);

/// The same into a file that is open already; the caller commits it. For a process that may write to the file but not make it.
std::expected<SnapshotCount, core::Error> write_snapshot(ShmStore& store, AtomicFile& file, const crypto::Key256& key, core::UnixTime now);

/// Brings the sessions of a snapshot into the table. Nothing of the file is used before all of it is verified. PC4005, and an untouched
/// table, for a file that is torn, changed, of another version or under another key, a link, not owned by the caller, or that
/// others may read or write.
std::expected<SnapshotCount, core::Error> load_snapshot(ShmStore& store, const std::filesystem::path& path, const crypto::Key256& key,
                                                        core::UnixTime now);

}  // namespace proconnect::session
