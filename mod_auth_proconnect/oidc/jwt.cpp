#include "oidc/jwt.hpp"

#include <algorithm>
#include <array>

#include "core/base64url.hpp"

namespace proconnect::oidc {
namespace {

using crypto::SignatureAlgorithm;

constexpr std::size_t kMaxTries = 8;

std::unexpected<core::Error> refuse(core::ErrorCode code, std::string detail) {
    return std::unexpected(core::Error{code, std::move(detail)});
}

struct JwsParts {
    std::string_view header;
    std::string_view payload;
    std::string_view signing_input;  ///< header and payload with the dot between them
    std::string_view signature;
};

JwsParts split_jws(std::string_view compact) noexcept {
    const auto first = compact.find('.');
    const auto second = compact.find('.', first + 1);
    return {.header = compact.substr(0, first),
            .payload = compact.substr(first + 1, second - first - 1),
            .signing_input = compact.substr(0, second),
            .signature = compact.substr(second + 1)};
}

crypto::KeyKind kind_for(SignatureAlgorithm algorithm) noexcept {
    return algorithm == SignatureAlgorithm::rs256 ? crypto::KeyKind::rsa : crypto::KeyKind::ec_p256;
}

/// The keys that may have made the signature, RFC 7515 section 6 and appendix D. An empty `kid` counts as absent.
std::expected<std::vector<const crypto::PublicKey*>, core::Error> candidates(const JsonWebKeySet& jwks, SignatureAlgorithm algorithm,
                                                                             std::string_view kid) {
    std::vector<const crypto::PublicKey*> fitting;
    bool kid_known = kid.empty();
    for (const auto& entry : jwks.keys()) {
        if (!kid.empty() && entry.kid != kid) {
            continue;
        }
        kid_known = true;
        if (entry.key.kind() == kind_for(algorithm) && fitting.size() < kMaxTries) {
            fitting.push_back(&entry.key);
        }
    }
    if (!kid_known) {
        return refuse(core::ErrorCode::jwt_key_unknown, "JWT: kid is not in the JWKS (" + std::to_string(jwks.keys().size()) +
                                                            " usable keys, " + std::to_string(jwks.skipped()) + " ignored)");
    }
    return fitting;
}

std::expected<void, core::Error> verify_with_jwks(const JsonWebKeySet* jwks, SignatureAlgorithm algorithm, std::string_view kid,
                                                  std::string_view signing_input, std::string_view signature) {
    if (jwks == nullptr) {
        return refuse(core::ErrorCode::jwt_key_unusable, "JWT: there is no JWKS");
    }
    const auto keys = candidates(*jwks, algorithm, kid);
    if (!keys) {
        return std::unexpected(keys.error());
    }
    std::expected<void, core::Error> result = refuse(core::ErrorCode::jwt_key_unusable, "JWT: no key of the JWKS is of the algorithm's kind");
    for (const auto* key : *keys) {
        result = crypto::verify_signature(algorithm, *key, signing_input, signature);
        if (result) {
            break;
        }
    }
    return result;
}

std::expected<void, core::Error> verify_with_secret(const core::Secret* secret, std::string_view signing_input, std::string_view signature) {
    if (secret == nullptr) {
        return refuse(core::ErrorCode::jwt_key_unusable, "JWT: there is no client secret for HS256");
    }
    return crypto::verify_hs256(*secret, signing_input, signature);
}

}  // namespace

bool AlgorithmPolicy::allows(SignatureAlgorithm algorithm) const noexcept {
    switch (algorithm) {
        case SignatureAlgorithm::es256: return es256;
        case SignatureAlgorithm::rs256: return rs256;
        case SignatureAlgorithm::hs256: return hs256;
    }
    return false;
}

TokenForm token_form(std::string_view text) noexcept {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    if (text.find_first_not_of(kAlphabet) != std::string_view::npos) {
        return TokenForm::other;
    }
    switch (std::ranges::count(text, '.')) {
        case 2: return TokenForm::jws;
        case 4: return TokenForm::jwe;
        default: return TokenForm::other;
    }
}

std::expected<VerifiedJwt, core::Error> verify_jws(std::string_view compact, const AlgorithmPolicy& policy, const VerificationKeys& keys, TokenType type) {
    if (compact.size() > kMaxJwtBytes) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT: too large");
    }
    if (const auto form = token_form(compact); form != TokenForm::jws) {
        return form == TokenForm::jwe ? refuse(core::ErrorCode::jwt_form_unexpected, "JWT: encrypted where a signed one was expected")
                                      : refuse(core::ErrorCode::jwt_malformed, "JWT: not in compact serialization");
    }
    const auto parts = split_jws(compact);
    const auto header = JoseHeader::parse(parts.header, type);
    if (!header) {
        return std::unexpected(header.error());
    }
    // RFC 8725 section 3.1: the algorithm is the caller's choice, the token can only agree.
    const auto algorithm = crypto::parse_signature_algorithm(header->algorithm());
    if (!algorithm || !policy.allows(*algorithm)) {
        return refuse(core::ErrorCode::jwt_algorithm, "JWT: alg is not the configured one");
    }
    const auto signature = core::base64url_decode(parts.signature);
    if (!signature) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT: the signature is not base64url");
    }
    auto verified = *algorithm == SignatureAlgorithm::hs256
                        ? verify_with_secret(keys.client_secret, parts.signing_input, *signature)
                        : verify_with_jwks(keys.jwks, *algorithm, header->kid(), parts.signing_input, *signature);
    if (!verified) {
        return std::unexpected(std::move(verified.error()));
    }
    // The claims are read only now that they are known to be the provider's.
    const auto payload = core::base64url_decode(parts.payload);
    if (!payload) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT: the payload is not base64url");
    }
    auto claims = json::Document::parse_object(*payload);
    if (!claims) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT claims: " + claims.error().detail);
    }
    return VerifiedJwt{std::move(*claims), *algorithm};
}

std::expected<core::Secret, core::Error> decrypt_if_configured(std::string_view compact, std::span<const crypto::PrivateKey> decryption_keys) {
    if (decryption_keys.empty()) {
        if (token_form(compact) == TokenForm::jwe) {
            return refuse(core::ErrorCode::jwt_form_unexpected, "JWT: encrypted, but ProConnectDecryptionKey is not configured");
        }
        return core::Secret{std::string{compact}};
    }
    auto plaintext = decrypt_jwe(compact, decryption_keys);
    if (!plaintext) {
        return std::unexpected(std::move(plaintext.error()));
    }
    return core::Secret{std::move(*plaintext)};
}

std::expected<VerifiedJwt, core::Error> open_token(std::string_view compact, const AlgorithmPolicy& policy, const VerificationKeys& keys,
                                                   std::span<const crypto::PrivateKey> decryption_keys) {
    const auto signed_token = decrypt_if_configured(compact, decryption_keys);
    if (!signed_token) {
        return std::unexpected(signed_token.error());
    }
    return verify_jws(signed_token->reveal(), policy, keys);
}

}  // namespace proconnect::oidc
