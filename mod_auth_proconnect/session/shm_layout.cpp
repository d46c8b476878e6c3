#include "session/shm_layout.hpp"

#include <algorithm>
#include <bit>

namespace proconnect::session::shm {

namespace {

constexpr std::uint64_t kMaxShards = 256;
constexpr std::uint64_t kRecordsPerShard = 256;
/// A typical record takes seven; the eighth is room for longer names and tokens.
constexpr std::uint32_t kChunksPerRecord = 8;
/// Room for the largest record beside its replacement, however small the table.
constexpr std::uint32_t kMinChunks = 1024;
static_assert(kMinChunks >= 2 * kMaxChunksPerRecord);

constexpr std::size_t round_up(std::size_t bytes) noexcept {
    return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

std::uint64_t square_root_rounded_up(std::uint64_t value) noexcept {
    std::uint64_t root = 0;
    while (root * root < value) {
        ++root;
    }
    return root;
}

std::uint32_t shards_for(std::uint64_t capacity) noexcept {
    return static_cast<std::uint32_t>(std::bit_floor(std::clamp<std::uint64_t>(capacity / kRecordsPerShard, 1, kMaxShards)));
}

}  // namespace

std::uint32_t entry_limit_for(std::uint64_t capacity, std::uint32_t shards) noexcept {
    if (shards <= 1) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(capacity, UINT32_MAX));
    }
    const std::uint64_t mean = capacity / shards + (capacity % shards != 0 ? 1 : 0);
    if (mean >= kMaxEntriesPerShard) {
        return UINT32_MAX;
    }
    return static_cast<std::uint32_t>(mean + 6 * square_root_rounded_up(mean) + 8);
}

std::optional<Geometry> Geometry::for_capacity(std::uint64_t capacity) noexcept {
    if (capacity == 0) {
        return std::nullopt;
    }
    const std::uint32_t shards = shards_for(capacity);
    const std::uint32_t limit = entry_limit_for(capacity, shards);
    if (limit >= kMaxEntriesPerShard) {
        return std::nullopt;
    }
    // One entry more than records: a replacement is complete before its predecessor goes.
    return Geometry{.shards = shards, .buckets = std::bit_ceil(limit), .entries = limit + 1,
                    .chunks = std::max(kMinChunks, limit * kChunksPerRecord)};
}

std::size_t Geometry::entries_offset() const noexcept {
    return round_up(buckets * sizeof(std::uint32_t));
}

std::size_t Geometry::chunks_offset() const noexcept {
    return entries_offset() + (std::size_t{entries} + 1) * sizeof(Entry);
}

std::size_t Geometry::area_bytes() const noexcept {
    return chunks_offset() + (std::size_t{chunks} + 1) * sizeof(Chunk);
}

std::size_t Geometry::areas_offset() const noexcept {
    return sizeof(TableHeader) + shards * sizeof(ShardHeader);
}

std::size_t Geometry::total_bytes() const noexcept {
    return areas_offset() + shards * area_bytes();
}

std::optional<std::span<std::byte>> aligned_table(std::span<std::byte> memory) noexcept {
    const auto misalignment = reinterpret_cast<std::uintptr_t>(memory.data()) % kCacheLine;
    const std::size_t skip = misalignment == 0 ? 0 : kCacheLine - misalignment;
    if (memory.size() < skip + sizeof(TableHeader)) {
        return std::nullopt;
    }
    return memory.subspan(skip);
}

void stamp_header(TableHeader& header, std::uint64_t capacity, const Geometry& geometry) noexcept {
    header.layout_version = kLayoutVersion;
    header.header_bytes = sizeof(TableHeader);
    header.shard_header_bytes = sizeof(ShardHeader);
    header.entry_bytes = sizeof(Entry);
    header.chunk_bytes = sizeof(Chunk);
    header.mutex_bytes = sizeof(core::RobustMutex);
    header.geometry = geometry;
    header.mapped_capacity = capacity;
    header.total_bytes = geometry.total_bytes();
    header.capacity = capacity;
    // Last: a table whose creator died half way has no magic.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    header.magic = kMagic;
}

const char* header_problem(const TableHeader& header, std::size_t bytes) noexcept {
    if (header.magic != kMagic) {
        return "no session table";
    }
    if (header.layout_version != kLayoutVersion) {
        return "session table of another version";
    }
    if (header.header_bytes != sizeof(TableHeader) || header.shard_header_bytes != sizeof(ShardHeader) ||
        header.entry_bytes != sizeof(Entry) || header.chunk_bytes != sizeof(Chunk) ||
        header.mutex_bytes != sizeof(core::RobustMutex)) {
        return "session table of another build";
    }
    const auto geometry = Geometry::for_capacity(header.mapped_capacity);
    if (!geometry || *geometry != header.geometry || header.total_bytes != geometry->total_bytes()) {
        return "session table with a damaged header";
    }
    if (header.capacity == 0 || entry_limit_for(header.capacity, geometry->shards) >= geometry->entries) {
        return "session table with a damaged header";
    }
    if (header.total_bytes > bytes) {
        return "session table larger than its memory";
    }
    return nullptr;
}

RecordHead head_of(const Entry& entry) noexcept {
    return {.realm = entry.realm,
            .subject = entry.subject,
            .created = core::from_unix_seconds(entry.created),
            .expires = core::from_unix_seconds(entry.expires),
            .last_used = core::from_unix_seconds(entry.last_used),
            .idle = std::chrono::seconds{entry.idle},
            .serial = entry.serial};
}

void set_head(Entry& entry, const RecordHead& head) noexcept {
    entry.realm = head.realm;
    entry.subject = head.subject;
    entry.created = core::to_unix_seconds(head.created);
    entry.expires = core::to_unix_seconds(head.expires);
    entry.last_used = core::to_unix_seconds(head.last_used);
    entry.idle = head.idle.count();
    entry.serial = head.serial;
}

}  // namespace proconnect::session::shm
