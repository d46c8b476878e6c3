#include "oidc/provider_cache.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/deadline.hpp"
#include "core/url.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using core::UnixTime;
using std::chrono::seconds;

/// The caller's time moved on by what really passed since, so that tests rule the clock and a fetch that hung counts as long.
class RunningTime {
public:
    explicit RunningTime(UnixTime start) noexcept : start_(start) {}
    [[nodiscard]] UnixTime now() const noexcept {
        return start_ + std::chrono::floor<seconds>(std::chrono::steady_clock::now() - began_);
    }

private:
    UnixTime start_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// Three quarters of the life are over. A birth in the future means that the clock was set back: due at once; a few seconds
/// of it are two processes that read the clock at different moments.
bool is_due(UnixTime fetched, seconds lifetime, UnixTime now) noexcept {
    const seconds age = now - fetched;
    return age < seconds{-10} || age >= lifetime * 3 / 4;
}

/// Nobody asks the provider before the next attempt is due; unless that lies so far ahead that the clock must have been set back.
bool is_backing_off(const ProviderBoard::Status& status, UnixTime now) noexcept {
    constexpr seconds kFurthest{120};
    return status.failures > 0 && now < status.next_attempt && status.next_attempt - now <= kFurthest;
}

Error still_failing(const ProviderBoard::Status& status, UnixTime now) {
    const seconds since = std::max(now - status.failing_since, seconds{0});
    const seconds until = std::max(status.next_attempt - now, seconds{0});
    return {status.last_error, "not asked again yet: failing for " + std::to_string(since.count()) + " s, " + std::to_string(status.failures) +
                                   " times; next attempt in " + std::to_string(until.count()) + " s"};
}

Error busy() {
    return {ErrorCode::provider_busy, "another login is still fetching the provider's metadata"};
}

seconds jwks_lifetime(seconds max_age) noexcept {
    return max_age.count() < 0 ? ProviderCache::kDefaultJwksLifetime
                               : std::clamp(max_age, ProviderCache::kMinJwksLifetime, ProviderCache::kMaxJwksLifetime);
}

std::shared_ptr<const Provider> parse(const ProviderBoard::Copy& copy, std::string_view issuer) {
    auto metadata = parse_discovery(copy.discovery, issuer);
    auto jwks = JsonWebKeySet::parse(copy.jwks);
    if (!metadata || !jwks) {
        return nullptr;
    }
    return std::make_shared<const Provider>(*std::move(metadata), *std::move(jwks));
}

}  // namespace

struct ProviderCache::FetchedDiscovery {
    std::string text;
    ProviderMetadata metadata;
};

struct ProviderCache::FetchedJwks {
    std::string text;
    seconds lifetime;
};

ProviderCache::ProviderCache(ProviderBoard board, http::Client& client, std::string issuer, std::chrono::milliseconds max_wait)
    : board_(board), client_(client), issuer_(std::move(issuer)), max_wait_(max_wait) {}

std::expected<std::shared_ptr<const Provider>, Error> ProviderCache::current(UnixTime now) {
    if (std::shared_ptr<const Provider> known = latest()) {
        return known;
    }
    return first_copy(now);
}

// The usual case is one atomic load and the copy of a pointer. A copy on the board that this process cannot use (damaged,
// or written by another version) leaves the one parsed before.
std::shared_ptr<const Provider> ProviderCache::latest() {
    const std::uint64_t generation = board_.generation();
    const auto known = [&]() -> std::optional<std::shared_ptr<const Provider>> {
        const std::scoped_lock lock(mutex_);
        return known_generation_ == generation ? std::optional(known_) : std::nullopt;
    };
    if (auto found = known()) {
        return *std::move(found);
    }
    const std::scoped_lock parsing(parsing_);
    if (auto found = known()) {
        return *std::move(found);
    }
    const std::optional<ProviderBoard::Copy> copy = board_.read();
    std::shared_ptr<const Provider> parsed = copy ? parse(*copy, issuer_) : nullptr;
    const std::scoped_lock lock(mutex_);
    if (copy) {
        known_generation_ = copy->generation;
    }
    if (parsed) {
        known_ = std::move(parsed);
    }
    return known_;
}

