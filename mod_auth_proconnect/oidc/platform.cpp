#include "oidc/platform.hpp"

#include <array>

#include "core/suggest.hpp"
#include "core/url.hpp"

namespace proconnect::oidc {
namespace {

struct Platform {
    std::string_view name, issuer;
};

constexpr std::array<Platform, 4> kPlatforms{{
    {"production", "https://auth.agentconnect.gouv.fr/api/v2"},
    {"integration", "https://fca.integ01.dev-agentconnect.fr/api/v2"},
    {"rie-production", "https://auth.agentconnect.rie.gouv.fr/api/v2"},
    {"rie-integration", "https://fca.integ02.agentconnect.rie.gouv.fr/api/v2"},
}};

}  // namespace

std::expected<std::string, std::string> issuer_of_platform(std::string_view platform) {
    std::array<std::string_view, kPlatforms.size()> names;
    for (std::size_t i = 0; i < kPlatforms.size(); ++i) {
        if (kPlatforms[i].name == platform) {
            return std::string{kPlatforms[i].issuer};
        }
        names[i] = kPlatforms[i].name;
    }
    const std::string written = "'" + std::string{platform} + "' ";
    if (!platform.contains(':')) {
        const auto nearest = core::nearest_word(platform, names);
        return std::unexpected(written + "is no platform; " +
                               (nearest.empty() ? "write production, integration, rie-production, rie-integration or an issuer URL"
                                                : "did you mean " + std::string{nearest} + "?"));
    }
    const auto url = core::parse_url(platform);
    if (!url || platform.contains('?')) {
        return std::unexpected(written + "is no issuer URL; write one like https://auth.example.gouv.fr/api/v2");
    }
    if (!url->is_https() && !url->is_loopback()) {
        return std::unexpected(written + "must begin with https:// (http is for a provider on this very machine only)");
    }
    return std::string{platform};
}

}  // namespace proconnect::oidc
