#include "oidc/id_token.hpp"

#include <algorithm>

#include "core/base64url.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/digest.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using core::UnixTime;

constexpr std::chrono::hours kOldestToken{24};
constexpr std::size_t kMaxSubjectBytes = 255;
constexpr std::size_t kMaxAcrBytes = 255;
constexpr std::size_t kMaxAmrValues = 32;

std::unexpected<Error> refuse(ErrorCode code, std::string why) {
    return std::unexpected(Error{code, std::move(why)});
}

std::expected<void, Error> check_nonce(const json::Value& claims, const core::Secret& nonce) {
    const auto value = claims.string_member("nonce");
    // equal_constant_time() is false for two empty texts: an expectation that was never set refuses too.
    if (!value || !crypto::equal_constant_time(*value, nonce.reveal())) {
        return refuse(ErrorCode::nonce_mismatch, value ? "nonce: not the one of this login" : "nonce: missing");
    }
    return {};
}

// Core section 3.1.3.8: the left half of SHA-256 (all three algorithms end in 256) of the access token, base64url.
std::expected<void, Error> check_access_token_hash(const json::Value& claims, const core::Secret& access_token) {
    const auto claim = claims.find("at_hash");
    if (!claim) {
        return {};  // optional in the code flow
    }
    const auto digest = crypto::sha256(access_token.reveal());
    if (!digest) {
        return std::unexpected(digest.error());
    }
    const auto expected = core::base64url_encode(std::span{*digest}.first(16));
    const auto value = claim->as_string();
    if (!value || access_token.empty() || !crypto::equal_constant_time(*value, expected)) {
        return refuse(ErrorCode::access_token_hash_mismatch, "at_hash: does not fit the access token");
    }
    return {};
}

/// The claim; nothing when it is absent or null, which some providers send for what they do not know.
std::optional<json::Value> find_known(const json::Value& claims, std::string_view name) {
    const auto claim = claims.find(name);
    return claim && claim->type() != json::Value::Type::null ? claim : std::nullopt;
}

std::expected<std::string, Error> check_acr(const json::Value& claims, const std::vector<std::string>& acceptable) {
    const auto claim = find_known(claims, "acr");
    if (!claim) {
        if (!acceptable.empty()) {
            return refuse(ErrorCode::acr_not_satisfied, "acr: missing although one was asked for as essential");
        }
        return std::string{};
    }
    const auto value = claim->as_string();
    if (!value || value->size() > kMaxAcrBytes) {
        return refuse(acceptable.empty() ? ErrorCode::claim_malformed : ErrorCode::acr_not_satisfied, "acr: not a string, or too long");
    }
    if (!acceptable.empty() && std::ranges::find(acceptable, *value) == acceptable.end()) {
        return refuse(ErrorCode::acr_not_satisfied, "acr: not one of the levels asked for");
    }
    return std::string{*value};
}

std::expected<std::vector<std::string>, Error> read_amr(const json::Value& claims) {
    const auto claim = find_known(claims, "amr");
    if (!claim) {
        return std::vector<std::string>{};
    }
    const auto values = claim->as_strings();
    if (!values || values->size() > kMaxAmrValues) {
        return refuse(ErrorCode::claim_malformed, "amr: not an array of strings, or too long");
    }
    return std::vector<std::string>(values->begin(), values->end());
}

std::expected<std::optional<UnixTime>, Error> check_auth_time(const json::Value& claims, const IdTokenExpectations& expected, UnixTime now) {
    const auto claim = claims.find("auth_time");
    if (!claim) {
        if (expected.authenticated_since) {
            return refuse(ErrorCode::auth_time_invalid, "auth_time: missing although a fresh login was asked for");
        }
        return std::nullopt;
    }
    const auto seconds = claim->as_numeric_date();
    if (!seconds) {
        return refuse(ErrorCode::claim_malformed, "auth_time: not a date");
    }
    const auto time = core::from_unix_seconds(*seconds);
    if (time > now + expected.clock_skew) {
        return refuse(ErrorCode::auth_time_invalid, "auth_time: in the future");
    }
    if (expected.authenticated_since && time < *expected.authenticated_since - expected.clock_skew) {
        return refuse(ErrorCode::auth_time_invalid, "auth_time: older than the login that was asked for");
    }
    return time;
}

