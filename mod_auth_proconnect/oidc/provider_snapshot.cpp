#include "oidc/provider_snapshot.hpp"

#include <algorithm>

#include "json/document.hpp"
#include "oidc/discovery.hpp"
#include "oidc/jwks.hpp"
#include "oidc/provider_cache.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using core::UnixTime;

constexpr std::int64_t kVersion = 1;
// White space of the texts is escaped inside a JSON string, six bytes for one at worst.
constexpr json::Limits kLimits{.max_bytes = 6 * (ProviderBoard::kMaxDiscoveryBytes + ProviderBoard::kMaxJwksBytes) + 4096,
                               .max_depth = 2,
                               .max_values = 32,
                               .max_string_bytes = ProviderBoard::kMaxJwksBytes};

std::unexpected<Error> unusable(std::string detail) {
    return std::unexpected(Error{ErrorCode::snapshot_unusable, "the saved copy of the provider: " + std::move(detail)});
}

/// A time of the file, but so long ago at least that the part is due: what a file says is believed until the provider can be asked, not until it ages.
std::optional<UnixTime> time_member(json::Value root, std::string_view name, std::chrono::seconds lifetime, UnixTime now) {
    const auto member = root.find(name);
    const auto seconds = member ? member->as_numeric_date() : std::nullopt;
    if (!seconds) {
        return std::nullopt;
    }
    return std::min(core::from_unix_seconds(*seconds), now - lifetime);
}

}  // namespace

std::optional<std::string> export_text(const ProviderBoard& board, std::string_view issuer) {
    const auto copy = board.read();
    const auto status = board.status();
    if (!copy || !status) {
        return std::nullopt;
    }
    json::Writer writer;
    writer.begin_object();
    writer.key("version").number(kVersion);
    writer.key("issuer").string(issuer);
    writer.key("discovery_fetched").number(core::to_unix_seconds(status->discovery_fetched));
    writer.key("jwks_fetched").number(core::to_unix_seconds(status->jwks_fetched));
    writer.key("discovery").string(copy->discovery);
    writer.key("jwks").string(copy->jwks);
    writer.end_object();
    return writer.take();
}

std::expected<bool, Error> import_text(ProviderBoard& board, std::string_view issuer, std::string_view text, UnixTime now) {
    if (board.generation() != 0) {
        return false;
    }
    const auto document = json::Document::parse_object(text, kLimits);
    if (!document) {
        return unusable(document.error().detail);
    }
    const json::Value root = document->root();
    const auto version = root.find("version");
    if (!version || version->as_int64() != kVersion) {
        return unusable("its version is not known");
    }
    if (root.string_member("issuer") != issuer) {
        return unusable("it is of another issuer");
    }
    const auto discovery = root.string_member("discovery");
    const auto jwks = root.string_member("jwks");
    const auto discovery_fetched = time_member(root, "discovery_fetched", ProviderCache::kDiscoveryLifetime, now);
    const auto jwks_fetched = time_member(root, "jwks_fetched", ProviderCache::kMinJwksLifetime, now);
    if (!discovery || !jwks || !discovery_fetched || !jwks_fetched) {
        return unusable("a part is missing");
    }
    if (const auto metadata = parse_discovery(*discovery, issuer); !metadata) {
        return unusable(metadata.error().detail);
    }
    if (const auto keys = JsonWebKeySet::parse(*jwks); !keys) {
        return unusable(keys.error().detail);
    }
    const auto published =
        board.publish(ProviderBoard::Part{.text = *discovery, .fetched = *discovery_fetched, .lifetime = ProviderCache::kDiscoveryLifetime},
                      ProviderBoard::Part{.text = *jwks, .fetched = *jwks_fetched, .lifetime = ProviderCache::kMinJwksLifetime});
    if (!published) {
        return std::unexpected(published.error());
    }
    return true;
}

}  // namespace proconnect::oidc
