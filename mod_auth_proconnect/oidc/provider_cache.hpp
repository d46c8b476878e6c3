#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "http/client.hpp"
#include "oidc/provider_board.hpp"
#include "oidc/provider_source.hpp"

namespace proconnect::oidc {

/// The provider as all processes share it on a board, parsed once per process and change. Thread-safe; one object per
/// process and issuer, made after the fork. Nothing that fails any check ever replaces the last good copy.
class ProviderCache final : public ProviderSource {
public:
    static constexpr std::chrono::seconds kDiscoveryLifetime{3600};
    static constexpr std::chrono::seconds kDefaultJwksLifetime{600};  ///< when the answer has no Cache-Control
    static constexpr std::chrono::seconds kMinJwksLifetime{60};
    static constexpr std::chrono::seconds kMaxJwksLifetime{3600};

    /// @param client    outlives the cache
    /// @param max_wait  how long a login may wait for the fetch of another one; the HTTP time-out is a good value
    ProviderCache(ProviderBoard board, http::Client& client, std::string issuer, std::chrono::milliseconds max_wait);

    /// Without a good copy, one caller of all processes fetches and the others wait for it; once that has failed, everybody gets its
    /// error at once until the next attempt is due. PC2007 when the wait was in vain.
    std::expected<std::shared_ptr<const Provider>, core::Error> current(core::UnixTime now) override;
    /// An error only when this very call fetched and failed.
    std::expected<std::shared_ptr<const Provider>, core::Error> after_unknown_key(const std::shared_ptr<const Provider>& seen,
                                                                                 core::UnixTime now, const Suffices& suffices) override;

    /// Whether refresh_if_due() would fetch now, as far as can be seen without the right to. Asks nobody.
    [[nodiscard]] bool is_refresh_due(core::UnixTime now);
    enum class Refresh {
        not_due,
        in_flight,  ///< another process or thread is at it
        done,
    };
    /// For a timer in the background, every few seconds at most: fetches what has lived three quarters of its life, or the first copy. The errors of
    /// the fetch are returned once per attempt; attempts keep their distance by themselves.
    std::expected<Refresh, core::Error> refresh_if_due(core::UnixTime now);

private:
    struct Due {
        bool discovery = false;
        bool jwks = false;
        [[nodiscard]] bool is_anything() const noexcept { return discovery || jwks; }
    };
    struct FetchedDiscovery;
    struct FetchedJwks;

    std::shared_ptr<const Provider> latest();
    std::expected<std::shared_ptr<const Provider>, core::Error> first_copy(core::UnixTime now);
    Due due(core::UnixTime now);
    std::expected<void, core::Error> fetch(Due due, core::UnixTime now);
    std::expected<void, core::Error> fetch_parts(Due due, core::UnixTime now);
    std::expected<void, core::Error> publish(const std::optional<FetchedDiscovery>& discovery, const std::optional<FetchedJwks>& jwks, core::UnixTime now);
    std::expected<http::Response, core::Error> get(const std::string& url, std::size_t max_bytes, std::string_view what, core::UnixTime now);
    std::expected<FetchedDiscovery, core::Error> fetch_discovery(core::UnixTime now);
    std::expected<FetchedJwks, core::Error> fetch_jwks(const std::string& url, core::UnixTime now);

    ProviderBoard board_;
    http::Client& client_;
    const std::string issuer_;
    const std::chrono::milliseconds max_wait_;

    std::mutex parsing_;                     ///< one thread parses a new copy, the others wait for the result
    std::mutex mutex_;                       ///< guards what follows; held for the copy of a pointer
    std::uint64_t known_generation_ = 0;     ///< the latest one looked at, usable or not
    std::shared_ptr<const Provider> known_;  ///< the latest usable one
};

}  // namespace proconnect::oidc
