#pragma once
#include <cstdint>
#include <span>

#include "session/shm_layout.hpp"

namespace proconnect::session::shm {

/// The moments inside a change after which a process may be gone. Named so that a test can die at each of them.
enum class WriteStep {
    entry_taken,       ///< off the free list, not yet marked
    entry_marked,      ///< state `writing`
    chunk_taken,
    chunk_written,
    record_written,    ///< head, lengths and chunks complete, state still `writing`
    record_live,       ///< state `live`, in no bucket yet
    record_linked,
    removal_begun,     ///< nothing changed yet
    removal_marked,    ///< state `writing` (or `tombstone`), still in its bucket
    record_unlinked,
    chunk_released,
    entry_released,
    buckets_cleared,   ///< of a repair
    record_kept,       ///< of a repair
    chunks_swept,      ///< of a repair
};

/// Told of every step of a write; production has none.
class WriteObserver {
public:
    virtual ~WriteObserver() = default;
    virtual void reached(WriteStep step) noexcept = 0;
};

/// A new record, or one to be written again, before it stands in the table.
struct RecordContent {
    const LookupId& id;
    const RecordHead& head;
    std::span<const std::uint8_t> attributes;
    std::span<const std::uint8_t> tokens;
    [[nodiscard]] std::uint32_t chunks() const noexcept { return chunks_for(attributes.size() + tokens.size()); }
};

struct RoomWanted {
    std::uint32_t chunks = 0;
    std::uint32_t kept = 0;  ///< the record to be written again, which must not go itself; 0 for a new one
    /// Only what was last used before this may be evicted: a record that is brought in must not push out one used later.
    core::UnixTime used_before = core::UnixTime::max();
};

/// One shard, for as long as its mutex is held. Nothing in the memory is believed: an index out of range, a chain that does not
/// end or a chunk of another record sets damaged(), and the operation ends at once with an answer that means nothing. The caller
/// then repairs and tries again.
class Shard {
public:
    Shard(std::uint32_t number, ShardHeader& header, std::byte* area, const Geometry& geometry, WriteObserver* observer) noexcept;

    [[nodiscard]] bool damaged() const noexcept { return damaged_; }
    [[nodiscard]] ShardHeader& header() const noexcept { return header_; }
    [[nodiscard]] Entry& entry(std::uint32_t index) const noexcept { return entries_[index]; }

    /// Index of the live record or tombstone with this id, or 0. The comparison need not take constant time: an id in here is the
    /// hash of a secret, and what one learns about a hash does not lead to the secret.
    [[nodiscard]] std::uint32_t locate(const LookupId& id) noexcept;
    /// Copies `out.size()` bytes of the record from `offset` on.
    void read(std::uint32_t index, std::size_t offset, std::span<std::uint8_t> out) noexcept;

    /// Makes room for one more record, or for a second version of `wanted.kept`: expired ones go first, then the longest idle.
    /// @return false when nothing that may go is left
    [[nodiscard]] bool make_room(const RoomWanted& wanted, core::UnixTime now) noexcept;
    /// Writes a record make_room() was called for. @return its index
    std::uint32_t write(const RecordContent& content) noexcept;
    void erase(std::uint32_t index) noexcept;
    /// Turns a live record into a tombstone.
    void bury(std::uint32_t index) noexcept;
    /// @return how many were expired; tombstones go with the session they stand for, or at once when not kept any longer
    std::uint64_t reclaim_expired(core::UnixTime now, std::uint32_t kept, bool keep_tombstones) noexcept;
    /// @return how many
    std::uint64_t remove_subject(const RealmTag& realm, const SubjectTag& subject, bool keep_tombstones) noexcept;
    void drop_tombstones() noexcept;

    /// Brings the shard into order whatever it contains: complete live records stay, everything else becomes free. May itself
    /// be interrupted at any point and started again.
    void repair() noexcept;
    /// Looks at everything. Allocates, so it may throw. @return the first thing that is wrong, or nullptr
    [[nodiscard]] const char* find_problem() const;

    /// Index of the first record of a bucket, and of the one after a record; 0 at the end. A walk asks for each, with its count, whether
    /// it may go on.
    [[nodiscard]] std::uint32_t first_in_bucket(std::uint32_t bucket) noexcept { return follow_entry(buckets_[bucket]); }
    [[nodiscard]] std::uint32_t next_in_bucket(std::uint32_t index) noexcept { return follow_entry(entries_[index].next); }

    [[nodiscard]] bool passes(std::uint32_t index, std::uint32_t steps) noexcept;

    /// The places an id belongs to. An id is a hash already: its bits are as good as any.
    [[nodiscard]] static std::uint32_t shard_of(const LookupId& id, const Geometry& geometry) noexcept;
    [[nodiscard]] static std::uint32_t bucket_of(const LookupId& id, const Geometry& geometry) noexcept;

private:
    void step(WriteStep reached) noexcept {
        if (observer_ != nullptr) [[unlikely]] {
            observer_->reached(reached);
        }
    }
    [[nodiscard]] std::uint32_t entries_begun() const noexcept;
    [[nodiscard]] std::uint32_t chunks_begun() const noexcept;
    std::uint32_t follow_entry(std::uint32_t index) noexcept;
    std::uint32_t follow_chunk(std::uint32_t index, std::uint32_t label) noexcept;
    [[nodiscard]] bool has_free_entry() const noexcept;
    [[nodiscard]] bool has_room(const RoomWanted& wanted) const noexcept;
    /// The record or tombstone that was used longest ago, or 0.
    [[nodiscard]] std::uint32_t longest_idle(EntryState state, std::uint32_t kept) const noexcept;

    std::uint32_t take_entry() noexcept;
    std::uint32_t take_chunk(std::uint32_t label) noexcept;
    void write_chain(std::uint32_t index, const RecordContent& content) noexcept;
    void link(std::uint32_t index) noexcept;
    void unlink(std::uint32_t index) noexcept;
    void release_chain(std::uint32_t index) noexcept;
    void release_chunk(std::uint32_t chunk) noexcept;
    void release_entry(std::uint32_t index) noexcept;

    struct Audit;
    [[nodiscard]] const char* bucket_problem(std::uint32_t bucket, Audit& audit) const;
    [[nodiscard]] const char* record_problem(std::uint32_t index, Audit& audit) const;
    [[nodiscard]] const char* free_lists_problem(Audit& audit) const;
    [[nodiscard]] static std::uint32_t chunks_of(const Entry& entry) noexcept;
    [[nodiscard]] const char* chain_problem(std::uint32_t index) const noexcept;
    void set_marks(std::uint32_t index, bool marked) noexcept;
    void clear_for_repair() noexcept;
    bool keep_in_repair(std::uint32_t index) noexcept;
    void sweep_chunks() noexcept;

    std::uint32_t number_;
    ShardHeader& header_;
    std::uint32_t* buckets_;
    Entry* entries_;
    Chunk* chunks_;
    const Geometry& geometry_;
    WriteObserver* observer_;
    bool damaged_ = false;
};

}  // namespace proconnect::session::shm
