#include "session/snapshot.hpp"

#include <algorithm>
#include <vector>

#include "session/snapshot_format.hpp"

namespace proconnect::session {

using core::Error;
using core::ErrorCode;

namespace {

std::unexpected<Error> unusable(std::string detail) {
    return std::unexpected(Error{ErrorCode::snapshot_unusable, std::move(detail)});
}

/// Goes through the file once; `visit(payload, records)` returns a std::expected<void, Error>.
template <typename Visitor>
std::expected<void, Error> for_each_block(const FileDescriptor& file, const crypto::Key256& key, Visitor&& visit) {
    SnapshotReader reader{file, key};
    if (auto begun = reader.begin(); !begun) {
        return begun;
    }
    std::vector<std::uint8_t> payload;
    std::uint32_t records = 0;
    while (true) {
        const auto more = reader.next(payload, records);
        if (!more) {
            return std::unexpected(more.error());
        }
        if (!*more) {
            return {};
        }
        if (auto visited = visit(std::span<const std::uint8_t>{payload}, records); !visited) {
            return visited;
        }
    }
}

std::expected<void, Error> import_block(ShmStore& store, std::span<const std::uint8_t> payload, std::uint32_t records, SnapshotCount& count,
                                        core::UnixTime now) {
    for (; records != 0; --records) {
        const auto record = take_record(payload);
        if (!record) {
            return unusable("session snapshot with an impossible record");
        }
        if (is_expired(record->head, now)) {
            ++count.expired;
            continue;
        }
        const auto imported = store.import_record(*record, now);
        if (!imported) {
            return std::unexpected(imported.error());
        }
        ++(*imported ? count.sessions : count.dropped);
    }
    return {};
}

}  // namespace

std::expected<SnapshotCount, Error> write_snapshot(ShmStore& store, const std::filesystem::path& path, const crypto::Key256& key,
                                                   core::UnixTime now) {
    auto file = AtomicFile::create(path);
    if (!file) {
        return unusable(file.error());
    }
    auto written = write_snapshot(store, *file, key, now);
    if (!written) {
        return written;
    }
    if (const auto committed = file->commit(); !committed) {
        return unusable(committed.error());
    }
    return written;
}

std::expected<SnapshotCount, Error> write_snapshot(ShmStore& store, AtomicFile& file, const crypto::Key256& key, core::UnixTime now) {
    SnapshotWriter writer{file, key};
    if (const auto begun = writer.begin(now); !begun) {
        return std::unexpected(begun.error());
    }
    SnapshotCount count;
    std::vector<StoredRecord> records;
    for (RecordCursor cursor;;) {
        const auto more = store.next_records(cursor, records, true);
        if (!more) {
            return std::unexpected(more.error());
        }
        if (!*more) {
            break;
        }
        for (const StoredRecord& record : records) {
            if (record.tombstone) {
                continue;
            }
            if (is_expired(record.head, now)) {
                ++count.expired;
                continue;
            }
            if (const auto added = writer.add(record); !added) {
                return std::unexpected(added.error());
            }
            ++count.sessions;
        }
    }
    if (const auto ended = writer.end(); !ended) {
        return std::unexpected(ended.error());
    }
    return count;
}

std::expected<SnapshotCount, Error> load_snapshot(ShmStore& store, const std::filesystem::path& path, const crypto::Key256& key,
                                                  core::UnixTime now) {
    const auto file = open_private_file(path);
    if (!file) {
        return unusable(file.error());
    }
    SnapshotCount count;
    if (!file->is_open()) {
        count.found = false;
        return count;
    }
    // Twice over the same open file: once to see that all of it is right, once to use it; the second time, too, each block is verified.
    const auto verified = for_each_block(*file, key, [](auto, auto) -> std::expected<void, Error> { return {}; });
    if (!verified) {
        return std::unexpected(verified.error());
    }
    const auto before = store.statistics();
    const auto imported = for_each_block(*file, key, [&](auto payload, auto records) { return import_block(store, payload, records, count, now); });
    const auto after = store.statistics();
    if (!imported || !before || !after) {
        return std::unexpected(!imported ? imported.error() : !before ? before.error() : after.error());
    }
    const std::uint64_t evicted = std::min(count.sessions, after->evicted - before->evicted);
    count.sessions -= evicted;
    count.dropped += evicted;
    return count;
}

}  // namespace proconnect::session