std::expected<std::shared_ptr<const Provider>, Error> ProviderCache::first_copy(UnixTime now) {
    const RunningTime time(now);
    auto status = board_.status();
    if (!status) {
        return std::unexpected(busy());
    }
    if (is_backing_off(*status, now)) {
        return std::unexpected(still_failing(*status, now));
    }
    // With failures behind us, whoever is trying again may be in for another one: only the first attempt is worth a wait.
    const core::RobustGuard fetching = board_.begin_fetch(status->failures == 0 ? core::CallDeadline::remaining(max_wait_) : std::chrono::milliseconds::zero());
    if (!fetching.is_held()) {
        return std::unexpected(status->failures == 0 ? busy() : still_failing(*status, now));
    }
    if (std::shared_ptr<const Provider> fetched_meanwhile = latest()) {
        return fetched_meanwhile;
    }
    status = board_.status();
    if (status && is_backing_off(*status, time.now())) {
        return std::unexpected(still_failing(*status, time.now()));
    }
    if (const auto fetched = fetch({.discovery = true, .jwks = true}, time.now()); !fetched) {
        return std::unexpected(fetched.error());
    }
    if (std::shared_ptr<const Provider> fetched = latest()) {
        return fetched;
    }
    return std::unexpected(Error{ErrorCode::internal_error, "the provider's metadata was fetched but cannot be read back"});
}

// Whoever loses the race waits for the winner's keys instead of refusing a token that they would have verified.
std::expected<std::shared_ptr<const Provider>, Error> ProviderCache::after_unknown_key(const std::shared_ptr<const Provider>& seen, UnixTime now, const Suffices& suffices) {
    const auto newer_or_nothing = [&] {
        std::shared_ptr<const Provider> newest = latest();
        return newest && newest != seen && suffices(*newest) ? newest : nullptr;
    };
    if (auto newer = newer_or_nothing()) {
        return newer;
    }
    {
        const core::RobustGuard fetching = board_.begin_fetch(core::CallDeadline::remaining(max_wait_));
        if (auto newer = newer_or_nothing()) {
            return newer;
        }
        if (!fetching.is_held() || !board_.claim_unknown_key_fetch(now)) {
            std::shared_ptr<const Provider> newest = latest();
            return newest ? newest : seen;
        }
        // No regard to a running back-off: the provider has just issued a token, so it can be reached.
        if (const auto fetched = fetch_parts({.discovery = false, .jwks = true}, now); !fetched) {
            return std::unexpected(fetched.error());
        }
    }
    std::shared_ptr<const Provider> newest = latest();
    return newest ? newest : seen;
}

ProviderCache::Due ProviderCache::due(UnixTime now) {
    const auto status = board_.status();
    if (!status || is_backing_off(*status, now)) {
        return {};
    }
    if (!latest()) {
        return {.discovery = true, .jwks = true};
    }
    return {.discovery = is_due(status->discovery_fetched, status->discovery_lifetime, now),
            .jwks = is_due(status->jwks_fetched, status->jwks_lifetime, now)};
}

bool ProviderCache::is_refresh_due(UnixTime now) {
    return due(now).is_anything();
}

std::expected<ProviderCache::Refresh, Error> ProviderCache::refresh_if_due(UnixTime now) {
    if (!is_refresh_due(now)) {
        return Refresh::not_due;
    }
    const core::RobustGuard fetching = board_.begin_fetch(std::chrono::milliseconds::zero());
    if (!fetching.is_held()) {
        return Refresh::in_flight;
    }
    // Asked again: whoever held the right until now may have done it.
    const Due still = due(now);
    if (!still.is_anything()) {
        return Refresh::not_due;
    }
    if (const auto fetched = fetch(still, now); !fetched) {
        return std::unexpected(fetched.error());
    }
    // Parsed here, in the background, rather than by the next login.
    static_cast<void>(latest());
    return Refresh::done;
}

// To be called with the right to fetch.
std::expected<void, Error> ProviderCache::fetch(Due due, UnixTime now) {
    const RunningTime time(now);
    auto fetched = fetch_parts(due, now);
    if (fetched) {
        board_.record_success();
    } else if (fetched.error().code != ErrorCode::server_stopping) {
        board_.record_failure(fetched.error().code, now, time.now());
    }
    return fetched;
}

