#include "session/shm_shard.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace proconnect::session::shm {

namespace {

/// Four bytes of the id as a number; the shard and the bucket are taken from different ones.
std::uint32_t word_of(const LookupId& id, std::size_t offset) noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, id.data() + offset, sizeof(word));
    return word;
}

void keep_order() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

Shard::Shard(std::uint32_t number, ShardHeader& header, std::byte* area, const Geometry& geometry, WriteObserver* observer) noexcept
    : number_(number),
      header_(header),
      buckets_(reinterpret_cast<std::uint32_t*>(area)),
      entries_(reinterpret_cast<Entry*>(area + geometry.entries_offset())),
      chunks_(reinterpret_cast<Chunk*>(area + geometry.chunks_offset())),
      geometry_(geometry),
      observer_(observer) {}

std::uint32_t Shard::shard_of(const LookupId& id, const Geometry& geometry) noexcept {
    return word_of(id, 0) & (geometry.shards - 1);
}

std::uint32_t Shard::bucket_of(const LookupId& id, const Geometry& geometry) noexcept {
    return word_of(id, 4) & (geometry.buckets - 1);
}

std::uint32_t Shard::entries_begun() const noexcept {
    return std::min(header_.entries_begun, geometry_.entries);
}

std::uint32_t Shard::chunks_begun() const noexcept {
    return std::min(header_.chunks_begun, geometry_.chunks);
}

std::uint32_t Shard::follow_entry(std::uint32_t index) noexcept {
    if (index > entries_begun()) [[unlikely]] {
        damaged_ = true;
        return 0;
    }
    return index;
}

std::uint32_t Shard::follow_chunk(std::uint32_t index, std::uint32_t label) noexcept {
    if (index == 0 || index > chunks_begun() || chunks_[index].label != label) [[unlikely]] {
        damaged_ = true;
        return 0;
    }
    return index;
}

[[gnu::hot]] std::uint32_t Shard::locate(const LookupId& id) noexcept {
    std::uint32_t index = first_in_bucket(bucket_of(id, geometry_));
    for (std::uint32_t steps = entries_begun(); index != 0; --steps) {
        const Entry& candidate = entries_[index];
        if (candidate.id == id && (candidate.state == EntryState::live || candidate.state == EntryState::tombstone)) {
            return index;
        }
        if (steps == 0) {  // a chain longer than there are records goes in circles
            damaged_ = true;
            return 0;
        }
        index = follow_entry(candidate.next);
    }
    return 0;
}

void Shard::read(std::uint32_t index, std::size_t offset, std::span<std::uint8_t> out) noexcept {
    std::uint32_t sequence = 0;
    std::uint32_t next = entries_[index].first_chunk;
    while (!out.empty()) {
        const std::uint32_t chunk = follow_chunk(next, chunk_label(index, sequence++));
        if (chunk == 0) {
            return;
        }
        if (offset < Chunk::kBytes) {
            const std::size_t bytes = std::min(Chunk::kBytes - offset, out.size());
            std::memcpy(out.data(), chunks_[chunk].bytes.data() + offset, bytes);
            out = out.subspan(bytes);
            offset = 0;
        } else {
            offset -= Chunk::kBytes;
        }
        next = chunks_[chunk].next;
    }
}

bool Shard::has_free_entry() const noexcept {
    return header_.free_entry != 0 || header_.entries_begun < geometry_.entries;
}

bool Shard::has_room(const RoomWanted& wanted) const noexcept {
    return has_free_entry() && (wanted.kept != 0 || header_.live < header_.entry_limit) &&
           std::uint64_t{header_.chunks_in_use} + wanted.chunks <= geometry_.chunks;
}

bool Shard::make_room(const RoomWanted& wanted, core::UnixTime now) noexcept {
    if (header_.entry_limit == 0 || header_.entry_limit >= geometry_.entries) {
        damaged_ = true;
        return false;
    }
    if (has_room(wanted)) {
        return true;
    }
    reclaim_expired(now, wanted.kept, true);
    while (!damaged_ && !has_room(wanted)) {
        // A tombstone matters until the tables have been merged once more; no session goes for the sake of an old one.
        if (const std::uint32_t tombstone = has_free_entry() ? 0 : longest_idle(EntryState::tombstone, 0); tombstone != 0) {
            erase(tombstone);
            continue;
        }
        const std::uint32_t victim = longest_idle(EntryState::live, wanted.kept);
        if (victim == 0 || core::from_unix_seconds(entries_[victim].last_used) >= wanted.used_before) {
            return false;
        }
        erase(victim);
        ++header_.evicted;
    }
    return !damaged_;
}

