#pragma once
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

namespace proconnect::oidc {

/// What all processes know together about one issuer: the last good discovery document and JWKS, how old they are, and
/// how the latest attempts to fetch them went. The object is a view on shared memory that the caller maps before the fork and keeps
/// through a graceful restart; the memory holds no pointer, so that newly loaded code can go on with it. Thread-safe and process-safe.
class ProviderBoard {
public:
    static constexpr std::size_t kMaxDiscoveryBytes = 64 * 1024;
    static constexpr std::size_t kMaxJwksBytes = 128 * 1024;
    static constexpr std::size_t kMaxIssuerBytes = 1024;

    static constexpr std::chrono::seconds kFirstBackOff{1};
    static constexpr std::chrono::seconds kMaxBackOff{15};  ///< so that a recovery is noticed within half a minute
    static constexpr std::chrono::seconds kUnknownKeyInterval{60};

    [[nodiscard]] static std::size_t bytes_needed() noexcept;
    /// Lays an empty board out in zeroed, 8-byte aligned memory that no other process uses yet.
    /// @return nothing when the memory is too small or the issuer is empty or too long
    [[nodiscard]] static std::optional<ProviderBoard> create(std::span<std::byte> memory, std::string_view issuer) noexcept;
    /// Memory laid out earlier, perhaps by other code. Nothing when it is another version's layout or another issuer's board:
    /// take new memory then, since processes of the old generation may still use this one.
    [[nodiscard]] static std::optional<ProviderBoard> attach(std::span<std::byte> memory, std::string_view issuer) noexcept;

    struct Copy {
        std::uint64_t generation = 0;  ///< never 0
        std::string discovery;
        std::string jwks;
    };
    /// One fetched and checked text, and for how long it may be used without asking again.
    struct Part {
        std::string_view text;
        core::UnixTime fetched;
        std::chrono::seconds lifetime;
    };
    struct Status {
        std::uint64_t generation = 0;         ///< 0 = there has never been a good copy
        core::UnixTime discovery_fetched{};
        core::UnixTime jwks_fetched{};
        std::chrono::seconds discovery_lifetime{0};
        std::chrono::seconds jwks_lifetime{0};
        std::uint32_t failures = 0;           ///< in a row, of attempts to refresh
        core::ErrorCode last_error{};         ///< of the latest failure; meaningful while failures > 0
        core::UnixTime failing_since{};       ///< the first failure of the row
        core::UnixTime next_attempt{};        ///< not before, while failures > 0
        core::UnixTime unknown_key_fetch{};   ///< when a token last made us fetch the keys
        std::chrono::seconds clock_ahead{0};  ///< the provider's clock minus ours at the latest answer
    };

    /// Changes whenever a text does; 0 before the first. One atomic load.
    [[nodiscard]] std::uint64_t generation() const noexcept;
    /// Nothing when there is no good copy, or the lock cannot be had within its short limit.
    [[nodiscard]] std::optional<Copy> read() const;
    [[nodiscard]] std::optional<Status> status() const noexcept;

    /// Replaces what is given and keeps the other text; the first time both must be given. Readers and a death in the middle
    /// see the old pair or the new one, never a mixture. Texts that are the same as before only become fresh again.
    std::expected<void, core::Error> publish(const std::optional<Part>& discovery, const std::optional<Part>& jwks);

    void record_success() noexcept;
    /// Sets the next attempt: 1 s after the start of the failed one, doubled at each further failure up to 15 s, and never
    /// less than 1 s after its end.
    void record_failure(core::ErrorCode code, core::UnixTime started, core::UnixTime ended) noexcept;
    void record_clock(std::chrono::seconds ahead) noexcept;
    /// Whether a token with an unknown key may cause a fetch now; true once a minute for all processes together.
    [[nodiscard]] bool claim_unknown_key_fetch(core::UnixTime now) noexcept;

    /// The right to fetch: one thread of one process has it at a time, and its death gives it back. Zero waits not at all.
    [[nodiscard]] core::RobustGuard begin_fetch(std::chrono::milliseconds max_wait) const noexcept;

private:
    struct Layout;
    explicit ProviderBoard(Layout* layout) noexcept : layout_(layout) {}
    Layout* layout_;
};

}  // namespace proconnect::oidc