// The keys are fetched even when the discovery document has just failed, as long as an older one says where they are: a key
// that was withdrawn must not live on because of a broken document. @return the first failure
std::expected<void, Error> ProviderCache::fetch_parts(Due due, UnixTime now) {
    const std::shared_ptr<const Provider> known = latest();
    std::optional<Error> failure;
    std::optional<FetchedDiscovery> discovery;
    std::string jwks_uri = known ? known->metadata.jwks_uri : std::string{};

    if (due.discovery || !known) {
        if (auto fetched = fetch_discovery(now)) {
            discovery = *std::move(fetched);
            due.jwks = due.jwks || discovery->metadata.jwks_uri != jwks_uri;
            jwks_uri = discovery->metadata.jwks_uri;
        } else {
            failure = std::move(fetched.error());
        }
    }
    std::optional<FetchedJwks> jwks;
    if (due.jwks && !jwks_uri.empty()) {
        if (auto fetched = fetch_jwks(jwks_uri, now)) {
            jwks = *std::move(fetched);
        } else {
            if (!failure) {
                failure = std::move(fetched.error());
            }
            // Metadata that points to keys nobody can get is no good copy.
            if (!known || jwks_uri != known->metadata.jwks_uri) {
                discovery.reset();
            }
        }
    }

    if (auto published = publish(discovery, jwks, now); !published) {
        return published;
    }
    if (failure) {
        return std::unexpected(*std::move(failure));
    }
    return {};
}

std::expected<void, Error> ProviderCache::publish(const std::optional<FetchedDiscovery>& discovery, const std::optional<FetchedJwks>& jwks,
                                                 UnixTime now) {
    if (!discovery && !jwks) {
        return {};
    }
    std::optional<ProviderBoard::Part> new_discovery;
    std::optional<ProviderBoard::Part> new_jwks;
    if (discovery) {
        new_discovery = {.text = discovery->text, .fetched = now, .lifetime = kDiscoveryLifetime};
    }
    if (jwks) {
        new_jwks = {.text = jwks->text, .fetched = now, .lifetime = jwks->lifetime};
    }
    return board_.publish(new_discovery, new_jwks);
}

std::expected<http::Response, Error> ProviderCache::get(const std::string& url, std::size_t max_bytes, std::string_view what, UnixTime now) {
    const RunningTime time(now);
    http::Request request;
    request.url = url;
    request.max_body_bytes = max_bytes;
    auto response = client_.send(request);
    if (!response) {
        return std::unexpected(Error{response.error().code, std::string(what) + ": " + response.error().detail});
    }
    if (response->date != 0) {
        board_.record_clock(core::from_unix_seconds(response->date) - time.now());
    }
    if (response->status != 200) {
        const auto parts = core::parse_url(url);
        return std::unexpected(Error{ErrorCode::provider_status, std::string(what) + ": " + (parts ? parts->host : "the provider") + " answered with status " +
                                                                     std::to_string(response->status)});
    }
    return response;
}

std::expected<ProviderCache::FetchedDiscovery, Error> ProviderCache::fetch_discovery(UnixTime now) {
    auto response = get(discovery_url(issuer_), ProviderBoard::kMaxDiscoveryBytes, "discovery", now);
    if (!response) {
        return std::unexpected(std::move(response.error()));
    }
    auto metadata = parse_discovery(response->body, issuer_);
    if (!metadata) {
        return std::unexpected(std::move(metadata.error()));
    }
    return FetchedDiscovery{.text = std::move(response->body), .metadata = *std::move(metadata)};
}

std::expected<ProviderCache::FetchedJwks, Error> ProviderCache::fetch_jwks(const std::string& url, UnixTime now) {
    auto response = get(url, ProviderBoard::kMaxJwksBytes, "JWKS", now);
    if (!response) {
        return std::unexpected(std::move(response.error()));
    }
    const auto jwks = JsonWebKeySet::parse(response->body);
    if (!jwks) {
        return std::unexpected(jwks.error());
    }
    return FetchedJwks{.text = std::move(response->body), .lifetime = jwks_lifetime(response->max_age)};
}

}  // namespace proconnect::oidc