std::uint32_t Shard::longest_idle(EntryState state, std::uint32_t kept) const noexcept {
    std::uint32_t found = 0;
    for (std::uint32_t index = 1; index <= entries_begun(); ++index) {
        const Entry& entry = entries_[index];
        if (entry.state == state && index != kept &&
            (found == 0 || std::tie(entry.last_used, entry.created) < std::tie(entries_[found].last_used, entries_[found].created))) {
            found = index;
        }
    }
    return found;
}

std::uint64_t Shard::reclaim_expired(core::UnixTime now, std::uint32_t kept, bool keep_tombstones) noexcept {
    std::uint64_t reclaimed = 0;
    for (std::uint32_t index = 1; index <= entries_begun() && !damaged_; ++index) {
        const EntryState state = entries_[index].state;
        if (index == kept || (state != EntryState::live && state != EntryState::tombstone)) {
            continue;
        }
        const bool expired = is_expired(head_of(entries_[index]), now);
        if (expired && state == EntryState::live) {
            ++reclaimed;
        }
        if (expired || (state == EntryState::tombstone && !keep_tombstones)) {
            erase(index);
        }
    }
    header_.expired += reclaimed;
    return reclaimed;
}

std::uint64_t Shard::remove_subject(const RealmTag& realm, const SubjectTag& subject, bool keep_tombstones) noexcept {
    std::uint64_t removed = 0;
    for (std::uint32_t index = 1; index <= entries_begun() && !damaged_; ++index) {
        const Entry& entry = entries_[index];
        if (entry.state != EntryState::live || entry.realm != realm || entry.subject != subject) {
            continue;
        }
        if (keep_tombstones) {
            bury(index);
        } else {
            erase(index);
        }
        ++removed;
    }
    header_.removed += removed;
    return removed;
}

void Shard::drop_tombstones() noexcept {
    for (std::uint32_t index = 1; index <= entries_begun() && !damaged_; ++index) {
        if (entries_[index].state == EntryState::tombstone) {
            erase(index);
        }
    }
}

bool Shard::passes(std::uint32_t index, std::uint32_t steps) noexcept {
    const EntryState state = entries_[index].state;
    if (steps > entries_begun() || (state != EntryState::live && state != EntryState::tombstone)) {
        damaged_ = true;
    }
    return !damaged_;
}

std::uint32_t Shard::take_entry() noexcept {
    if (header_.free_entry == 0) {
        if (header_.entries_begun >= geometry_.entries) {
            damaged_ = true;  // make_room() has counted them
            return 0;
        }
        return ++header_.entries_begun;
    }
    const std::uint32_t index = follow_entry(header_.free_entry);
    if (index == 0 || entries_[index].state != EntryState::free) {
        damaged_ = true;
        return 0;
    }
    header_.free_entry = entries_[index].next;
    return index;
}

std::uint32_t Shard::take_chunk(std::uint32_t label) noexcept {
    std::uint32_t index = 0;
    if (header_.free_chunk == 0) {
        if (header_.chunks_begun >= geometry_.chunks) {
            damaged_ = true;  // make_room() has counted them
            return 0;
        }
        index = ++header_.chunks_begun;
    } else {
        index = follow_chunk(header_.free_chunk, 0);
        if (index == 0) {
            return 0;
        }
        header_.free_chunk = chunks_[index].next;
    }
    ++header_.chunks_in_use;
    chunks_[index].next = 0;
    chunks_[index].label = label;
    keep_order();  // what carries no label contains nothing, so that a repair need not wipe all that is free
    return index;
}

void Shard::write_chain(std::uint32_t index, const RecordContent& content) noexcept {
    auto attributes = content.attributes;
    auto tokens = content.tokens;
    std::uint32_t* place = &entries_[index].first_chunk;
    for (std::uint32_t sequence = 0; !attributes.empty() || !tokens.empty(); ++sequence) {
        const std::uint32_t taken = take_chunk(chunk_label(index, sequence));
        if (taken == 0) {
            return;
        }
        step(WriteStep::chunk_taken);
        auto& bytes = chunks_[taken].bytes;
        const std::size_t first = std::min(attributes.size(), bytes.size());
        const std::size_t second = std::min(tokens.size(), bytes.size() - first);
        std::copy_n(attributes.begin(), first, bytes.begin());
        std::copy_n(tokens.begin(), second, bytes.begin() + static_cast<std::ptrdiff_t>(first));
        attributes = attributes.subspan(first);
        tokens = tokens.subspan(second);
        *place = taken;
        place = &chunks_[taken].next;
        step(WriteStep::chunk_written);
    }
}

