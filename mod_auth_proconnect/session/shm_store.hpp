#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "session/session_store.hpp"
#include "session/shm_layout.hpp"
#include "session/shm_shard.hpp"

namespace proconnect::session {

/// A sealed record taken out of a table, to be written to a snapshot or into another table.
struct StoredRecord {
    LookupId id{};
    RecordHead head;
    bool tombstone = false;
    std::vector<std::uint8_t> attributes, tokens;
};

/// Where a walk through the table stands. It goes by buckets, in which a record stays for its whole life: whatever is there
/// during the whole walk is met exactly once, whatever else happens meanwhile.
struct RecordCursor {
    std::uint32_t shard = 0;
    std::uint32_t bucket = 0;
};

/// The sessions of all processes in one shared table. The object is a view of the caller's memory and holds nothing else, so each
/// process (and each generation of the module's code) makes its own over the same bytes.
///
/// The table is divided into shards, each with its own mutex; no operation but the walks touches more than one. A process killed in
/// the middle of a write leaves its shard locked and half written; the next one to come repairs it and loses at most that write.
class ShmStore final : public SessionStore {
public:
    static constexpr std::chrono::milliseconds kLockWait{5000};

    /// Memory to map for so many sessions of 2 KiB; the system need not provide it before it is used. 0 when there cannot be so many.
    [[nodiscard]] static std::size_t required_bytes(std::uint64_t capacity) noexcept;
    /// Makes a table in memory that is filled with zeroes and aligned to 8 bytes. Touches its headers only.
    static std::expected<ShmStore, core::Error> create(std::span<std::byte> zeroes, std::uint64_t capacity);
    /// Opens a table that another process or another generation of the code made. Refuses (PC4001) what has another version. Looks at its
    /// header only and takes no lock, so that a process with more rights than those that use the table may do it.
    static std::expected<ShmStore, core::Error> open(std::span<std::byte> memory);
    /// open(), then repairs each shard that does not pass validation.
    static std::expected<ShmStore, core::Error> attach(std::span<std::byte> memory);

    std::expected<void, core::Error> create(const LookupId& id, const RecordHead& head, std::span<const std::uint8_t> attributes,
                                            std::span<const std::uint8_t> tokens, core::UnixTime now) override;
    std::expected<std::optional<RecordHead>, core::Error> find(const LookupId& id, const RealmTag& realm, Part part, RecordBuffer& out,
                                                               core::UnixTime now, Touch touch) override;
    std::expected<std::optional<RecordHead>, core::Error> find_head(const LookupId& id, const RealmTag& realm, core::UnixTime now, Touch touch) override;
    std::expected<bool, core::Error> replace(const LookupId& id, const RecordHead& head, std::span<const std::uint8_t> attributes,
                                             std::span<const std::uint8_t> tokens, core::UnixTime now) override;
    std::expected<bool, core::Error> remove(const LookupId& id, const RealmTag& realm) override;
    std::expected<std::uint64_t, core::Error> remove_subject(const RealmTag& realm, const SubjectTag& subject) override;
    std::expected<std::uint64_t, core::Error> sweep(core::UnixTime now) override;
    std::expected<StoreStatistics, core::Error> statistics() override;

    [[nodiscard]] std::uint64_t capacity() const noexcept;
    /// Another capacity within the same memory; too many records go as new ones come. @return false when the memory is too small for it:
    /// then a larger table must take over.
    std::expected<bool, core::Error> set_capacity(std::uint64_t capacity);
    /// Checks every shard under its lock. @return the first problem
    std::expected<std::optional<std::string>, core::Error> validate();

    /// Live sessions that had to go since this was last asked, in whichever process: each is told once.
    std::expected<std::uint64_t, core::Error> take_evictions();
    /// The same of sessions that expired.
    std::expected<std::uint64_t, core::Error> take_expiries();

    // A larger table takes over from one that the older children of the server still use until they are done:
    //   larger.copy_from(old), once, before new children start; in each new child larger.set_predecessor(&old);
    //   larger.merge_from(old) every few seconds until the last old child is gone; then larger.finish_takeover().

