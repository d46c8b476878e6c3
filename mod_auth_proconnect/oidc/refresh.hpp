#pragma once
#include <expected>
#include <optional>
#include <variant>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "oidc/id_token.hpp"
#include "oidc/provider_call.hpp"
#include "oidc/token.hpp"

namespace proconnect::oidc {

/// What is known of the login whose tokens are to be renewed; borrowed.
struct LoginToRefresh {
    const core::Secret& refresh_token;
    const IdTokenClaims& identity;         ///< what check_id_token() gave for the login
    const core::Secret& nonce;             ///< of the login; empty = an ID token with a nonce is refused
};

/// New tokens, in place of all the old ones.
struct RefreshedTokens {
    TokenResponse tokens;                  ///< refresh_token never empty: the new one, or the old one where none came; id_token "" = keep the old one
    std::optional<IdTokenClaims> identity; ///< of the new ID token, where one came; without acr, amr and sid, which the login's identity keeps saying
};

/// The old tokens are of no use any more: drop them, and let the session go on or end as configured.
struct TokensGone {
    core::Error why;                       ///< PC2021 invalid_grant, or nothing to refresh with; PC3010, PC3013 an ID token of another issuer or user
};

using RefreshOutcome = std::variant<RefreshedTokens, TokensGone>;

/// Renews the tokens of a login, RFC 6749 section 6, Core section 12.1; an ID token that comes along is verified as at the login and checked against
/// the login's, Core section 12.2.
/// @return an Error for everything that says nothing about the old tokens, which stay as they are: PC2020 invalid_client, PC2022 other OAuth errors,
///         PC2004 other statuses, PC2023 a malformed answer, PC200x from the network, PC30xx an ID token that cannot be verified or is not for this login.
///         A provider that had exchanged the refresh token before such a failure will call it invalid_grant next time.
std::expected<RefreshOutcome, core::Error> refresh_tokens(const ProviderCall& call, const LoginToRefresh& login);

}  // namespace proconnect::oidc