std::uint32_t Shard::write(const RecordContent& content) noexcept {
    const std::uint32_t index = take_entry();
    if (index == 0) {
        return 0;
    }
    step(WriteStep::entry_taken);
    Entry& entry = entries_[index];
    set_state(entry, EntryState::writing);
    step(WriteStep::entry_marked);
    entry.id = content.id;
    set_head(entry, content.head);
    entry.attributes_bytes = static_cast<std::uint32_t>(content.attributes.size());
    entry.tokens_bytes = static_cast<std::uint32_t>(content.tokens.size());
    entry.first_chunk = 0;
    write_chain(index, content);
    if (damaged_) {
        return 0;
    }
    step(WriteStep::record_written);
    set_state(entry, EntryState::live);
    step(WriteStep::record_live);
    link(index);
    ++header_.live;
    step(WriteStep::record_linked);
    return index;
}

void Shard::link(std::uint32_t index) noexcept {
    std::uint32_t& head = buckets_[bucket_of(entries_[index].id, geometry_)];
    entries_[index].next = head;
    head = index;
}

void Shard::unlink(std::uint32_t index) noexcept {
    std::uint32_t* place = &buckets_[bucket_of(entries_[index].id, geometry_)];
    for (std::uint32_t steps = entries_begun(); *place != index; --steps) {
        const std::uint32_t passed = follow_entry(*place);
        if (passed == 0 || steps == 0) {
            damaged_ = true;
            return;
        }
        place = &entries_[passed].next;
    }
    *place = entries_[index].next;
}

void Shard::erase(std::uint32_t index) noexcept {
    Entry& entry = entries_[index];
    std::uint32_t& counter = entry.state == EntryState::live ? header_.live : header_.tombstones;
    step(WriteStep::removal_begun);
    set_state(entry, EntryState::writing);
    step(WriteStep::removal_marked);
    unlink(index);
    if (damaged_) {
        return;
    }
    step(WriteStep::record_unlinked);
    release_chain(index);
    if (damaged_) {
        return;
    }
    release_entry(index);
    --counter;
    step(WriteStep::entry_released);
}

void Shard::bury(std::uint32_t index) noexcept {
    // One store decides: a death before it leaves the session, one after it leaves the tombstone.
    step(WriteStep::removal_begun);
    set_state(entries_[index], EntryState::tombstone);
    step(WriteStep::removal_marked);
    release_chain(index);
    --header_.live;
    ++header_.tombstones;
}

void Shard::release_chain(std::uint32_t index) noexcept {
    Entry& entry = entries_[index];
    const std::uint32_t count = chunks_of(entry);
    const std::uint32_t first = entry.first_chunk;
    std::uint32_t last = 0;
    for (std::uint32_t sequence = 0; sequence < count; ++sequence) {
        const std::uint32_t next = sequence == 0 ? first : chunks_[last].next;
        last = follow_chunk(next, chunk_label(index, sequence));
        if (last == 0) {
            return;
        }
        release_chunk(last);
        step(WriteStep::chunk_released);
    }
    if (count != 0) {
        // As one piece and in its order: the next record then stands in neighbouring chunks, too.
        chunks_[last].next = header_.free_chunk;
        header_.free_chunk = first;
        header_.chunks_in_use -= count;
    }
    entry.first_chunk = 0;
    entry.attributes_bytes = 0;
    entry.tokens_bytes = 0;
}

void Shard::release_chunk(std::uint32_t chunk) noexcept {
    // Wiped, so that what somebody signed out of cannot be read with a cookie stolen later.
    chunks_[chunk].bytes.fill(0);
    keep_order();
    chunks_[chunk].label = 0;
}

void Shard::release_entry(std::uint32_t index) noexcept {
    Entry& entry = entries_[index];
    entry = Entry{};
    entry.next = header_.free_entry;
    header_.free_entry = index;
}

}  // namespace proconnect::session::shm
