#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "session/session.hpp"

namespace proconnect::session {

/// A session that was opened and stays open as long as its connection: further requests look for the record, but need not unseal it again. Nothing
/// else is taken on trust: each of them shows the very same cookie, and the store must have the very same record, alive, at that moment.
///
/// Holds in clear what the seal protects, for one connection of one process. Its copies are wiped on destruction. Not thread-safe: a connection has one request at a time.
class RememberedSession {
public:
    /// @param opened  what open_session() gave for the attributes; copied
    /// @return nothing when it is no attribute block, or SHA-256 fails
    [[nodiscard]] static std::shared_ptr<RememberedSession> make(const SessionHandle& handle, const OpenedPart& opened);
    ~RememberedSession();
    RememberedSession(const RememberedSession&) = delete;
    RememberedSession& operator=(const RememberedSession&) = delete;

    /// Whether it was opened with the handle of this very cookie, for this realm. Takes the same time for all cookies of a length.
    [[nodiscard]] bool is_of(std::string_view cookie, const RealmTag& realm) const noexcept;

    /// The record's head, as find_head() has it now; nothing when the record is gone, or no longer what was opened.
    [[nodiscard]] std::expected<std::optional<RecordHead>, core::Error> look(SessionStore& store, core::UnixTime now, Touch touch) const;

    [[nodiscard]] const AttributeBlock& attributes() const noexcept { return attributes_; }
    /// PROCONNECT_CLAIMS, NUL-terminated.
    [[nodiscard]] const char* claims_json() const noexcept { return claims_json_.data(); }

    /// What was found out about this session and cannot change with anything else: tests by number, 1 and above, that it has passed. The last few are kept.
    [[nodiscard]] bool has_passed(std::uint64_t test) const noexcept;
    void note_passed(std::uint64_t test) noexcept;

private:
    RememberedSession(const SessionHandle& handle, const LookupId& id, const OpenedPart& opened);

    core::Secret cookie_;
    LookupId id_;
    RecordHead head_;
    std::vector<std::uint8_t> block_;
    AttributeBlock attributes_;
    std::vector<char> claims_json_;
    std::array<std::uint64_t, 16> passed_{};
    std::size_t next_passed_ = 0;
};

}  // namespace proconnect::session
