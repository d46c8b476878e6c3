#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace proconnect::session {

/// SHA-256 of the random id in the browser's cookie: the index of a record. The store never sees the id or the key.
using LookupId = std::array<std::uint8_t, 32>;
/// Which client's sessions: truncated SHA-256 of issuer and client_id. A session of one is never found by the other.
using RealmTag = std::array<std::uint8_t, 16>;
/// Keyed hash of `sub`, so that an administrator can end a person's sessions and a dump names nobody.
using SubjectTag = std::array<std::uint8_t, 16>;

/// What stands outside the seal. All of it but `last_used` is authenticated by the record's associated data.
struct RecordHead {
    RealmTag realm{};
    SubjectTag subject{};
    core::UnixTime created{};
    core::UnixTime expires{};             ///< absolute; never moved by use
    core::UnixTime last_used{};           ///< moved by touch
    std::chrono::seconds idle{0};         ///< 0 = no idle time-out
    std::uint64_t serial = 0;             ///< of this writing, see writings_of(); part of each seal's nonce, so it never repeats
};

/// A serial counts the writings of a record in its lower 24 bits. The 39 above them are random: a crash takes a record back to an earlier writing,
/// and the next one then must not have the serial, and with it the nonce, of the one that is lost here but perhaps not to somebody else.
inline constexpr std::uint64_t kMaxWritings = (std::uint64_t{1} << 24) - 1;
[[nodiscard]] constexpr std::uint64_t writings_of(std::uint64_t serial) noexcept {
    return serial & kMaxWritings;
}

/// Both time-outs, robust against clock jumps: a record created more than five minutes in the future is expired (the clock went back:
/// nothing becomes immortal), and a `last_used` in the future counts as now.
[[nodiscard]] bool is_expired(const RecordHead& head, core::UnixTime now) noexcept;

/// A record is sealed in two parts, so that a request opens only what it needs.
enum class Part : std::uint8_t {
    attributes,  ///< what every request needs: the name/value block
    tokens,      ///< what logout and refresh need: id_token, access and refresh token
};

/// Where a found part is copied to; the caller's memory (a request pool, a vector), asked for once the size is known.
class RecordBuffer {
public:
    virtual ~RecordBuffer() = default;
    /// @return exactly `size` bytes, or an empty span when there is no memory
    virtual std::span<std::uint8_t> reserve(std::size_t size) noexcept = 0;
};

enum class Touch : bool { no, yes };

struct StoreStatistics {
    std::uint64_t capacity = 0, live = 0;
    std::uint64_t bytes_in_use = 0;
    std::uint64_t created = 0, expired = 0, evicted = 0, removed = 0, repaired = 0;
};

/// Sealed records by lookup id. Thread-safe and process-safe. An unknown id is a value; only a store that does not work is an error
/// (PC4001), so that nobody is sent to log in again because a server is down.
class SessionStore {
public:
    static constexpr std::size_t kMaxPartBytes = 60 * 1024;

    virtual ~SessionStore() = default;

    /// Writes a new record. An existing id is refused (PC9001: ids are random). A part beyond kMaxPartBytes is PC4002.
    virtual std::expected<void, core::Error> create(const LookupId& id, const RecordHead& head, std::span<const std::uint8_t> attributes,
                                                    std::span<const std::uint8_t> tokens, core::UnixTime now) = 0;

    /// Copies one part of a live record of this realm. Nothing when unknown, of another realm, or expired (which removes it).
    virtual std::expected<std::optional<RecordHead>, core::Error> find(const LookupId& id, const RealmTag& realm, Part part, RecordBuffer& out,
                                                                       core::UnixTime now, Touch touch) = 0;

    /// As find(), of the head alone: for whoever has opened this record already.
    virtual std::expected<std::optional<RecordHead>, core::Error> find_head(const LookupId& id, const RealmTag& realm, core::UnixTime now, Touch touch) = 0;

    /// Replaces both parts when the record was written once less than `head.serial` says (compare and swap); false when it was not or is gone.
    virtual std::expected<bool, core::Error> replace(const LookupId& id, const RecordHead& head, std::span<const std::uint8_t> attributes,
                                                     std::span<const std::uint8_t> tokens, core::UnixTime now) = 0;

    /// @return whether there was one
    virtual std::expected<bool, core::Error> remove(const LookupId& id, const RealmTag& realm) = 0;
    virtual std::expected<std::uint64_t, core::Error> remove_subject(const RealmTag& realm, const SubjectTag& subject) = 0;

    /// Reclaims expired records; cheap enough for a timer. @return how many
    virtual std::expected<std::uint64_t, core::Error> sweep(core::UnixTime now) = 0;
    virtual std::expected<StoreStatistics, core::Error> statistics() = 0;
};

}  // namespace proconnect::session
