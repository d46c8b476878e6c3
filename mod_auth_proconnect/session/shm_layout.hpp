#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/robust_mutex.hpp"
#include "session/session_store.hpp"

// What stands where in the shared memory. There is no pointer in it, only indices, and index 0 always means "none", so that
// memory full of zeroes is an empty table and creating one touches the headers only.
//
//   TableHeader | ShardHeader x shards | per shard: u32 bucket heads | Entry x entries | Chunk x chunks
//
// A record is one Entry and a chain of Chunks; both sealed parts stand in one chain, the attributes first, because those are
// what a request reads. Index 0 of the entries and of the chunks is never used.

namespace proconnect::session::shm {

inline constexpr std::uint64_t kMagic = 0x31'54'53'53'45'53'43'50;  // "PCSESST1" in memory
/// Raised with every change of anything in this file; code of another version does not touch the table.
inline constexpr std::uint32_t kLayoutVersion = 2;
/// The memory given by the caller is aligned to 8 bytes only; entries are laid out for cache lines.
inline constexpr std::size_t kCacheLine = 64;

/// Values far apart, so that a stray byte does not turn one state into another.
enum class EntryState : std::uint32_t {
    free = 0,
    writing = 0x4749'5257,    ///< being written or removed: whoever finds it after a death drops it
    live = 0x4556'494c,
    tombstone = 0x424d'4f54,  ///< removed while two tables are being merged; holds its place so that it does not come back
};

struct Entry {
    LookupId id;
    RealmTag realm;
    SubjectTag subject;
    std::int64_t created;
    std::int64_t expires;
    std::int64_t last_used;
    std::int64_t idle;
    std::uint64_t serial;
    EntryState state;
    std::uint32_t attributes_bytes;
    std::uint32_t tokens_bytes;
    std::uint32_t first_chunk;
    std::uint32_t next;  ///< in the bucket, or in the list of free entries
    std::uint32_t reserved;
};
static_assert(sizeof(Entry) == 128);

/// `label` says whose chunk this is and which of its chain: (owner << 9) | sequence; 0 when free. A wrong link is thereby
/// noticed at once, and a repair can tell which chunks are in use. The top bit is set by a repair under way only.
struct Chunk {
    static constexpr std::size_t kBytes = 248;
    static constexpr std::uint32_t kSequenceBits = 9;
    static constexpr std::uint32_t kMark = 0x8000'0000;
    std::uint32_t next;  ///< in the record, or in the list of free chunks
    std::uint32_t label;
    std::array<std::uint8_t, kBytes> bytes;
};
static_assert(sizeof(Chunk) == 256);

inline constexpr std::uint32_t kMaxEntriesPerShard = (1U << (31 - Chunk::kSequenceBits)) - 1;
inline constexpr std::uint32_t kMaxChunksPerRecord = (2 * SessionStore::kMaxPartBytes + Chunk::kBytes - 1) / Chunk::kBytes;
static_assert(kMaxChunksPerRecord < (1U << Chunk::kSequenceBits));

[[nodiscard]] constexpr std::uint32_t chunk_label(std::uint32_t owner, std::uint32_t sequence) noexcept {
    return (owner << Chunk::kSequenceBits) | sequence;
}
[[nodiscard]] constexpr std::uint32_t chunks_for(std::size_t bytes) noexcept {
    return static_cast<std::uint32_t>((bytes + Chunk::kBytes - 1) / Chunk::kBytes);
}

/// Everything in it is read and written under its mutex.
struct alignas(kCacheLine) ShardHeader {
    core::RobustMutex mutex;
    std::uint32_t entry_limit;    ///< live records from which on one goes for each that comes
    std::uint32_t entries_begun;  ///< entries 1 to this one have been used at least once
    std::uint32_t free_entry;
    std::uint32_t chunks_begun;
    std::uint32_t free_chunk;
    std::uint32_t live;
    std::uint32_t tombstones;
    std::uint32_t chunks_in_use;
    std::uint64_t created, expired, evicted, removed, repaired;
};
static_assert(sizeof(ShardHeader) == 128);

/// How many of what: follows from the capacity alone.
struct Geometry {
    std::uint32_t shards;   ///< a power of two
    std::uint32_t buckets;  ///< per shard, a power of two
    std::uint32_t entries;  ///< per shard, without index 0
    std::uint32_t chunks;   ///< per shard, without index 0

    /// Nothing for a capacity of 0 or beyond what the indices can hold.
    [[nodiscard]] static std::optional<Geometry> for_capacity(std::uint64_t capacity) noexcept;

    [[nodiscard]] std::size_t entries_offset() const noexcept;  ///< inside a shard's area
    [[nodiscard]] std::size_t chunks_offset() const noexcept;
    [[nodiscard]] std::size_t area_bytes() const noexcept;
    [[nodiscard]] std::size_t areas_offset() const noexcept;    ///< from the table's header
    [[nodiscard]] std::size_t total_bytes() const noexcept;
    bool operator==(const Geometry&) const = default;
};

/// How many records one shard takes before it evicts. With one shard exactly the capacity; with many, the mean and six standard
/// deviations, because hashing does not fill them evenly and nobody shall be signed out while the table has room elsewhere.
[[nodiscard]] std::uint32_t entry_limit_for(std::uint64_t capacity, std::uint32_t shards) noexcept;

/// Written once when the table is made, except for the last five.
struct alignas(kCacheLine) TableHeader {
    std::uint64_t magic;
    std::uint32_t layout_version;
    std::uint32_t header_bytes, shard_header_bytes, entry_bytes, chunk_bytes, mutex_bytes;
    Geometry geometry;
    std::uint64_t mapped_capacity;
    std::uint64_t total_bytes;
    std::uint64_t capacity;      ///< the configured one; at most what the geometry holds
    std::uint32_t superseded;    ///< a larger table took over: removals leave tombstones, nothing is replaced
    std::uint32_t taking_over;   ///< this is the larger table, the old one still in use: removals leave tombstones
    std::uint64_t evictions_taken, expiries_taken;  ///< how many of them somebody has asked for
};
static_assert(sizeof(TableHeader) == 128);

/// Where the table begins in the caller's memory. Nothing when there is no room for a header.
[[nodiscard]] std::optional<std::span<std::byte>> aligned_table(std::span<std::byte> memory) noexcept;

void stamp_header(TableHeader& header, std::uint64_t capacity, const Geometry& geometry) noexcept;
/// @return what is wrong with it, or nullptr
[[nodiscard]] const char* header_problem(const TableHeader& header, std::size_t bytes) noexcept;

[[nodiscard]] RecordHead head_of(const Entry& entry) noexcept;
void set_head(Entry& entry, const RecordHead& head) noexcept;

/// A change of state is the moment a write begins or is complete. What the program orders before and after it must stay there in
/// the machine code: a process may be killed between any two instructions. (The processor keeps the order for whoever takes the
/// lock afterwards.)
inline void set_state(Entry& entry, EntryState state) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    std::atomic_ref<EntryState>{entry.state}.store(state, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace proconnect::session::shm