std::expected<std::string, Error> read_sid(const json::Value& claims) {
    const auto claim = claims.find("sid");
    if (!claim) {
        return std::string{};
    }
    const auto value = claim->as_string();
    if (!value || value->size() > 255) {
        return refuse(ErrorCode::claim_malformed, "sid: not a string, or too long");
    }
    return std::string{*value};
}

/// What a first and a refreshed ID token have in common: everything but the nonce.
std::expected<IdTokenClaims, Error> check_common_claims(const json::Value& claims, const IdTokenExpectations& expected, UnixTime now) {
    IdTokenClaims result;
    if (auto ok = check_issuer(claims, expected.issuer); !ok) {                    // item 2
        return std::unexpected(std::move(ok.error()));
    }
    result.issuer = expected.issuer;
    if (auto ok = check_audience(claims, expected.client_id); !ok) {               // items 3, 4, 5
        return std::unexpected(std::move(ok.error()));
    }
    result.azp = claims.string_member("azp").value_or("");
    auto expires = check_expiry(claims, expected.clock_skew, now);                 // item 9
    if (!expires) {
        return std::unexpected(std::move(expires.error()));
    }
    result.expires = *expires;
    if (auto ok = check_not_before(claims, expected.clock_skew, now); !ok) {       // RFC 7519, section 4.1.5
        return std::unexpected(std::move(ok.error()));
    }
    auto issued = check_issued_at(claims, expected.clock_skew, now);               // item 10
    if (!issued) {
        return std::unexpected(std::move(issued.error()));
    }
    result.issued = *issued;
    auto subject = check_subject(claims);                                          // section 2
    if (!subject) {
        return std::unexpected(std::move(subject.error()));
    }
    result.subject = std::move(*subject);
    if (auto ok = check_access_token_hash(claims, expected.access_token); !ok) {   // section 3.1.3.8
        return std::unexpected(std::move(ok.error()));
    }
    return result;
}

}  // namespace

std::expected<void, Error> check_issuer(const json::Value& claims, const std::string& issuer) {
    const auto value = claims.string_member("iss");
    if (!value || issuer.empty() || *value != issuer) {
        return refuse(ErrorCode::issuer_mismatch, value ? "iss: not the configured issuer" : "iss: missing");
    }
    return {};
}

std::expected<void, Error> check_audience(const json::Value& claims, const std::string& client_id) {
    const auto claim = claims.find("aud");
    if (!claim || client_id.empty()) {
        return refuse(ErrorCode::audience_mismatch, "aud: missing");
    }
    std::vector<std::string_view> audiences;
    if (const auto one = claim->as_string()) {
        audiences.push_back(*one);
    } else if (auto several = claim->as_strings()) {
        audiences = std::move(*several);
    }
    if (std::ranges::find(audiences, client_id) == audiences.end()) {
        return refuse(ErrorCode::audience_mismatch, "aud: does not name this client");
    }
    const auto azp = claims.find("azp");
    if (!azp && audiences.size() > 1) {
        return refuse(ErrorCode::authorized_party_mismatch, "azp: missing although aud names others too");
    }
    if (azp && azp->as_string() != std::string_view{client_id}) {
        return refuse(ErrorCode::authorized_party_mismatch, "azp: not this client");
    }
    return {};
}

std::expected<std::string, Error> check_subject(const json::Value& claims) {
    const auto value = claims.string_member("sub");
    if (!value || value->empty() || value->size() > kMaxSubjectBytes) {
        return refuse(ErrorCode::subject_invalid, "sub: missing, empty, too long or not a string");
    }
    // The subject becomes REMOTE_USER: no space, control or non-ASCII character may stand in it.
    if (!std::ranges::all_of(*value, [](unsigned char c) { return c > 0x20 && c < 0x7f; })) {
        return refuse(ErrorCode::subject_invalid, "sub: characters outside printable ASCII");
    }
    return std::string{*value};
}

