#pragma once
#include <expected>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/url.hpp"
#include "http/client.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// Adds the client's credentials to a request under construction: `client_id` and `client_secret` in the body (RFC 6749 section 2.3.1), an
/// Authorization header (the same section), or `client_assertion` (RFC 7523 section 2.2, Core section 9: iss and sub are the client, aud the
/// issuer's token endpoint, a random jti, valid for 60 seconds).
std::expected<void, core::Error> add_client_authentication(const RelyingParty& client, std::string_view token_endpoint, core::UnixTime now,
                                                           core::ParameterList& body, http::Request& request);

}  // namespace proconnect::oidc
