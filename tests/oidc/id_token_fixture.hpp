#pragma once
// One login's ID token and what is expected of it; each test changes one thing.
#include <string>
#include <utility>

#include "oidc/id_token.hpp"
#include "support/claim_set.hpp"
#include "support/token_factory.hpp"

namespace proconnect::test {

inline constexpr core::UnixTime kLoginTime = core::from_unix_seconds(1'790'000'000);
inline const std::string kLoginIssuer = "https://auth.example.gouv.fr/api/v2";
inline const std::string kLoginClient = "client-1";
inline const std::string kLoginSubject = "704e024229015d2bd47f7a5e5ab05b35c8336ab403c38022985f8cfadc86fe91";
inline const std::string kLoginNonce = "n-0S6_WzA2Mj-n-0S6_WzA2Mj-n-0S6_WzA2Mj-0123";
/// Core appendix A.3.
inline const std::string kLoginAccessToken = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
inline const std::string kLoginAccessTokenHash = "77QmUPtjPfzWtF2AnpK9RQ";
inline const std::string kLoginSecret = "a client secret of more than 32 bytes";

/// A NumericDate as JSON.
inline std::string date(core::UnixTime time) {
    return std::to_string(core::to_unix_seconds(time));
}

/// What ProConnect puts into an ID token.
inline ClaimSet id_token_claims() {
    return {{"iss", json::quoted(kLoginIssuer)},
            {"aud", json::quoted(kLoginClient)},
            {"sub", json::quoted(kLoginSubject)},
            {"exp", date(kLoginTime + std::chrono::seconds{3600})},
            {"iat", date(kLoginTime)},
            {"nonce", json::quoted(kLoginNonce)},
            {"at_hash", json::quoted(kLoginAccessTokenHash)},
            {"acr", R"("eidas1")"},
            {"amr", R"(["pwd","otp"])"},
            {"auth_time", date(kLoginTime - std::chrono::seconds{5})},
            {"sid", R"("session-at-the-provider")"}};
}

inline oidc::IdTokenExpectations usual_expectations() {
    oidc::IdTokenExpectations expected;
    expected.issuer = kLoginIssuer;
    expected.client_id = kLoginClient;
    expected.nonce = core::Secret{kLoginNonce};
    expected.access_token = core::Secret{kLoginAccessToken};
    return expected;
}

/// The only way to a VerifiedJwt is a signature; HS256 is the quickest.
inline oidc::VerifiedJwt verified(const ClaimSet& claims) {
    const core::Secret secret{kLoginSecret};
    const auto token = hs256_token(kLoginSecret, R"({"alg":"HS256"})", claims.text());
    return oidc::verify_jws(token, {.es256 = false, .rs256 = false, .hs256 = true}, {.jwks = nullptr, .client_secret = &secret}).value();
}

/// "PC3010", or "accepted".
template <typename Result>
std::string outcome(const Result& result) {
    return result ? "accepted" : core::code_text(result.error().code);
}

inline std::string check(const ClaimSet& claims, const oidc::IdTokenExpectations& expected = usual_expectations(), core::UnixTime now = kLoginTime) {
    return outcome(oidc::check_id_token(verified(claims), expected, now));
}

/// Whether `claims` may follow on a login whose ID token had the claims of `original`.
inline std::string check_refreshed(const ClaimSet& claims, const oidc::IdTokenExpectations& expected = usual_expectations(), const ClaimSet& original = id_token_claims()) {
    const auto login = oidc::check_id_token(verified(original), usual_expectations(), kLoginTime).value();
    return outcome(oidc::check_refreshed_id_token(verified(claims), expected, login, kLoginTime));
}

}  // namespace proconnect::test
