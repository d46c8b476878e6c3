#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include "core/error.hpp"
#include "json/document.hpp"

namespace proconnect::oidc {

/// What a token may say that it is, in `typ`; RFC 8725 section 3.11. An answer to introspection must; a JWT without `typ` says nothing.
enum class TokenType {
    jwt,                  ///< "JWT"
    token_introspection,  ///< "token-introspection+jwt", RFC 9701 section 5
};

/// The protected header of a JWS or JWE, RFC 7515 section 4 and RFC 7516 section 4. Says what the token claims about itself;
/// `jwk`, `jku`, `x5c` and `x5u` are deliberately out of reach.
class JoseHeader {
public:
    /// @param encoded  the first part of the compact serialization
    /// @param type     what `typ` says
    /// @return PC3001 when it is no base64url of a JSON object with a string `alg`, or `kid` is no string; PC3005 when it has
    ///         `crit` (we understand no extension) or `b64` (RFC 7797); PC3007 when `typ` is another than `type`, or is missing where it must be there
    static std::expected<JoseHeader, core::Error> parse(std::string_view encoded, TokenType type = TokenType::jwt);

    [[nodiscard]] std::string_view algorithm() const noexcept { return text("alg"); }
    [[nodiscard]] std::string_view encryption() const noexcept { return text("enc"); }
    [[nodiscard]] std::string_view kid() const noexcept { return text("kid"); }
    /// For the parameters of the key agreement: `epk`, `apu`, `apv`.
    [[nodiscard]] json::Value root() const noexcept { return document_.root(); }

private:
    explicit JoseHeader(json::Document document) noexcept : document_(std::move(document)) {}
    /// "" when absent or no string
    [[nodiscard]] std::string_view text(std::string_view name) const noexcept { return document_.root().string_member(name).value_or(""); }
    json::Document document_;
};

}  // namespace proconnect::oidc
