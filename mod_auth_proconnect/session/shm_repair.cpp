#include <algorithm>
#include <cstdint>
#include <vector>

#include "session/shm_shard.hpp"

// Bringing a shard into order after a death inside a write, and checking that it is in order. The truth is the state of each
// entry together with the labels of its chunks; bucket chains, free lists and counters are derived from that and made anew.

namespace proconnect::session::shm {

std::uint32_t Shard::chunks_of(const Entry& entry) noexcept {
    return chunks_for(std::size_t{entry.attributes_bytes} + entry.tokens_bytes);
}

const char* Shard::chain_problem(std::uint32_t index) const noexcept {
    const Entry& entry = entries_[index];
    if (entry.attributes_bytes > SessionStore::kMaxPartBytes || entry.tokens_bytes > SessionStore::kMaxPartBytes) {
        return "impossible length";
    }
    const std::uint32_t count = chunks_of(entry);
    std::uint32_t chunk = entry.first_chunk;
    for (std::uint32_t sequence = 0; sequence < count; ++sequence) {
        if (chunk == 0 || chunk > chunks_begun()) {
            return "chain of chunks leads out of the table";
        }
        // A chunk that some record was found to use already carries the mark and does not compare equal.
        if (chunks_[chunk].label != chunk_label(index, sequence)) {
            return "chain of chunks leads into another record";
        }
        chunk = chunks_[chunk].next;
    }
    return chunk == 0 ? nullptr : "chain of chunks too long";
}

void Shard::set_marks(std::uint32_t index, bool marked) noexcept {
    const Entry& entry = entries_[index];
    const std::uint32_t count = chunks_of(entry);
    std::uint32_t chunk = entry.first_chunk;
    for (std::uint32_t sequence = 0; sequence < count; ++sequence) {
        chunks_[chunk].label = chunk_label(index, sequence) | (marked ? Chunk::kMark : 0);
        chunk = chunks_[chunk].next;
    }
}

void Shard::clear_for_repair() noexcept {
    header_.entries_begun = entries_begun();
    header_.chunks_begun = chunks_begun();
    if (header_.entry_limit == 0 || header_.entry_limit >= geometry_.entries) {
        header_.entry_limit = geometry_.entries - 1;
    }
    header_.free_entry = header_.free_chunk = 0;
    header_.live = header_.tombstones = header_.chunks_in_use = 0;
    std::fill_n(buckets_, geometry_.buckets, 0U);
    for (std::uint32_t chunk = 1; chunk <= chunks_begun(); ++chunk) {
        chunks_[chunk].label &= ~Chunk::kMark;  // of a repair that was itself interrupted
    }
}

bool Shard::keep_in_repair(std::uint32_t index) noexcept {
    Entry& entry = entries_[index];
    const bool live = entry.state == EntryState::live;
    if ((!live && entry.state != EntryState::tombstone) || shard_of(entry.id, geometry_) != number_ ||
        (live && chain_problem(index) != nullptr)) {
        return false;
    }
    // Twice the same id: a death in a replacement, after the new version was complete and before the old one was removed.
    if (const std::uint32_t other = locate(entry.id); other != 0) {
        const bool other_wins = entries_[other].state == EntryState::tombstone || (live && writings_of(entries_[other].serial) >= writings_of(entry.serial));
        if (other_wins) {
            return false;
        }
        set_state(entries_[other], EntryState::writing);
        set_marks(other, false);
        unlink(other);
        release_entry(other);
        --header_.live;
    }
    if (live) {
        set_marks(index, true);
    } else {
        entry.first_chunk = entry.attributes_bytes = entry.tokens_bytes = 0;
    }
    link(index);
    ++(live ? header_.live : header_.tombstones);
    return true;
}

void Shard::sweep_chunks() noexcept {
    for (std::uint32_t chunk = chunks_begun(); chunk != 0; --chunk) {
        Chunk& swept = chunks_[chunk];
        if ((swept.label & Chunk::kMark) != 0) {
            swept.label &= ~Chunk::kMark;
            ++header_.chunks_in_use;
            continue;
        }
        if (swept.label != 0) {
            release_chunk(chunk);
        }
        swept.next = header_.free_chunk;
        header_.free_chunk = chunk;
    }
}

void Shard::repair() noexcept {
    damaged_ = false;
    clear_for_repair();
    step(WriteStep::buckets_cleared);
    for (std::uint32_t index = entries_begun(); index != 0; --index) {
        if (!keep_in_repair(index)) {
            release_entry(index);
        }
        step(WriteStep::record_kept);
    }
    sweep_chunks();
    step(WriteStep::chunks_swept);
    ++header_.repaired;
}

namespace {

/// Each entry or chunk is in exactly one place; this remembers which were met.
class Census {
public:
    explicit Census(std::uint32_t count) : met_(std::size_t{count} + 1, false) {}

