#pragma once
#include <expected>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "http/client.hpp"
#include "oidc/discovery.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// Gives a refresh token back, RFC 7009 section 2.1; the provider then forgets the access tokens issued for it too.
/// A token the provider no longer knows is a success (section 2.2). PC2031 when the provider offers no revocation or refuses; PC200x from the network.
std::expected<void, core::Error> revoke_refresh_token(http::Client& http, const ProviderMetadata& provider, const RelyingParty& client, const core::Secret& token,
                                                      core::UnixTime now);

}  // namespace proconnect::oidc
