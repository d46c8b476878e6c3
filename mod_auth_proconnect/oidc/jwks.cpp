#include "oidc/jwks.hpp"

#include <algorithm>
#include <optional>

#include "core/base64url.hpp"
#include "json/document.hpp"

namespace proconnect::oidc {
namespace {

std::unexpected<core::Error> malformed(std::string detail) {
    return std::unexpected(core::Error{core::ErrorCode::jwks_malformed, std::move(detail)});
}

/// Whether an optional member, when it is there, is this very string.
bool absent_or_equal(json::Value jwk, std::string_view name, std::string_view expected) {
    const auto member = jwk.find(name);
    return !member || member->as_string() == expected;
}

/// RFC 7517 sections 4.2 to 4.4: the key may be used to verify signatures of its kind's one algorithm.
bool is_for_verification(json::Value jwk, std::string_view algorithm) {
    if (!absent_or_equal(jwk, "use", "sig") || !absent_or_equal(jwk, "alg", algorithm)) {
        return false;
    }
    const auto operations = jwk.find("key_ops");
    if (!operations) {
        return true;
    }
    const auto names = operations->as_strings();
    return names && std::ranges::find(*names, "verify") != names->end();
}

/// A base64url member, decoded; empty when absent or malformed.
std::string bytes_member(json::Value jwk, std::string_view name) {
    return core::base64url_decode(jwk.string_member(name).value_or("")).value_or("");
}

/// The key when it can be used. `x5c` and `x5u` are not looked at: the set comes over verified TLS already.
std::optional<JsonWebKeySet::Key> usable_key(json::Value jwk) {
    const auto kid = jwk.find("kid");
    // A key published together with its private half proves nothing any more.
    if ((kid && !kid->is_string()) || jwk.find("d")) {
        return std::nullopt;
    }
    const auto kty = jwk.string_member("kty");
    std::expected<crypto::PublicKey, core::Error> key = std::unexpected(core::Error{core::ErrorCode::jwt_key_unusable, ""});
    if (kty == "RSA" && is_for_verification(jwk, "RS256")) {
        key = crypto::PublicKey::from_rsa(bytes_member(jwk, "n"), bytes_member(jwk, "e"));
    } else if (kty == "EC" && jwk.string_member("crv") == "P-256" && is_for_verification(jwk, "ES256")) {
        key = crypto::PublicKey::from_p256(bytes_member(jwk, "x"), bytes_member(jwk, "y"));
    }
    if (!key) {
        return std::nullopt;
    }
    return JsonWebKeySet::Key{.kid = std::string{kid ? kid->as_string().value_or("") : ""}, .key = std::move(*key)};
}

}  // namespace

std::expected<JsonWebKeySet, core::Error> JsonWebKeySet::parse(std::string_view text) {
    const auto document = json::Document::parse_object(text);
    if (!document) {
        return malformed(document.error().detail);
    }
    const auto keys = document->root().find("keys");
    if (!keys || !keys->is_array()) {
        return malformed("JWKS has no array of keys");
    }
    if (keys->size() > kMaxKeys) {
        return malformed("JWKS has too many keys");
    }
    JsonWebKeySet set;
    keys->for_each_element([&set](json::Value jwk) {
        if (auto key = usable_key(jwk)) {
            set.keys_.push_back(std::move(*key));
        } else {
            ++set.skipped_;
        }
    });
    if (set.keys_.empty()) {
        return malformed("JWKS has no usable key");
    }
    return set;
}

}  // namespace proconnect::oidc
