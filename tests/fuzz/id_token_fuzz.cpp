// check_id_token() and check_refreshed_id_token() on claims that are rightly signed. What they accept is judged again here, by a plain reading of
// the specification.
#include <algorithm>
#include <cmath>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/id_token.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using oidc::IdTokenExpectations;

constexpr std::string_view kNonce = "nonce-of-this-login-0123456789";
constexpr std::string_view kAccessToken = "jHkWEdUXQGJ1vMYTKxVcDg";
constexpr std::string_view kAccessTokenHash = "_6TFANGGnfP1km_XHtg5Yg";
constexpr double kUnixNow = 1'800'000'000;

IdTokenExpectations expectations(bool strict) {
    IdTokenExpectations expected{.issuer = std::string{kIssuer},
                                 .client_id = std::string{kClientId},
                                 .nonce = core::Secret{std::string{kNonce}},
                                 .access_token = core::Secret{std::string{kAccessToken}},
                                 .acr_values = {},
                                 .authenticated_since = {}};
    if (strict) {
        expected.acr_values = {"eidas2", "eidas3"};
        expected.authenticated_since = kNow - std::chrono::minutes{5};
    }
    return expected;
}

/// NaN when the claim is no number, so that every comparison with it is false.
double number(const json::Value& claims, std::string_view name) {
    const auto claim = claims.find(name);
    return claim && claim->type() == json::Value::Type::number ? std::strtod(claim->to_text().c_str(), nullptr) : std::nan("");
}

bool names_us(const json::Value& audience) {
    const auto several = audience.as_strings();
    return audience.as_string() == kClientId || (several && std::ranges::find(*several, kClientId) != several->end());
}

void check_common(const json::Value& claims) {
    require(claims.string_member("iss") == kIssuer, "iss is the issuer");
    const auto aud = claims.find("aud");
    require(aud && names_us(*aud), "aud names us");
    const auto azp = claims.find("azp");
    require(azp ? azp->as_string() == kClientId : aud->size() <= 1, "azp is ours, and there where aud names others");
    require(number(claims, "exp") > kUnixNow - 60, "exp is not past");
    require(number(claims, "iat") < kUnixNow + 61 && number(claims, "iat") >= kUnixNow - 86400, "iat is of today");
    const auto sub = claims.string_member("sub").value_or("");
    require(!sub.empty() && sub.size() <= 255 && std::ranges::all_of(sub, [](char c) { return c > ' ' && c <= '~'; }), "sub is a name");
    const auto at_hash = claims.find("at_hash");
    require(!at_hash || at_hash->as_string() == kAccessTokenHash, "at_hash is that of the access token");
}

void check_first(const json::Value& claims, const oidc::IdTokenClaims& accepted, bool strict) {
    require(claims.string_member("nonce") == kNonce, "nonce is the one of this login");
    const auto acr = claims.string_member("acr").value_or("");
    require(accepted.acr == acr, "acr is what the token says");
    require(accepted.subject == claims.string_member("sub") && accepted.issuer == kIssuer, "the identity is the token's");
    require(accepted.amr.size() <= 32 && accepted.sid.size() <= 255, "amr and sid are bounded");
    const auto auth_time = number(claims, "auth_time");
    require(!claims.find("auth_time") || auth_time < kUnixNow + 61, "auth_time is not in the future");
    if (strict) {
        require(acr == "eidas2" || acr == "eidas3", "acr is one of those asked for");
        require(auth_time >= kUnixNow - 300 - 60, "auth_time is of this login");
    }
}

/// A login that this very token might refresh.
oidc::IdTokenClaims login_of(const json::Value& claims) {
    oidc::IdTokenClaims original;
    original.issuer = kIssuer;
    original.subject = claims.string_member("sub").value_or("");
    original.azp = claims.string_member("azp").value_or("");
    return original;
}

Verdict judge(std::string_view input) {
    const auto token = oidc::verify_jws(hs256_token(input), {.hs256 = true}, {.jwks = nullptr, .client_secret = &client_secret()});
    if (!token) {
        return Verdict::refused;
    }
    const auto claims = token->claims();
    const auto accepted = oidc::check_id_token(*token, expectations(false), kNow);
    const auto strict = oidc::check_id_token(*token, expectations(true), kNow);
    const auto original = login_of(claims);
    const auto refreshed = oidc::check_refreshed_id_token(*token, expectations(false), original, kNow);
    auto other = original;
    other.subject += 'x';
    require(!oidc::check_refreshed_id_token(*token, expectations(false), other, kNow), "a refresh never changes the subject");
    require(accepted || !strict, "more expectations accept less");
    require(!accepted || oidc::check_refreshed_id_token(*token, expectations(false), *accepted, kNow), "what is good at login is good at refresh");
    if (refreshed) {
        check_common(claims);
        require(!claims.find("nonce") || claims.string_member("nonce") == kNonce, "a refresh has no nonce, or the same one");
    }
    if (strict) {
        check_first(claims, *strict, true);
    }
    if (!accepted) {
        return Verdict::refused;
    }
    check_first(claims, *accepted, false);
    for (const bool nonce_missing : {true, false}) {
        auto expected = expectations(false);
        (nonce_missing ? expected.nonce : expected.access_token) = core::Secret{};
        const auto without = oidc::check_id_token(*token, expected, kNow);
        require(!without || (!nonce_missing && !claims.find("at_hash")), "an expectation that was never set refuses");
    }
    return Verdict::accepted;
}

const Registration kTarget{"id_token", judge};

}  // namespace
