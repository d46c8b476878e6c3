// verify_jws() and open_token(). An input is a compact token, or "header JSON -- payload", which is signed by the key its `alg` asks for; a third part
// is the secret to sign with instead, when `alg` is not one of the asymmetric ones.
#include <algorithm>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/jwt.hpp"
#include "support/token_factory.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using core::ErrorCode;
using oidc::AlgorithmPolicy;

constexpr AlgorithmPolicy kAll{.es256 = true, .rs256 = true, .hs256 = true};
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string token_of(std::string_view input) {
    if (!input.starts_with('{')) {
        return std::string{input};
    }
    const auto parts = split_parts(input, 3);
    return parts[2].empty() ? signed_as_announced(parts[0], parts[1]) : signed_as_announced(parts[0], parts[1], parts[2]);
}

std::expected<oidc::VerifiedJwt, core::Error> verify(std::string_view token, const AlgorithmPolicy& policy) {
    return oidc::verify_jws(token, policy, {.jwks = &provider_keys(), .client_secret = &client_secret()});
}

void check_refusal(const core::Error& error, std::string_view token) {
    constexpr ErrorCode kExpected[] = {ErrorCode::jwt_malformed,       ErrorCode::jwt_algorithm,      ErrorCode::jwt_signature,      ErrorCode::jwt_key_unusable,
                                       ErrorCode::jwt_critical_header, ErrorCode::jwt_form_unexpected, ErrorCode::jwt_key_unknown};
    require(std::ranges::find(kExpected, error.code) != std::end(kExpected), "a token is refused with a code of tokens");
    const auto signature = token.substr(std::min(token.rfind('.'), token.size()));
    require(signature.size() < 16 || !error.detail.contains(signature.substr(1)), "the detail does not quote the token");
}

void check_accepted(const std::string& token, const oidc::VerifiedJwt& jwt) {
    require(token.size() <= oidc::kMaxJwtBytes && std::ranges::count(token, '.') == 2, "an accepted token is in compact form");
    const auto first = token.find('.');
    const auto header = json::Document::parse_object(test::decoded(token.substr(0, first)));
    require(header.has_value(), "an accepted header is JSON");
    const auto root = header->root();
    require(root.string_member("alg") == crypto::to_text(jwt.algorithm()), "the algorithm is the header's");
    require(!root.find("crit") && !root.find("b64"), "no extension is accepted");
    const auto kid = root.find("kid");
    require(!kid || kid->is_string(), "kid is a string");
    const auto payload = test::decoded(token.substr(first + 1, token.rfind('.') - first - 1));
    const auto claims = json::Document::parse_object(payload);
    require(claims && claims->root().to_text() == jwt.claims().to_text(), "the claims are the payload's");
    // Whatever character of it is another one: it is no more the provider's token.
    auto changed = token;
    const auto place = (token.size() * 7919 + static_cast<unsigned char>(token[token.size() / 2])) % token.size();
    if (changed[place] != '.') {
        const auto value = kAlphabet.find(changed[place]);
        changed[place] = kAlphabet[(value + 1 + token.size() % 62) % kAlphabet.size()];
        require(changed == token || !verify(changed, kAll), "a changed token is refused");
    }
    require(!oidc::verify_jws(token, kAll, {.jwks = &foreign_keys(), .client_secret = nullptr}), "the keys of others accept nothing");
    require(!oidc::verify_jws(token, kAll, {}), "without keys nothing is accepted");
    const auto bare = oidc::open_token(token, kAll, {.jwks = &provider_keys(), .client_secret = &client_secret()}, decryption_keys());
    require(!bare && bare.error().code == ErrorCode::jwt_form_unexpected, "a signed token is refused where an encrypted one was expected");
}

Verdict judge(std::string_view input) {
    const auto token = token_of(input);
    const auto jwt = verify(token, kAll);
    for (const auto algorithm : {crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::rs256, crypto::SignatureAlgorithm::hs256}) {
        const AlgorithmPolicy only{.es256 = algorithm == crypto::SignatureAlgorithm::es256,
                                   .rs256 = algorithm == crypto::SignatureAlgorithm::rs256,
                                   .hs256 = algorithm == crypto::SignatureAlgorithm::hs256};
        require(verify(token, only).has_value() == (jwt && jwt->algorithm() == algorithm), "a token fits one algorithm only");
    }
    require(!verify(token, {}), "a policy without algorithms accepts nothing");
    const auto opened = oidc::open_token(token, kAll, {.jwks = &provider_keys(), .client_secret = &client_secret()}, {});
    require(opened.has_value() == jwt.has_value(), "open_token without decryption keys is verify_jws");
    if (!jwt) {
        check_refusal(jwt.error(), token);
        return Verdict::refused;
    }
    check_accepted(token, *jwt);
    return Verdict::accepted;
}

const Registration kTarget{"jws", judge};

}  // namespace
