#pragma once
#include <expected>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "json/document.hpp"
#include "oidc/id_token.hpp"
#include "session/session.hpp"

namespace proconnect::oidc {

/// A value longer than this is left out of the identity as a whole: half a value could mean something else.
inline constexpr std::size_t kMaxClaimBytes = 8 * 1024;
/// All values of one identity together; beyond it the login is refused (PC4002).
inline constexpr std::size_t kMaxIdentityBytes = 48 * 1024;
inline constexpr std::size_t kMaxClaims = 256;

/// The verified identity: what variables, headers and rules are made from.
struct Claims {
    std::string subject;
    std::vector<session::Attribute> attributes;    ///< `sub` first
    std::vector<std::string> left_out;             ///< names of claims that were too long, for the log
};

/// Puts the ID token's sub, acr, amr, auth_time, sid and iss together with every claim of userinfo but the protocol's own (iss, aud, exp, iat, nbf, jti,
/// azp, nonce, at_hash, c_hash), those that would take a variable of the module or of the ID token's claims in another spelling ("ACR"), and those ProConnect
/// sends as null. Control characters of texts become spaces. The ID token wins where both name a claim.
/// `custom` is kept as JSON, its scalars also as `custom.x`.
std::expected<Claims, core::Error> merge_claims(const IdTokenClaims& id_token, const json::Value& userinfo);

}  // namespace proconnect::oidc
