// Decryption of tokens, see jwt.hpp.
#include <array>
#include <optional>

#include "core/base64url.hpp"
#include "crypto/key_agreement.hpp"
#include "oidc/jose_header.hpp"
#include "oidc/jwt.hpp"

namespace proconnect::oidc {
namespace {

constexpr std::size_t kMaxTries = 4;

std::unexpected<core::Error> refuse(core::ErrorCode code, std::string detail) {
    return std::unexpected(core::Error{code, std::move(detail)});
}

/// The one answer to whatever goes wrong after the header: which step failed would help to decrypt by trial, RFC 7516
/// section 11.5.
std::unexpected<core::Error> not_decrypted() {
    return refuse(core::ErrorCode::jwe_decryption, "JWE does not decrypt");
}

/// The parts of the compact serialization; all but the header decoded.
struct JweParts {
    std::string_view header;
    std::string encrypted_key;
    std::string iv;
    std::string ciphertext;
    std::string tag;
};

/// @param compact  has four dots
std::optional<JweParts> decode_parts(std::string_view compact) {
    std::array<std::string_view, 5> texts;
    for (auto& text : texts) {
        const auto end = compact.find('.');
        text = compact.substr(0, end);
        compact.remove_prefix(end == std::string_view::npos ? compact.size() : end + 1);
    }
    auto encrypted_key = core::base64url_decode(texts[1]);
    auto iv = core::base64url_decode(texts[2]);
    auto ciphertext = core::base64url_decode(texts[3]);
    auto tag = core::base64url_decode(texts[4]);
    if (!encrypted_key || !iv || !ciphertext || !tag) {
        return std::nullopt;
    }
    return JweParts{.header = texts[0],
                    .encrypted_key = std::move(*encrypted_key),
                    .iv = std::move(*iv),
                    .ciphertext = std::move(*ciphertext),
                    .tag = std::move(*tag)};
}

/// An optional base64url member: empty when absent, nothing when malformed.
std::optional<std::string> optional_bytes(json::Value object, std::string_view name) {
    const auto member = object.find(name);
    if (!member) {
        return std::string{};
    }
    const auto text = member->as_string();
    return text ? core::base64url_decode(*text) : std::nullopt;
}

/// RFC 7518 section 4.6.1.
std::expected<core::Secret, core::Error> agree(const crypto::PrivateKey& key, const JoseHeader& header, const JweParts& parts) {
    const auto epk = header.root().find("epk");
    const auto apu = optional_bytes(header.root(), "apu");
    const auto apv = optional_bytes(header.root(), "apv");
    if (!epk || epk->string_member("kty") != "EC" || epk->string_member("crv") != "P-256" || !apu || !apv ||
        !parts.encrypted_key.empty()) {
        return not_decrypted();
    }
    const auto x = optional_bytes(*epk, "x");
    const auto y = optional_bytes(*epk, "y");
    if (!x || !y) {
        return not_decrypted();
    }
    return crypto::agree_ecdh_es(key, *x, *y, *apu, *apv);
}

/// Our keys that may decrypt: the one that `kid` names, or else each of the algorithm's kind.
std::vector<const crypto::PrivateKey*> candidates(std::span<const crypto::PrivateKey> keys, crypto::KeyKind kind, std::string_view kid) {
    std::vector<const crypto::PrivateKey*> fitting;
    for (const auto& key : keys) {
        if (key.kind() != kind) {
            continue;
        }
        if (!kid.empty() && key.thumbprint() == std::string{kid}) {
            return {&key};
        }
        if (fitting.size() < kMaxTries) {
            fitting.push_back(&key);
        }
    }
    return fitting;
}

}  // namespace

std::expected<std::string, core::Error> decrypt_jwe(std::string_view compact, std::span<const crypto::PrivateKey> keys) {
    if (compact.size() > kMaxJwtBytes) {
        return refuse(core::ErrorCode::jwt_malformed, "JWE: too large");
    }
    if (const auto form = token_form(compact); form != TokenForm::jwe) {
        return form == TokenForm::jws ? refuse(core::ErrorCode::jwt_form_unexpected, "JWE: signed only where an encrypted one was expected")
                                      : refuse(core::ErrorCode::jwt_malformed, "JWE: not in compact serialization");
    }
    const auto header = JoseHeader::parse(compact.substr(0, compact.find('.')));
    if (!header) {
        return std::unexpected(header.error());
    }
    // Unlike in a JWS, where it means nothing, `zip` must not be ignored here: RFC 7516 section 4.1.3.
    if (header->root().find("zip")) {
        return refuse(core::ErrorCode::jwt_critical_header, "JWE: header parameter zip is not supported");
    }
    const bool is_ecdh = header->algorithm() == "ECDH-ES";
    if ((!is_ecdh && header->algorithm() != "RSA-OAEP") || header->encryption() != "A256GCM") {
        return refuse(core::ErrorCode::jwt_algorithm, "JWE: alg and enc are not ECDH-ES or RSA-OAEP with A256GCM");
    }
    const auto fitting = candidates(keys, is_ecdh ? crypto::KeyKind::ec_p256 : crypto::KeyKind::rsa, header->kid());
    if (fitting.empty()) {
        return refuse(core::ErrorCode::jwt_key_unusable, "JWE: no decryption key is of the algorithm's kind");
    }
    const auto parts = decode_parts(compact);
    if (!parts) {
        return not_decrypted();
    }
    for (const auto* const key : fitting) {
        const auto content_key = is_ecdh ? agree(*key, *header, *parts) : crypto::unwrap_rsa_oaep(*key, parts->encrypted_key);
        if (!content_key) {
            continue;
        }
        auto plaintext = crypto::decrypt_a256gcm(*content_key, parts->iv, parts->header, parts->ciphertext, parts->tag);
        if (plaintext) {
            return plaintext;
        }
    }
    return not_decrypted();
}

}  // namespace proconnect::oidc
