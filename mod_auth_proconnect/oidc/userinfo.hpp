#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "http/client.hpp"
#include "json/document.hpp"
#include "oidc/discovery.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// Asks the userinfo endpoint, Core section 5.3.1. PC2030 for every status but 200.
std::expected<std::string, core::Error> fetch_userinfo(http::Client& http, const ProviderMetadata& provider, const core::Secret& access_token);

/// Verifies an answer by what its body is, never by its Content-Type, Core sections 5.3.2 and 5.3.4: a JWE or JWS under the client's policy with
/// iss, aud, exp and iat; plain JSON only where the policy allows it (PC3007). In all of them `sub` must equal the ID token's (PC3030).
/// PC3008 when the key is unknown, so that the caller may refetch the keys and call again with the same body.
std::expected<json::Document, core::Error> verify_userinfo(std::string_view body, const RelyingParty& client, const JsonWebKeySet& keys, std::string_view subject,
                                                           core::UnixTime now);

}  // namespace proconnect::oidc
