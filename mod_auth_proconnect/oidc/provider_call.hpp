#pragma once
#include <memory>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "http/client.hpp"
#include "oidc/provider_source.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// What a protocol step that asks the provider needs of its surroundings; borrowed for the length of one call.
struct ProviderCall {
    const RelyingParty& client;
    ProviderSource& source;
    http::Client& http;
    core::UnixTime now;
};

/// Whether other keys could make a difference.
[[nodiscard]] inline bool is_about_keys(core::ErrorCode code) noexcept {
    return code == core::ErrorCode::jwt_key_unknown || code == core::ErrorCode::jwt_signature || code == core::ErrorCode::jwt_key_unusable;
}

/// Runs a verification; when no key we have verifies, once more with the keys as they are now, which `provider` then is too.
/// @param verify  takes the JWKS, gives a std::expected
template <typename Verify>
auto with_fresh_keys(const ProviderCall& call, std::shared_ptr<const Provider>& provider, Verify verify) -> decltype(verify(provider->jwks)) {
    auto result = verify(provider->jwks);
    if (result || !is_about_keys(result.error().code)) {
        return result;
    }
    const auto newer = call.source.after_unknown_key(provider, call.now, [&](const Provider& copy) { return verify(copy.jwks).has_value(); });
    if (!newer) {
        result.error().detail += "; the keys could not be fetched again: " + newer.error().detail;
        return result;
    }
    if (*newer == provider) {
        return result;
    }
    provider = *newer;
    return verify(provider->jwks);
}

}  // namespace proconnect::oidc
