#include <algorithm>
#include <atomic>

#include "session/shm_store.hpp"

// Moving sessions between tables: taking records out, bringing them in, and one table taking over from another that is still in use.

namespace proconnect::session {

using core::Error;
using shm::EntryState;
using shm::Shard;

namespace {

constexpr std::size_t kRecordsPerLock = 64;  // a lock is held for a fraction of a millisecond

void store(std::uint32_t& shared, std::uint32_t value) noexcept {
    std::atomic_ref<std::uint32_t>{shared}.store(value, std::memory_order_release);
}

std::expected<void, Error> without_value(const std::expected<bool, Error>& result) {
    if (!result) {
        return std::unexpected(result.error());
    }
    return {};
}

StoredRecord record_at(Shard& shard, std::uint32_t index, bool with_parts) {
    const shm::Entry& entry = shard.entry(index);
    StoredRecord record{.id = entry.id, .head = shm::head_of(entry), .tombstone = entry.state == EntryState::tombstone,
                        .attributes = {}, .tokens = {}};
    if (with_parts && !record.tombstone && entry.attributes_bytes <= SessionStore::kMaxPartBytes &&
        entry.tokens_bytes <= SessionStore::kMaxPartBytes) {
        record.attributes.resize(entry.attributes_bytes);
        record.tokens.resize(entry.tokens_bytes);
        shard.read(index, 0, record.attributes);
        shard.read(index, record.attributes.size(), record.tokens);
    }
    return record;
}

}  // namespace

std::expected<bool, Error> ShmStore::next_records(RecordCursor& cursor, std::vector<StoredRecord>& records, bool with_parts) {
    records.clear();
    if (cursor.shard >= geometry_.shards) {
        return false;
    }
    std::uint32_t bucket = 0;
    const auto taken = with_shard(cursor.shard, [&](Shard& shard) -> std::expected<void, Error> {
        records.clear();  // of a first attempt that met damage
        for (bucket = cursor.bucket; bucket < geometry_.buckets && records.size() < kRecordsPerLock && !shard.damaged(); ++bucket) {
            std::uint32_t steps = 0;
            for (std::uint32_t index = shard.first_in_bucket(bucket); index != 0; index = shard.next_in_bucket(index)) {
                if (!shard.passes(index, ++steps)) {
                    break;
                }
                records.push_back(record_at(shard, index, with_parts));
            }
        }
        return {};
    });
    if (!taken) {
        return std::unexpected(taken.error());
    }
    cursor = bucket < geometry_.buckets ? RecordCursor{cursor.shard, bucket} : RecordCursor{cursor.shard + 1, 0};
    return true;
}

std::expected<bool, Error> ShmStore::import_record(const StoredRecord& record, core::UnixTime now) {
    if (record.tombstone || record.attributes.size() > kMaxPartBytes || record.tokens.size() > kMaxPartBytes ||
        is_expired(record.head, now)) {
        return false;
    }
    const shm::RecordContent content{record.id, record.head, record.attributes, record.tokens};
    return with_shard(shard_of(record.id), [&](Shard& shard) -> std::expected<bool, Error> {
        if (shard.locate(record.id) != 0 || shard.damaged() ||
            !shard.make_room({.chunks = content.chunks(), .used_before = record.head.last_used}, now)) {
            return false;
        }
        return shard.write(content) != 0;
    });
}

std::expected<ShmStore::Presence, Error> ShmStore::presence(const LookupId& id) {
    return with_shard(shard_of(id), [&](Shard& shard) -> std::expected<Presence, Error> {
        const std::uint32_t index = shard.locate(id);
        if (index == 0) {
            return Presence::unknown;
        }
        return shard.entry(index).state == EntryState::live ? Presence::live : Presence::removed;
    });
}

std::expected<std::optional<StoredRecord>, Error> ShmStore::copy_of(const LookupId& id) {
    return with_shard(shard_of(id), [&](Shard& shard) -> std::expected<std::optional<StoredRecord>, Error> {
        const std::uint32_t index = shard.locate(id);
        if (index == 0 || shard.entry(index).state != EntryState::live) {
            return std::nullopt;
        }
        return record_at(shard, index, true);
    });
}

std::expected<bool, Error> ShmStore::bring(ShmStore& old, const LookupId& id, core::UnixTime now) {
    const auto record = old.copy_of(id);
    if (!record || !*record) {
        return record ? std::expected<bool, Error>{false} : std::unexpected(record.error());
    }
    const auto brought = import_record(**record, now);
    if (!brought || !*brought) {
        return brought;
    }
    // Somebody may have signed out between the two. remove() goes to the old table first: either it has been there, and we see it now,
    // or it comes to this table after us.
    const auto still = old.presence(id);
    if (still && *still == Presence::removed) {
        if (auto removed = remove_here(id, nullptr); !removed) {
            return removed;
        }
        return false;
    }
    return true;
}

std::expected<void, Error> ShmStore::copy_from(ShmStore& old, core::UnixTime now) {
    store(old.header().superseded, 1);
    store(header().taking_over, 1);
    return merge_from(old, now);
}

std::expected<void, Error> ShmStore::merge_from(ShmStore& old, core::UnixTime now) {
    std::vector<StoredRecord> records;
    RecordCursor cursor;
    while (true) {
        const auto more = old.next_records(cursor, records, false);
        if (!more) {
            return std::unexpected(more.error());
        }
        if (!*more) {
            return {};
        }
        for (const StoredRecord& record : records) {
            if (auto merged = merge_record(old, record, now); !merged) {
                return merged;
            }
        }
    }
}

std::expected<void, Error> ShmStore::merge_record(ShmStore& old, const StoredRecord& record, core::UnixTime now) {
    if (record.tombstone) {
        return without_value(remove_here(record.id, nullptr));
    }
    const auto here = with_shard(shard_of(record.id), [&](Shard& shard) -> std::expected<Presence, Error> {
        const std::uint32_t index = shard.locate(record.id);
        if (index == 0) {
            return Presence::unknown;
        }
        shm::Entry& entry = shard.entry(index);
        if (entry.state != EntryState::live) {
            return Presence::removed;
        }
        entry.last_used = std::max(entry.last_used, core::to_unix_seconds(record.head.last_used));
        return Presence::live;
    });
    if (!here) {
        return std::unexpected(here.error());
    }
    switch (*here) {
        case Presence::unknown:
            return without_value(bring(old, record.id, now));
        case Presence::removed:
            return without_value(old.remove_here(record.id, nullptr));
        case Presence::live:
            break;
    }
    return {};
}

std::expected<void, Error> ShmStore::finish_takeover() {
    store(header().taking_over, 0);
    for (std::uint32_t number = 0; number < geometry_.shards; ++number) {
        const auto dropped = with_shard(number, [&](Shard& shard) -> std::expected<void, Error> {
            shard.drop_tombstones();
            return {};
        });
        if (!dropped) {
            return dropped;
        }
    }
    return {};
}

}  // namespace proconnect::session
