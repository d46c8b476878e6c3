#pragma once
// Fixed keys, clients and times, so that a seed is judged the same in every run. All keys are the published examples of the RFCs.
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/secret.hpp"
#include "crypto/signature.hpp"
#include "oidc/jwks.hpp"
#include "oidc/relying_party.hpp"
#include "session/server_key.hpp"

namespace proconnect::fuzz {

inline constexpr core::UnixTime kNow = core::from_unix_seconds(1'800'000'000);
inline constexpr std::string_view kIssuer = "https://provider.example/api/v2";
inline constexpr std::string_view kClientId = "client-1";
inline constexpr std::string_view kRedirectUri = "https://site.example/callback";

/// The provider's keys: "ec" and "rsa", whose private halves sign below, and those of RFC 7515 A.2 and A.3 without `kid`.
const oidc::JsonWebKeySet& provider_keys();
/// A set without any of them.
const oidc::JsonWebKeySet& foreign_keys();
/// The HS256 key of RFC 7515 A.1.
const core::Secret& client_secret();
/// Our keys for decryption: RFC 7516 A.1 (RSA) and RFC 7518 appendix C (EC).
const std::vector<crypto::PrivateKey>& decryption_keys();
const session::ServerKeys& server_keys();

/// A client that accepts userinfo in every form and all three algorithms; its decryption keys are left empty.
oidc::RelyingParty make_client();

/// A compact JWS of any header and payload, rightly signed: by the provider's key of the header's `alg`, or under `hmac_secret` when
/// `alg` is anything else.
std::string signed_as_announced(std::string_view header, std::string_view payload, std::string_view hmac_secret = client_secret().reveal());
/// An HS256 token with the usual header.
std::string hs256_token(std::string_view payload, std::string_view header = R"({"alg":"HS256"})");

}  // namespace proconnect::fuzz
