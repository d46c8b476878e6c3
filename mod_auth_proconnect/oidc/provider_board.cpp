#include "oidc/provider_board.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <type_traits>

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using core::RobustGuard;
using core::to_unix_seconds;

// The lock is held for one copy of some ten KiB; longer means that its holder is stopped, and nobody waits for that.
constexpr std::chrono::milliseconds kLockWait{2000};
constexpr std::uint64_t kLayoutVersion = 1;

/// One text with its length. The length is not trusted when read.
template <std::size_t kCapacity>
struct Text {
    std::uint64_t size;
    char bytes[kCapacity];

    [[nodiscard]] bool is_sane() const noexcept { return size <= kCapacity; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes, is_sane() ? size : 0}; }
    void assign(std::string_view text) noexcept {
        std::memcpy(bytes, text.data(), text.size());
        size = text.size();
    }
};

struct TextPair {
    Text<ProviderBoard::kMaxDiscoveryBytes> discovery;
    Text<ProviderBoard::kMaxJwksBytes> jwks;
};

/// Each member is of use by itself, so that a death between two stores needs no repair. Unix seconds and seconds.
struct Numbers {
    std::int64_t discovery_fetched;
    std::int64_t discovery_lifetime;
    std::int64_t jwks_fetched;
    std::int64_t jwks_lifetime;
    std::uint64_t failures;
    std::uint64_t last_error;
    std::int64_t failing_since;
    std::int64_t next_attempt;
    std::int64_t unknown_key_fetch;
    std::int64_t clock_ahead;
};

// What is read back from shared memory is brought into range first, so that arithmetic on it cannot overflow.
constexpr std::int64_t kYear9999 = 253'402'300'799;

core::UnixTime time_from(std::int64_t stored) noexcept {
    return core::from_unix_seconds(std::clamp<std::int64_t>(stored, 0, kYear9999));
}

std::chrono::seconds duration_from(std::int64_t stored) noexcept {
    return std::chrono::seconds{std::clamp<std::int64_t>(stored, -kYear9999, kYear9999)};
}

ErrorCode code_from(std::uint64_t stored) noexcept {
    const auto known = std::ranges::find(core::catalogue(), stored, [](const auto& entry) { return static_cast<std::uint64_t>(entry.code); });
    return known == core::catalogue().end() ? ErrorCode::internal_error : known->code;
}

}  // namespace

/// The shared memory. `generation` is the commit point of the texts: pair `generation % 2` is the good one, the other is where
/// the next is written. A writer killed in the middle leaves `generation`, and with it the good pair, as it was.
struct ProviderBoard::Layout {
    std::uint64_t stamp;  ///< written last by create()
    Text<kMaxIssuerBytes> issuer;
    mutable core::RobustMutex state_lock;  ///< guards numbers, and both pairs for reading and writing
    mutable core::RobustMutex fetch_lock;  ///< guards nothing here: whoever holds it talks to the provider
    std::uint64_t generation;  ///< written under state_lock, read without
    Numbers numbers;
    TextPair pairs[2];

    static constexpr std::uint64_t expected_stamp() noexcept {
        return (0x5043'424Full << 32) ^ (kLayoutVersion << 24) ^ sizeof(Layout);
    }
    [[nodiscard]] const TextPair& good_pair() const noexcept { return pairs[generation % 2]; }
};

std::size_t ProviderBoard::bytes_needed() noexcept {
    static_assert(std::is_trivial_v<Layout> && std::is_standard_layout_v<Layout> && alignof(Layout) <= 8);
    static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free, "a lock in one process would not hold the others");
    return sizeof(Layout);
}

std::optional<ProviderBoard> ProviderBoard::create(std::span<std::byte> memory, std::string_view issuer) noexcept {
    if (memory.size() < bytes_needed() || issuer.empty() || issuer.size() > kMaxIssuerBytes) {
        return std::nullopt;
    }
    // Default-initialised: the zeros stay, and the pages of the texts are not touched before they are used.
    auto* layout = std::launder(reinterpret_cast<Layout*>(memory.data()));
    layout->issuer.assign(issuer);
    if (!layout->state_lock.initialize() || !layout->fetch_lock.initialize()) {
        return std::nullopt;
    }
    layout->stamp = Layout::expected_stamp();
    return ProviderBoard{layout};
}

std::optional<ProviderBoard> ProviderBoard::attach(std::span<std::byte> memory, std::string_view issuer) noexcept {
    if (memory.size() < bytes_needed()) {
        return std::nullopt;
    }
    auto* layout = std::launder(reinterpret_cast<Layout*>(memory.data()));
    if (layout->stamp != Layout::expected_stamp() || issuer.empty() || layout->issuer.view() != issuer) {
        return std::nullopt;
    }
    return ProviderBoard{layout};
}

std::uint64_t ProviderBoard::generation() const noexcept {
    return std::atomic_ref(layout_->generation).load(std::memory_order_acquire);
}

