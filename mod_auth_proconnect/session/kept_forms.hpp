#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/robust_mutex.hpp"
#include "core/secret.hpp"
#include "session/login_ticket.hpp"

namespace proconnect::session {

/// A form that was sent when its session had expired: what is needed to hand it to the application later.
struct KeptForm {
    std::string site;           ///< scheme, host and port of the site it was sent to: a login cookie goes to all ports of a host
    std::string address;        ///< path and query there
    std::string content_type;
    std::string subject;        ///< whose it is: LoginMark::subject of the browser that sent it
    core::Secret body;
};

using FormId = std::array<std::uint8_t, 16>;
using BrowserTag = std::array<std::uint8_t, 16>;   ///< of the binding's fingerprint

/// Sealed under a key that only the browser has: derived from its binding, for this form alone.
std::expected<std::string, core::Error> seal_form(const KeptForm& form, const BrowserBinding& binding, const FormId& id);
/// PC4004 for anything that is not this browser's form of that id.
std::expected<KeptForm, core::Error> open_form(std::string_view box, const BrowserBinding& binding, const FormId& id);
/// What the confirmation must bear: proof that it was made for this browser's page. 22 characters.
std::expected<std::string, core::Error> form_token(const BrowserBinding& binding, const FormId& id);
std::expected<BrowserTag, core::Error> browser_tag(const BrowserBinding& binding);

/// Sealed forms in shared memory of their own, so that they never push a session out. A browser keeps kPerBrowser of them in an eighth of the memory, or
/// one form that is larger; beyond that its own oldest goes. The oldest of all goes when the memory has no gap for a new one, or the table is full. A form
/// that goes is wiped. The object is a view; the memory is the caller's and may outlive the code.
class KeptForms {
public:
    static constexpr std::size_t kMaxForms = 512;
    static constexpr std::size_t kPerBrowser = 4;
    static constexpr std::chrono::minutes kLifetime{30};

    [[nodiscard]] static std::size_t bytes_needed(std::size_t arena_bytes) noexcept;
    /// Zeroed, 8-byte aligned memory that nobody uses yet. Nothing when it is too small.
    [[nodiscard]] static std::optional<KeptForms> create(std::span<std::byte> memory, std::size_t arena_bytes) noexcept;
    /// Memory laid out earlier; nothing when it is of another version or size.
    [[nodiscard]] static std::optional<KeptForms> attach(std::span<std::byte> memory, std::size_t arena_bytes) noexcept;

    /// @return false when it is too large for the memory, or the lock cannot be had
    [[nodiscard]] bool keep(const FormId& id, const BrowserTag& browser, std::string_view box, core::UnixTime now) noexcept;
    enum class Take : bool { no, yes };
    /// A copy of the box; with Take::yes nobody gets it again. Nothing when it is gone, expired or another browser's.
    [[nodiscard]] std::optional<std::string> find(const FormId& id, const BrowserTag& browser, core::UnixTime now, Take take);

private:
    struct Layout;
    struct Slot;
    explicit KeptForms(Layout* layout) noexcept : layout_(layout) {}
    struct Place {
        Slot* slot;
        std::uint64_t offset;
    };
    [[nodiscard]] bool is_sound(const Slot& slot) const noexcept;
    void forget(Slot& slot) noexcept;
    void enter(const core::RobustGuard& guard, core::UnixTime now) noexcept;
    void hold_to_share(const BrowserTag& browser, std::size_t coming) noexcept;
    [[nodiscard]] Place make_room(std::size_t size) noexcept;
    Layout* layout_;
};

}  // namespace proconnect::session
