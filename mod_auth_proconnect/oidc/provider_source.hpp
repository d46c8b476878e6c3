#pragma once
#include <expected>
#include <functional>
#include <memory>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "oidc/discovery.hpp"
#include "oidc/jwks.hpp"

namespace proconnect::oidc {

/// The provider as known at one moment. Immutable, shared between threads.
struct Provider {
    ProviderMetadata metadata;
    JsonWebKeySet jwks;
};

/// Where the protocol gets the provider from; implemented by ProviderCache, and by a fixed one in tests.
class ProviderSource {
public:
    virtual ~ProviderSource() = default;

    /// The last good copy; fetches only when there has never been one. Errors are PC2xxx.
    virtual std::expected<std::shared_ptr<const Provider>, core::Error> current(core::UnixTime now) = 0;

    /// After a signature that no key of `seen` verifies, because the token names a key unknown there or because keys were replaced under the same
    /// name or without one: a newer copy that suffices if there is one, otherwise one refetch, at most once a minute for all processes together.
    /// Returns `seen`'s successor or the same keys again, never an error for throttling.
    /// @param suffices  whether the token verifies with this copy
    using Suffices = std::function<bool(const Provider&)>;
    virtual std::expected<std::shared_ptr<const Provider>, core::Error> after_unknown_key(const std::shared_ptr<const Provider>& seen, core::UnixTime now,
                                                                                         const Suffices& suffices) = 0;
};

}  // namespace proconnect::oidc
