#include "session/shm_store.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <atomic>

namespace proconnect::session {

using core::Error;
using core::ErrorCode;
using shm::EntryState;
using shm::Geometry;
using shm::Shard;

namespace {

std::unexpected<Error> failure(ErrorCode code, std::string detail) {
    return std::unexpected(Error{code, std::move(detail)});
}

std::uint32_t load(std::uint32_t& shared) noexcept {
    return std::atomic_ref<std::uint32_t>{shared}.load(std::memory_order_acquire);
}

/// A part that is too long never gets as far as a lock.
std::expected<void, Error> check_sizes(std::span<const std::uint8_t> attributes, std::span<const std::uint8_t> tokens) {
    if (attributes.size() > SessionStore::kMaxPartBytes || tokens.size() > SessionStore::kMaxPartBytes) {
        return failure(ErrorCode::session_too_large, "a session's part has " +
                       std::to_string(std::max(attributes.size(), tokens.size())) + " bytes");
    }
    return {};
}

void expire(Shard& shard, std::uint32_t index) noexcept {
    shard.erase(index);
    ++shard.header().expired;
}

}  // namespace

Error ShmStore::lock_error(std::uint32_t number) {
    return {ErrorCode::session_store_unavailable, "shard " + std::to_string(number) + " of the session table stays locked"};
}

Error ShmStore::damage_error(std::uint32_t number) {
    return {ErrorCode::session_record_corrupt, "shard " + std::to_string(number) + " of the session table is damaged again at once"};
}

std::size_t ShmStore::required_bytes(std::uint64_t capacity) noexcept {
    const auto geometry = Geometry::for_capacity(capacity);
    return geometry ? geometry->total_bytes() + shm::kCacheLine : 0;
}

std::expected<ShmStore, Error> ShmStore::create(std::span<std::byte> zeroes, std::uint64_t capacity) {
    const auto geometry = Geometry::for_capacity(capacity);
    const auto table = shm::aligned_table(zeroes);
    if (!geometry || !table || table->size() < geometry->total_bytes()) {
        return failure(ErrorCode::session_store_unavailable, "no session table of this size in this memory");
    }
    ShmStore store{table->data(), *geometry};
    for (std::uint32_t number = 0; number < geometry->shards; ++number) {
        shm::ShardHeader& header = store.shard_header(number);
        if (!header.mutex.initialize()) {
            return failure(ErrorCode::session_store_unavailable, "the system has no robust mutexes between processes");
        }
        header.entry_limit = shm::entry_limit_for(capacity, geometry->shards);
    }
    shm::stamp_header(store.header(), capacity, *geometry);
    return store;
}

std::expected<ShmStore, Error> ShmStore::open(std::span<std::byte> memory) {
    const auto table = shm::aligned_table(memory);
    if (!table || table->size() < sizeof(shm::TableHeader)) {
        return failure(ErrorCode::session_store_unavailable, "no session table");
    }
    // A copy, so that what was checked is what is used.
    const auto header = std::make_unique<shm::TableHeader>();
    std::memcpy(header.get(), table->data(), sizeof(*header));
    if (const char* problem = shm::header_problem(*header, table->size()); problem != nullptr) {
        return failure(ErrorCode::session_store_unavailable, problem);
    }
    return ShmStore{table->data(), header->geometry};
}

std::expected<ShmStore, Error> ShmStore::attach(std::span<std::byte> memory) {
    auto opened = open(memory);
    if (!opened) {
        return opened;
    }
    ShmStore& store = *opened;
    for (std::uint32_t number = 0; number < store.geometry_.shards; ++number) {
        const auto checked = store.with_shard(number, [](Shard& shard) -> std::expected<void, Error> {
            if (shard.find_problem() != nullptr) {
                shard.repair();
            }
            return {};
        });
        if (!checked) {
            return std::unexpected(checked.error());
        }
    }
    return opened;
}

std::expected<void, Error> ShmStore::create(const LookupId& id, const RecordHead& head, std::span<const std::uint8_t> attributes,
                                            std::span<const std::uint8_t> tokens, core::UnixTime now) {
    if (auto fits = check_sizes(attributes, tokens); !fits) {
        return fits;
    }
    const shm::RecordContent content{id, head, attributes, tokens};
    return with_shard(shard_of(id), [&](Shard& shard) -> std::expected<void, Error> {
        if (const std::uint32_t known = shard.locate(id); known != 0) {
            if (!is_expired(shm::head_of(shard.entry(known)), now)) {
                return failure(ErrorCode::internal_error, "a new session has the id of another");
            }
            expire(shard, known);
        }
        if (!shard.make_room({.chunks = content.chunks()}, now)) {
            return failure(ErrorCode::session_store_full, "no session can be removed to make room");
        }
        shard.write(content);
        ++shard.header().created;
        return {};
    });
}

template <typename Take>
[[gnu::hot]] std::expected<std::optional<RecordHead>, Error> ShmStore::look_up(const LookupId& id, const RealmTag& realm, core::UnixTime now, Touch touch, Take&& take) {
    bool unknown = false;
    const auto look = [&](Shard& shard) -> std::expected<std::optional<RecordHead>, Error> {
        const std::uint32_t index = shard.locate(id);
        unknown = index == 0;
        if (unknown || shard.entry(index).state != EntryState::live || shard.entry(index).realm != realm) {
            return std::nullopt;
        }
        shm::Entry& entry = shard.entry(index);
        const RecordHead head = shm::head_of(entry);
        if (is_expired(head, now)) {
            expire(shard, index);
            return std::nullopt;
        }
        if (!take(shard, index)) {
            return failure(ErrorCode::internal_error, "no memory for a session");
        }
        if (touch == Touch::yes && head.last_used != now) {  // at most once a second: a store makes other processors wait
            std::atomic_ref<std::int64_t>{entry.last_used}.store(core::to_unix_seconds(now), std::memory_order_relaxed);
        }
        return head;
    };
    auto found = with_shard(shard_of(id), look);
    if (unknown && predecessor_ != nullptr && found) [[unlikely]] {
        if (const auto brought = bring(*predecessor_, id, now); brought && *brought) {
            return with_shard(shard_of(id), look);
        }
    }
    return found;
}

std::expected<std::optional<RecordHead>, Error> ShmStore::find(const LookupId& id, const RealmTag& realm, Part part, RecordBuffer& out,
                                                               core::UnixTime now, Touch touch) {
    return look_up(id, realm, now, touch, [&](Shard& shard, std::uint32_t index) {
        const shm::Entry& entry = shard.entry(index);
        const std::size_t offset = part == Part::attributes ? 0 : entry.attributes_bytes;
        const std::size_t bytes = part == Part::attributes ? entry.attributes_bytes : entry.tokens_bytes;
        const auto target = bytes <= kMaxPartBytes ? out.reserve(bytes) : std::span<std::uint8_t>{};
        if (target.size() != bytes) {
            return false;
        }
        shard.read(index, offset, target);
        return true;
    });
}

[[gnu::hot]] std::expected<std::optional<RecordHead>, Error> ShmStore::find_head(const LookupId& id, const RealmTag& realm, core::UnixTime now, Touch touch) {
    return look_up(id, realm, now, touch, [](Shard&, std::uint32_t) { return true; });
}

std::expected<bool, Error> ShmStore::replace(const LookupId& id, const RecordHead& head, std::span<const std::uint8_t> attributes,
                                             std::span<const std::uint8_t> tokens, core::UnixTime now) {
    if (auto fits = check_sizes(attributes, tokens); !fits) {
        return std::unexpected(fits.error());
    }
    const shm::RecordContent content{id, head, attributes, tokens};
    return with_shard(shard_of(id), [&](Shard& shard) -> std::expected<bool, Error> {
        const std::uint32_t index = shard.locate(id);
        if (index == 0 || is_superseded()) {
            return false;
        }
        const shm::Entry& entry = shard.entry(index);
        if (entry.state != EntryState::live || entry.realm != head.realm || writings_of(entry.serial) + 1 != writings_of(head.serial)) {
            return false;
        }
        if (is_expired(shm::head_of(entry), now)) {
            expire(shard, index);
            return false;
        }
        if (!shard.make_room({.chunks = content.chunks(), .kept = index}, now)) {
            return failure(ErrorCode::session_store_full, "no session can be removed to make room");
        }
        // The new version stands beside the old one before that goes: a death in between loses neither.
        if (shard.write(content) != 0) {
            shard.erase(index);
        }
        return true;
    });
}

std::expected<bool, Error> ShmStore::remove(const LookupId& id, const RealmTag& realm) {
    // The old table first: see bring().
    bool removed = false;
    if (predecessor_ != nullptr) {
        const auto there = predecessor_->remove_here(id, &realm);
        if (!there) {
            return there;
        }
        removed = *there;
    }
    const auto here = remove_here(id, &realm);
    return here ? std::expected<bool, Error>{*here || removed} : here;
}

std::expected<bool, Error> ShmStore::remove_here(const LookupId& id, const RealmTag* realm) {
    return with_shard(shard_of(id), [&](Shard& shard) -> std::expected<bool, Error> {
        const std::uint32_t index = shard.locate(id);
        if (index == 0 || shard.entry(index).state != EntryState::live || (realm != nullptr && shard.entry(index).realm != *realm)) {
            return false;
        }
        if (keeps_tombstones()) {
            shard.bury(index);
        } else {
            shard.erase(index);
        }
        ++shard.header().removed;
        return true;
    });
}

std::expected<std::uint64_t, Error> ShmStore::remove_subject(const RealmTag& realm, const SubjectTag& subject) {
    std::uint64_t total = 0;
    if (predecessor_ != nullptr) {
        const auto there = predecessor_->remove_subject(realm, subject);
        if (!there) {
            return there;
        }
        total = *there;
    }
    std::uint64_t here = 0;
    for (std::uint32_t number = 0; number < geometry_.shards; ++number) {
        const auto removed = with_shard(number, [&](Shard& shard) -> std::expected<std::uint64_t, Error> {
            return shard.remove_subject(realm, subject, keeps_tombstones());
        });
        if (!removed) {
            return removed;
        }
        here += *removed;
    }
    return std::max(total, here);  // most of them stand in both
}

std::expected<std::uint64_t, Error> ShmStore::sweep(core::UnixTime now) {
    std::uint64_t total = 0;
    for (std::uint32_t number = 0; number < geometry_.shards; ++number) {
        const auto reclaimed = with_shard(number, [&](Shard& shard) -> std::expected<std::uint64_t, Error> {
            return shard.reclaim_expired(now, 0, keeps_tombstones());
        });
        if (!reclaimed) {
            return reclaimed;
        }
        total += *reclaimed;
    }
    return total;
}

std::expected<StoreStatistics, Error> ShmStore::statistics() {
    StoreStatistics total{.capacity = capacity()};
    for (std::uint32_t number = 0; number < geometry_.shards; ++number) {
        const auto added = with_shard(number, [&](Shard& shard) -> std::expected<void, Error> {
            const shm::ShardHeader& counted = shard.header();
            total.live += counted.live;
            total.bytes_in_use += (std::uint64_t{counted.live} + counted.tombstones) * (sizeof(shm::Entry) + sizeof(std::uint32_t)) +
                                  std::uint64_t{counted.chunks_in_use} * sizeof(shm::Chunk);
            total.created += counted.created;
            total.expired += counted.expired;
            total.evicted += counted.evicted;
            total.removed += counted.removed;
            total.repaired += counted.repaired;
            return {};
        });
        if (!added) {
            return std::unexpected(added.error());
        }
    }
    return total;
}

namespace {

/// What was counted since this was last asked; `taken` is shared by all processes.
std::expected<std::uint64_t, Error> take_since(std::uint64_t& taken, const std::expected<StoreStatistics, Error>& counts, std::uint64_t StoreStatistics::*which) {
    if (!counts) {
        return std::unexpected(counts.error());
    }
    const std::uint64_t counted = (*counts).*which;
    const std::uint64_t before = std::atomic_ref<std::uint64_t>{taken}.exchange(counted, std::memory_order_relaxed);
    return counted > before ? counted - before : 0;
}

}  // namespace

std::expected<std::uint64_t, Error> ShmStore::take_evictions() {
    return take_since(header().evictions_taken, statistics(), &StoreStatistics::evicted);
}

std::expected<std::uint64_t, Error> ShmStore::take_expiries() {
    return take_since(header().expiries_taken, statistics(), &StoreStatistics::expired);
}

std::uint64_t ShmStore::capacity() const noexcept {
    return std::atomic_ref<std::uint64_t>{header().capacity}.load(std::memory_order_relaxed);
}

std::expected<bool, Error> ShmStore::set_capacity(std::uint64_t capacity) {
    const std::uint32_t limit = shm::entry_limit_for(capacity, geometry_.shards);
    if (capacity == 0 || limit >= geometry_.entries) {
        return false;
    }
    for (std::uint32_t number = 0; number < geometry_.shards; ++number) {
        const auto set = with_shard(number, [&](Shard& shard) -> std::expected<void, Error> {
            shard.header().entry_limit = limit;
            return {};
        });
        if (!set) {
            return std::unexpected(set.error());
        }
    }
    std::atomic_ref<std::uint64_t>{header().capacity}.store(capacity, std::memory_order_relaxed);
    return true;
}

std::expected<std::optional<std::string>, Error> ShmStore::validate() {
    if (const char* problem = shm::header_problem(header(), geometry_.total_bytes()); problem != nullptr) {
        return problem;
    }
    for (std::uint32_t number = 0; number < geometry_.shards; ++number) {
        const auto problem = with_shard(number, [&](Shard& shard) -> std::expected<const char*, Error> { return shard.find_problem(); });
        if (!problem) {
            return std::unexpected(problem.error());
        }
        if (*problem != nullptr) {
            return "shard " + std::to_string(number) + ": " + *problem;
        }
    }
    return std::nullopt;
}

bool ShmStore::is_superseded() const noexcept {
    return load(header().superseded) != 0;
}

bool ShmStore::is_taking_over() const noexcept {
    return load(header().taking_over) != 0;
}

bool ShmStore::keeps_tombstones() const noexcept {
    return is_superseded() || is_taking_over();
}

}  // namespace proconnect::session
