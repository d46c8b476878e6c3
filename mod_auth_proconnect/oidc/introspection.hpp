#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "http/client.hpp"
#include "oidc/discovery.hpp"
#include "oidc/provider_call.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// How old an answer may be, the clock skew apart: it is made for the request it answers, and no request may take that long.
inline constexpr std::chrono::seconds kOldestIntrospection{60};

/// What the provider says of an access token in force, RFC 7662 section 2.2.
struct ActiveToken {
    std::string subject;                   ///< as in an ID token: 1 to 255 printable ASCII characters
    std::string client_id;                 ///< whom the token was issued to, which need not be us
    std::vector<std::string> audience;     ///< whom it is for; empty when the provider does not say
    std::string scope;                     ///< separated by spaces; "" when the provider does not say
    core::UnixTime expires{};
};

/// Nothing: the token is not in force, whyever.
using Introspection = std::optional<ActiveToken>;

/// Asks about an access token, RFC 7662 section 2.1, for a signed answer, RFC 9701 section 4. PC2020 invalid_client, PC2032 every other status but 200
/// and a provider that offers no introspection; PC200x from the network.
std::expected<std::string, core::Error> fetch_introspection(http::Client& http, const ProviderMetadata& provider, const RelyingParty& client,
                                                            const core::Secret& access_token, core::UnixTime now);

/// Verifies an answer by what its body is, never by its Content-Type, RFC 9701 section 5: a JWS under the client's policy whose `typ`
/// is token-introspection+jwt (PC3007; so is plain JSON and a JWE, as decryption keys are for ID tokens and userinfo). `iss` is the issuer (PC3010), `aud`
/// this client and nobody else (PC3011), `iat` not older than kOldestIntrospection (PC3015); `exp` and `nbf` hold where they are there.
/// A token in force is a bearer token with `sub`, `client_id`, `exp` that is not past, and no `cnf`: ProConnect leaves `token_type` out for refresh
/// tokens, which open nothing here, and no proof of possession is asked for. PC3013, PC3014, PC3020, PC3021, PC3010 for what it says otherwise.
/// PC3008 when the key is unknown, so that the caller may refetch the keys and call again with the same body.
std::expected<Introspection, core::Error> verify_introspection(std::string_view body, const RelyingParty& client, const JsonWebKeySet& keys, core::UnixTime now);

/// Both, with the keys fetched again where none we have verifies the answer. Nobody is asked about a text that cannot be a token: it is not in force.
std::expected<Introspection, core::Error> introspect(const ProviderCall& call, const core::Secret& access_token);

}  // namespace proconnect::oidc