    /// Brings all sessions over. From here on both tables keep a tombstone for each removed session, so that neither brings it back, and
    /// the old one replaces no record: the same serial written twice would use a nonce twice.
    std::expected<void, core::Error> copy_from(ShmStore& old, core::UnixTime now);
    /// Brings over what was created, used or removed in the old table since, and removes there what was removed here.
    std::expected<void, core::Error> merge_from(ShmStore& old, core::UnixTime now);
    /// Lets this process look for a session unknown here in the old table before it is called unknown; not owned.
    void set_predecessor(ShmStore* old) noexcept { predecessor_ = old; }
    std::expected<void, core::Error> finish_takeover();
    /// copy_from() was called and finish_takeover() not yet, perhaps by an earlier generation of the code.
    [[nodiscard]] bool is_taking_over() const noexcept;

    /// The next records, up to about 64, locked together. @return false at the end
    std::expected<bool, core::Error> next_records(RecordCursor& cursor, std::vector<StoredRecord>& records, bool with_parts);
    /// Brings a record in as it is, unless it is expired, known already, or used longer ago than all there is no more room for.
    /// @return whether it is in
    std::expected<bool, core::Error> import_record(const StoredRecord& record, core::UnixTime now);

    void set_lock_wait(std::chrono::milliseconds wait) noexcept { lock_wait_ = wait; }
    void set_write_observer(shm::WriteObserver* observer) noexcept { observer_ = observer; }

private:
    ShmStore(std::byte* base, const shm::Geometry& geometry) noexcept : base_(base), geometry_(geometry) {}

    [[nodiscard]] shm::TableHeader& header() const noexcept { return *reinterpret_cast<shm::TableHeader*>(base_); }
    [[nodiscard]] shm::ShardHeader& shard_header(std::uint32_t number) const noexcept {
        return reinterpret_cast<shm::ShardHeader*>(base_ + sizeof(shm::TableHeader))[number];
    }
    [[nodiscard]] std::uint32_t shard_of(const LookupId& id) const noexcept { return shm::Shard::shard_of(id, geometry_); }
    [[nodiscard]] bool is_superseded() const noexcept;
    [[nodiscard]] bool keeps_tombstones() const noexcept;

    enum class Presence { unknown, live, removed };
    std::expected<bool, core::Error> remove_here(const LookupId& id, const RealmTag* realm);
    std::expected<Presence, core::Error> presence(const LookupId& id);
    std::expected<std::optional<StoredRecord>, core::Error> copy_of(const LookupId& id);
    std::expected<bool, core::Error> bring(ShmStore& old, const LookupId& id, core::UnixTime now);
    std::expected<void, core::Error> merge_record(ShmStore& old, const StoredRecord& record, core::UnixTime now);

    /// @param take  takes what it needs of the live record, given the shard and the index; false when there is no memory
    template <typename Take>
    std::expected<std::optional<RecordHead>, core::Error> look_up(const LookupId& id, const RealmTag& realm, core::UnixTime now, Touch touch, Take&& take);

    /// Runs `operation(Shard&)`, which returns a std::expected, under the shard's lock, after a repair where one is due. An operation that
    /// meets damage is run once more after the repair.
    template <typename Operation>
    auto with_shard(std::uint32_t number, Operation&& operation) -> std::invoke_result_t<Operation&, shm::Shard&>;
    static core::Error lock_error(std::uint32_t number);
    static core::Error damage_error(std::uint32_t number);

    std::byte* base_;
    shm::Geometry geometry_;  ///< a copy: what the table's header says later is not believed
    std::chrono::milliseconds lock_wait_ = kLockWait;
    shm::WriteObserver* observer_ = nullptr;
    ShmStore* predecessor_ = nullptr;
};

template <typename Operation>
[[gnu::hot]] auto ShmStore::with_shard(std::uint32_t number, Operation&& operation) -> std::invoke_result_t<Operation&, shm::Shard&> {
    shm::ShardHeader& header = shard_header(number);
    const core::RobustGuard guard{header.mutex, lock_wait_};
    if (!guard.is_held()) [[unlikely]] {
        return std::unexpected(lock_error(number));
    }
    shm::Shard shard{number, header, base_ + geometry_.areas_offset() + number * geometry_.area_bytes(), geometry_, observer_};
    if (guard.result() == core::LockResult::locked_after_death) [[unlikely]] {
        shard.repair();
    }
    auto result = operation(shard);
    if (shard.damaged()) [[unlikely]] {
        shard.repair();
        result = operation(shard);
    }
    if (shard.damaged()) [[unlikely]] {
        shard.repair();
        return std::unexpected(damage_error(number));
    }
    return result;
}

}  // namespace proconnect::session
