#pragma once
// A provider that is known already, with keys the test chooses.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "oidc/provider_source.hpp"

namespace proconnect::test {

class FixedProvider final : public oidc::ProviderSource {
public:
    std::shared_ptr<const oidc::Provider> known;
    std::shared_ptr<const oidc::Provider> newer;   ///< what a refetch finds; nothing = the same keys again
    std::optional<core::Error> down;               ///< current() fails
    std::optional<core::Error> refetch_fails;
    int asked = 0;
    int refetched = 0;

    FixedProvider(oidc::ProviderMetadata metadata, const std::string& jwks) : known(make(std::move(metadata), jwks)) {}

    static std::shared_ptr<const oidc::Provider> make(oidc::ProviderMetadata metadata, const std::string& jwks) {
        return std::make_shared<const oidc::Provider>(oidc::Provider{.metadata = std::move(metadata), .jwks = oidc::JsonWebKeySet::parse(jwks).value()});
    }
    /// The keys as a refetch will find them.
    void rotate_keys(const std::string& jwks) { newer = make(known->metadata, jwks); }

    std::expected<std::shared_ptr<const oidc::Provider>, core::Error> current(core::UnixTime) override {
        ++asked;
        if (down) {
            return std::unexpected(*down);
        }
        return known;
    }
    std::expected<std::shared_ptr<const oidc::Provider>, core::Error> after_unknown_key(const std::shared_ptr<const oidc::Provider>& seen, core::UnixTime,
                                                                                      const Suffices&) override {
        ++refetched;
        if (refetch_fails) {
            return std::unexpected(*refetch_fails);
        }
        if (newer) {
            known = std::exchange(newer, nullptr);
            return known;
        }
        return seen;
    }
};

}  // namespace proconnect::test
