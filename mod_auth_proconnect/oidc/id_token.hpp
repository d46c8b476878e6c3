#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "oidc/jwt.hpp"

namespace proconnect::oidc {

/// What an ID token must say to be accepted for one given login.
struct IdTokenExpectations {
    std::string issuer;                              ///< compared byte for byte; no tolerance for a final slash
    std::string client_id;                           ///< must be in `aud`, and equal `azp` where `azp` is present
    core::Secret nonce;                              ///< the one sent in the authorization request of this login; never empty
    core::Secret access_token;                       ///< what `at_hash` must fit where it is present
    std::vector<std::string> acr_values;             ///< levels asked for as essential; empty = any, even none
    std::optional<core::UnixTime> authenticated_since;  ///< auth_time must be there and not before this (prompt=login)
    std::chrono::seconds clock_skew{60};             ///< tolerance on `exp`, `iat` and `auth_time`
};

/// The claims of an accepted ID token.
struct IdTokenClaims {
    std::string issuer, subject;
    core::UnixTime expires{}, issued{};
    std::string acr;                                 ///< "" when absent
    std::vector<std::string> amr;
    std::string sid;                                 ///< "" when absent
    std::optional<core::UnixTime> auth_time;
    std::string azp;                                 ///< "" when absent, else our client_id
};

/// Checks the claims of an ID token whose signature is already verified (hence the parameter type).
/// OpenID Connect Core 1.0, section 3.1.3.7, items 2-5 and 9-13, in that order, then section 3.1.3.8 (at_hash).
/// @param now  Unix time in seconds, passed in so that tests need no real clock
/// @return     the claims, or the first failure; a missing claim fails its own check
std::expected<IdTokenClaims, core::Error> check_id_token(const VerifiedJwt& token, const IdTokenExpectations& expected, core::UnixTime now);

/// The claims of a refreshed ID token, Core section 12.2: iss, sub, auth_time and azp as in the ID token of the login, aud names us, iat not before the
/// login's, no nonce or the same one. An auth_time or azp that the login's did not have is refused; an auth_time that is left out now is not.
/// @param original  what check_id_token() gave for the login
std::expected<IdTokenClaims, core::Error> check_refreshed_id_token(const VerifiedJwt& token, const IdTokenExpectations& expected, const IdTokenClaims& original,
                                                                   core::UnixTime now);

// The checks that userinfo, ID token and introspection share; each refuses a missing claim.

/// PC3010
std::expected<void, core::Error> check_issuer(const json::Value& claims, const std::string& issuer);
/// PC3011, PC3012: our client_id in `aud` (a string or an array of strings), alone or with our `azp`; an `azp` that is present is ours.
std::expected<void, core::Error> check_audience(const json::Value& claims, const std::string& client_id);
/// PC3013: a string of 1 to 255 printable ASCII characters, Core section 2.
std::expected<std::string, core::Error> check_subject(const json::Value& claims);
/// PC3014: `exp` a date after now - skew.
std::expected<core::UnixTime, core::Error> check_expiry(const json::Value& claims, std::chrono::seconds skew, core::UnixTime now);
/// PC3021: `nbf`, where it is there, a date not after now + skew; RFC 7519 section 4.1.5.
std::expected<void, core::Error> check_not_before(const json::Value& claims, std::chrono::seconds skew, core::UnixTime now);
/// PC3015: `iat` a date not after now + skew and not older than a day.
std::expected<core::UnixTime, core::Error> check_issued_at(const json::Value& claims, std::chrono::seconds skew, core::UnixTime now);

}  // namespace proconnect::oidc
