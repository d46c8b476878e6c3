// JsonWebKeySet::parse().
#include "crypto/openssl_handles.hpp"
#include "fuzz/fuzz.hpp"
#include "json/document.hpp"
#include "oidc/jwks.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

void check_key(const oidc::JsonWebKeySet::Key& entry) {
    const auto bits = EVP_PKEY_get_bits(entry.key.impl().key.get());
    const bool is_rsa = entry.key.kind() == crypto::KeyKind::rsa;
    require(is_rsa ? bits >= 2048 && bits <= 8192 : bits == 256, "no key is weak or huge");
    const auto algorithm = is_rsa ? crypto::SignatureAlgorithm::rs256 : crypto::SignatureAlgorithm::es256;
    const std::string signature(static_cast<std::size_t>(is_rsa ? (bits + 7) / 8 : 64), '\0');
    require(!crypto::verify_signature(algorithm, entry.key, "input", signature), "a signature of zeros verifies under no key");
}

Verdict judge(std::string_view input) {
    const auto set = oidc::JsonWebKeySet::parse(input);
    if (!set) {
        require(set.error().code == core::ErrorCode::jwks_malformed, "a set is refused as a set");
        return Verdict::refused;
    }
    const auto document = json::Document::parse_object(input);
    require(document.has_value(), "an accepted set is a JSON object");
    const auto keys = document->root().find("keys");
    require(keys && keys->is_array() && keys->size() == set->keys().size() + set->skipped(), "each key is used or skipped");
    require(!set->keys().empty() && keys->size() <= oidc::JsonWebKeySet::kMaxKeys, "a set has one usable key, and not too many");
    std::size_t used = 0;
    keys->for_each_element([&](json::Value jwk) {
        const auto kty = jwk.string_member("kty");
        const bool may_be_used = (kty == "RSA" || kty == "EC") && !jwk.find("d") && jwk.string_member("use").value_or("sig") == "sig";
        used += may_be_used ? 1 : 0;
    });
    require(set->keys().size() <= used, "no secret, private or encryption key is used");
    for (const auto& key : set->keys()) {
        check_key(key);
    }
    return Verdict::accepted;
}

const Registration kTarget{"jwks", judge};

}  // namespace
