#include "oidc/jose_header.hpp"

#include <algorithm>

#include "core/base64url.hpp"

namespace proconnect::oidc {
namespace {

// An x5c chain fits; nobody needs more.
constexpr json::Limits kHeaderLimits{.max_bytes = 16384, .max_depth = 4, .max_values = 200, .max_string_bytes = 8192};

std::unexpected<core::Error> refuse(core::ErrorCode code, std::string detail) {
    return std::unexpected(core::Error{code, std::move(detail)});
}

/// Whether `typ` lets the token be what we take it for: a media type, compared without regard to case, whose "application/" may be left out.
bool lets_be(const std::optional<json::Value>& type, TokenType expected) {
    if (!type) {
        return expected == TokenType::jwt;   // OpenID Connect asks for none in its own tokens, RFC 9701 section 5 for one in an answer
    }
    static constexpr auto kLower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    const auto is = [text = type->as_string()](std::string_view name) { return text && std::ranges::equal(*text, name, {}, kLower); };
    return expected == TokenType::jwt ? is("jwt") || is("application/jwt") : is("token-introspection+jwt") || is("application/token-introspection+jwt");
}

}  // namespace

std::expected<JoseHeader, core::Error> JoseHeader::parse(std::string_view encoded, TokenType type) {
    const auto text = core::base64url_decode(encoded);
    if (!text) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT: the header is not base64url");
    }
    auto document = json::Document::parse_object(*text, kHeaderLimits);
    if (!document) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT header: " + document.error().detail);
    }
    const auto header = document->root();
    for (const char* const name : {"crit", "b64"}) {
        if (header.find(name)) {
            return refuse(core::ErrorCode::jwt_critical_header, std::string{"JWT: header parameter "} + name + " is not supported");
        }
    }
    const auto alg = header.find("alg");
    const auto kid = header.find("kid");
    if (!alg || !alg->is_string() || (kid && !kid->is_string())) {
        return refuse(core::ErrorCode::jwt_malformed, "JWT: header without alg, or alg or kid is no string");
    }
    // An access token or a logout token of the same provider bears a good signature and much the same claims.
    if (!lets_be(header.find("typ"), type)) {
        return refuse(core::ErrorCode::jwt_form_unexpected, "JWT: typ says that it is another kind of token");
    }
    return JoseHeader{std::move(*document)};
}

}  // namespace proconnect::oidc