std::optional<ProviderBoard::Copy> ProviderBoard::read() const {
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (!guard.is_held() || layout_->generation == 0) {
        return std::nullopt;
    }
    const TextPair& good = layout_->good_pair();
    if (!good.discovery.is_sane() || !good.jwks.is_sane()) {
        return std::nullopt;
    }
    return Copy{.generation = layout_->generation, .discovery = std::string(good.discovery.view()), .jwks = std::string(good.jwks.view())};
}

std::optional<ProviderBoard::Status> ProviderBoard::status() const noexcept {
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (!guard.is_held()) {
        return std::nullopt;
    }
    const Numbers& numbers = layout_->numbers;
    return Status{.generation = layout_->generation,
                  .discovery_fetched = time_from(numbers.discovery_fetched),
                  .jwks_fetched = time_from(numbers.jwks_fetched),
                  .discovery_lifetime = duration_from(numbers.discovery_lifetime),
                  .jwks_lifetime = duration_from(numbers.jwks_lifetime),
                  .failures = static_cast<std::uint32_t>(std::min<std::uint64_t>(numbers.failures, UINT32_MAX)),
                  .last_error = code_from(numbers.last_error),
                  .failing_since = time_from(numbers.failing_since),
                  .next_attempt = time_from(numbers.next_attempt),
                  .unknown_key_fetch = time_from(numbers.unknown_key_fetch),
                  .clock_ahead = duration_from(numbers.clock_ahead)};
}

std::expected<void, Error> ProviderBoard::publish(const std::optional<Part>& discovery, const std::optional<Part>& jwks) {
    if ((discovery && discovery->text.size() > kMaxDiscoveryBytes) || (jwks && jwks->text.size() > kMaxJwksBytes)) {
        return std::unexpected(Error{ErrorCode::provider_body_too_large, "the provider's metadata or keys do not fit into the shared memory"});
    }
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (!guard.is_held()) {
        return std::unexpected(Error{ErrorCode::internal_error, "the lock of the provider's shared memory is stuck"});
    }
    const std::uint64_t generation = layout_->generation;
    if (generation == 0 && (!discovery || !jwks)) {
        return std::unexpected(Error{ErrorCode::internal_error, "the first copy of the provider must have both parts"});
    }
    const TextPair& good = layout_->good_pair();
    const std::string_view new_discovery = discovery ? discovery->text : good.discovery.view();
    const std::string_view new_jwks = jwks ? jwks->text : good.jwks.view();
    if (generation == 0 || new_discovery != good.discovery.view() || new_jwks != good.jwks.view()) {
        TextPair& next = layout_->pairs[(generation + 1) % 2];
        next.discovery.assign(new_discovery);
        next.jwks.assign(new_jwks);
        std::atomic_ref(layout_->generation).store(generation + 1, std::memory_order_release);
    }
    if (discovery) {
        layout_->numbers.discovery_fetched = to_unix_seconds(discovery->fetched);
        layout_->numbers.discovery_lifetime = discovery->lifetime.count();
    }
    if (jwks) {
        layout_->numbers.jwks_fetched = to_unix_seconds(jwks->fetched);
        layout_->numbers.jwks_lifetime = jwks->lifetime.count();
    }
    return {};
}

void ProviderBoard::record_success() noexcept {
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (guard.is_held()) {
        layout_->numbers.failures = 0;
        layout_->numbers.next_attempt = 0;
    }
}

void ProviderBoard::record_failure(ErrorCode code, core::UnixTime started, core::UnixTime ended) noexcept {
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (!guard.is_held()) {
        return;
    }
    Numbers& numbers = layout_->numbers;
    if (numbers.failures == 0) {
        numbers.failing_since = to_unix_seconds(ended);
    }
    const auto doublings = static_cast<unsigned>(std::min<std::uint64_t>(numbers.failures, 4));
    const std::chrono::seconds back_off = std::min(kFirstBackOff * (1u << doublings), kMaxBackOff);
    numbers.last_error = static_cast<std::uint64_t>(code);
    numbers.next_attempt = to_unix_seconds(std::max(started + back_off, ended + kFirstBackOff));
    ++numbers.failures;
}

void ProviderBoard::record_clock(std::chrono::seconds ahead) noexcept {
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (guard.is_held()) {
        layout_->numbers.clock_ahead = ahead.count();
    }
}

bool ProviderBoard::claim_unknown_key_fetch(core::UnixTime now) noexcept {
    const RobustGuard guard(layout_->state_lock, kLockWait);
    if (!guard.is_held()) {
        return false;
    }
    // A last time in the future means that the clock was set back; it must not forbid the fetch until then.
    const core::UnixTime last = time_from(layout_->numbers.unknown_key_fetch);
    if (last <= now && now - last < kUnknownKeyInterval) {
        return false;
    }
    layout_->numbers.unknown_key_fetch = to_unix_seconds(now);
    return true;
}

core::RobustGuard ProviderBoard::begin_fetch(std::chrono::milliseconds max_wait) const noexcept {
    return {layout_->fetch_lock, max_wait};
}

}  // namespace proconnect::oidc