    /// @return false when it was met before, or cannot exist
    bool meet(std::uint32_t index) {
        if (index == 0 || index >= met_.size() || met_[index]) {
            return false;
        }
        met_[index] = true;
        ++count_;
        return true;
    }
    [[nodiscard]] bool met_all() const { return count_ + 1 == met_.size(); }

private:
    std::vector<bool> met_;
    std::size_t count_ = 0;
};

}  // namespace

struct Shard::Audit {
    Census entries;
    Census chunks;
    std::uint32_t live = 0;
    std::uint32_t tombstones = 0;
    std::uint32_t chunks_in_use = 0;
};

const char* Shard::find_problem() const {
    if (header_.entries_begun > geometry_.entries || header_.chunks_begun > geometry_.chunks || header_.entry_limit == 0 ||
        header_.entry_limit >= geometry_.entries) {
        return "counters beyond the shard's size";
    }
    Audit audit{.entries = Census{header_.entries_begun}, .chunks = Census{header_.chunks_begun}};
    for (std::uint32_t bucket = 0; bucket < geometry_.buckets; ++bucket) {
        if (const char* problem = bucket_problem(bucket, audit); problem != nullptr) {
            return problem;
        }
    }
    if (const char* problem = free_lists_problem(audit); problem != nullptr) {
        return problem;
    }
    if (!audit.entries.met_all() || !audit.chunks.met_all()) {
        return "entries or chunks lost";
    }
    if (audit.live != header_.live || audit.tombstones != header_.tombstones || audit.chunks_in_use != header_.chunks_in_use) {
        return "counters wrong";
    }
    return nullptr;
}

const char* Shard::bucket_problem(std::uint32_t bucket, Audit& audit) const {
    for (std::uint32_t index = buckets_[bucket]; index != 0; index = entries_[index].next) {
        if (!audit.entries.meet(index)) {
            return "bucket chain leads astray";
        }
        if (shard_of(entries_[index].id, geometry_) != number_ || bucket_of(entries_[index].id, geometry_) != bucket) {
            return "record in a wrong bucket";
        }
        if (const char* problem = record_problem(index, audit); problem != nullptr) {
            return problem;
        }
    }
    return nullptr;
}

const char* Shard::record_problem(std::uint32_t index, Audit& audit) const {
    const Entry& entry = entries_[index];
    if (entry.state == EntryState::tombstone) {
        ++audit.tombstones;
        return chunks_of(entry) == 0 && entry.first_chunk == 0 ? nullptr : "tombstone with content";
    }
    if (entry.state != EntryState::live) {
        return "record neither live nor free";
    }
    if (const char* problem = chain_problem(index); problem != nullptr) {
        return problem;
    }
    ++audit.live;
    audit.chunks_in_use += chunks_of(entry);
    for (std::uint32_t chunk = entry.first_chunk; chunk != 0; chunk = chunks_[chunk].next) {
        if (!audit.chunks.meet(chunk)) {
            return "chunk used twice";
        }
    }
    return nullptr;
}

const char* Shard::free_lists_problem(Audit& audit) const {
    for (std::uint32_t index = header_.free_entry; index != 0; index = entries_[index].next) {
        if (!audit.entries.meet(index) || entries_[index].state != EntryState::free) {
            return "list of free entries leads astray";
        }
    }
    for (std::uint32_t chunk = header_.free_chunk; chunk != 0; chunk = chunks_[chunk].next) {
        if (!audit.chunks.meet(chunk) || chunks_[chunk].label != 0) {
            return "list of free chunks leads astray";
        }
    }
    return nullptr;
}

}  // namespace proconnect::session::shm
