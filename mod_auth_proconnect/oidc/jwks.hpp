#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "crypto/signature.hpp"

namespace proconnect::oidc {

/// The provider's public signing keys, RFC 7517. Immutable once parsed.
class JsonWebKeySet {
public:
    static constexpr std::size_t kMaxKeys = 100;

    struct Key {
        std::string kid;                    ///< "" when absent
        crypto::PublicKey key;
    };

    /// Keys that cannot be used for verification are skipped, never an error: other kty or crv, `use` other than "sig", `alg` other
    /// than the one of the kind, key_ops without "verify", weak RSA, points off the curve, oct, and keys published with their private half. A text that
    /// is no JWK set is PC2012, and so is a set without one usable key or with more than kMaxKeys.
    static std::expected<JsonWebKeySet, core::Error> parse(std::string_view text);

    [[nodiscard]] const std::vector<Key>& keys() const noexcept { return keys_; }
    [[nodiscard]] std::size_t skipped() const noexcept { return skipped_; }

private:
    std::vector<Key> keys_;
    std::size_t skipped_ = 0;
};

}  // namespace proconnect::oidc