std::expected<UnixTime, Error> check_expiry(const json::Value& claims, std::chrono::seconds skew, UnixTime now) {
    const auto claim = claims.find("exp");
    const auto seconds = claim ? claim->as_numeric_date() : std::nullopt;
    if (!seconds) {
        return refuse(ErrorCode::token_expired, claim ? "exp: not a date" : "exp: missing");
    }
    const auto expires = core::from_unix_seconds(*seconds);
    if (expires <= now - skew) {
        return refuse(ErrorCode::token_expired, "exp: past; check the clock of this server");
    }
    return expires;
}

std::expected<void, Error> check_not_before(const json::Value& claims, std::chrono::seconds skew, UnixTime now) {
    const auto claim = claims.find("nbf");
    if (!claim) {
        return {};
    }
    const auto seconds = claim->as_numeric_date();
    if (!seconds || core::from_unix_seconds(*seconds) > now + skew) {
        return refuse(ErrorCode::token_not_yet_valid, seconds ? "nbf: in the future; check the clock of this server" : "nbf: not a date");
    }
    return {};
}

std::expected<UnixTime, Error> check_issued_at(const json::Value& claims, std::chrono::seconds skew, UnixTime now) {
    const auto claim = claims.find("iat");
    const auto seconds = claim ? claim->as_numeric_date() : std::nullopt;
    if (!seconds) {
        return refuse(ErrorCode::issued_at_invalid, claim ? "iat: not a date" : "iat: missing");
    }
    const auto issued = core::from_unix_seconds(*seconds);
    if (issued > now + skew) {
        return refuse(ErrorCode::issued_at_invalid, "iat: in the future; check the clock of this server");
    }
    if (issued < now - kOldestToken) {
        return refuse(ErrorCode::issued_at_invalid, "iat: absurdly old");
    }
    return issued;
}

std::expected<IdTokenClaims, Error> check_id_token(const VerifiedJwt& token, const IdTokenExpectations& expected, UnixTime now) {
    const auto claims = token.claims();
    auto result = check_common_claims(claims, expected, now);
    if (!result) {
        return result;
    }
    if (auto ok = check_nonce(claims, expected.nonce); !ok) {                      // item 11
        return std::unexpected(std::move(ok.error()));
    }
    auto acr = check_acr(claims, expected.acr_values);                             // item 12
    if (!acr) {
        return std::unexpected(std::move(acr.error()));
    }
    auto auth_time = check_auth_time(claims, expected, now);                       // item 13
    if (!auth_time) {
        return std::unexpected(std::move(auth_time.error()));
    }
    auto amr = read_amr(claims);
    if (!amr) {
        return std::unexpected(std::move(amr.error()));
    }
    auto sid = read_sid(claims);
    if (!sid) {
        return std::unexpected(std::move(sid.error()));
    }
    result->acr = std::move(*acr);
    result->auth_time = *auth_time;
    result->amr = std::move(*amr);
    result->sid = std::move(*sid);
    return result;
}

std::expected<IdTokenClaims, Error> check_refreshed_id_token(const VerifiedJwt& token, const IdTokenExpectations& expected, const IdTokenClaims& original,
                                                             UnixTime now) {
    const auto claims = token.claims();
    auto result = check_common_claims(claims, expected, now);
    if (!result) {
        return result;
    }
    if (result->issuer != original.issuer) {
        return refuse(ErrorCode::issuer_mismatch, "iss: not the one of the login");
    }
    if (result->subject != original.subject) {   // a subject that is empty was refused above
        return refuse(ErrorCode::subject_invalid, "sub: the refreshed id_token is about somebody else");
    }
    if (result->issued < original.issued - expected.clock_skew) {
        return refuse(ErrorCode::issued_at_invalid, "iat: before the login");
    }
    auto auth_time = check_auth_time(claims, expected, now);
    if (!auth_time) {
        return std::unexpected(std::move(auth_time.error()));
    }
    if (*auth_time && *auth_time != original.auth_time) {
        return refuse(ErrorCode::auth_time_invalid, "auth_time: not the one of the login");
    }
    result->auth_time = *auth_time;
    if (result->azp != original.azp) {
        return refuse(ErrorCode::authorized_party_mismatch, "azp: not as in the login");
    }
    if (claims.find("nonce")) {
        if (auto ok = check_nonce(claims, expected.nonce); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    return result;
}

}  // namespace proconnect::oidc
