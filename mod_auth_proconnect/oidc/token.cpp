#include "oidc/token.hpp"

#include <algorithm>

#include "json/document.hpp"
#include "oidc/client_authentication.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;

constexpr std::size_t kMaxOpaqueTokenBytes = 16 * 1024;
constexpr std::chrono::hours kLongestAccessToken{24 * 7};

Error malformed(std::string why) {
    return Error{ErrorCode::token_response_malformed, "token endpoint: " + std::move(why)};
}

// Error codes are printable ASCII, RFC 6749 section 5.2; anything else is not repeated in the log.
std::string printable_error_code(std::string_view text) {
    const bool clean = !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    return clean ? std::string{text} : "an unreadable error";
}

}  // namespace

// Anything else could not be sent back in a header.
bool is_token_text(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMaxOpaqueTokenBytes && std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool is_bearer(std::string_view token_type) noexcept {
    return std::ranges::equal(token_type, std::string_view{"bearer"}, {}, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
}

std::expected<TokenResponse, Error> parse_token_response(std::string_view body, bool needs_id_token) {
    const auto document = json::Document::parse_object(body);
    if (!document) {
        return std::unexpected(malformed("the answer is not a JSON object (" + document.error().detail + ")"));
    }
    const auto root = document->root();
    const auto type = root.string_member("token_type");
    if (!type || !is_bearer(*type)) {
        return std::unexpected(malformed("token_type is not Bearer"));
    }
    const auto access_token = root.string_member("access_token");
    if (!access_token || !is_token_text(*access_token)) {
        return std::unexpected(malformed("access_token is missing, empty, too long or not plain text"));
    }
    TokenResponse response;
    response.access_token = core::Secret{std::string{*access_token}};
    if (const auto id_token = root.find("id_token")) {
        const auto text = id_token->as_string();
        if (!text || text->empty() || text->size() > kMaxJwtBytes) {
            return std::unexpected(malformed("id_token is empty, too long or not a string"));
        }
        response.id_token = core::Secret{std::string{*text}};
    } else if (needs_id_token) {
        return std::unexpected(malformed("id_token is missing"));
    }
    if (const auto refresh_token = root.find("refresh_token")) {
        const auto text = refresh_token->as_string();
        if (!text || !is_token_text(*text)) {
            return std::unexpected(malformed("refresh_token is empty, too long or not plain text"));
        }
        response.refresh_token = core::Secret{std::string{*text}};
    }
    if (const auto expires_in = root.find("expires_in")) {
        const auto seconds = expires_in->as_int64();
        if (!seconds || *seconds < 0) {
            return std::unexpected(malformed("expires_in is not a number of seconds"));
        }
        response.expires_in = std::min<std::chrono::seconds>(std::chrono::seconds{*seconds}, kLongestAccessToken);
    }
    return response;
}

Error token_endpoint_error(const http::Response& response, const RelyingParty& client) {
    const auto status = std::to_string(response.status);
    const auto document = json::Document::parse_object(response.body);
    const auto error = document ? document->root().string_member("error") : std::nullopt;
    if (!error) {
        return Error{ErrorCode::provider_status, "token endpoint: HTTP status " + status + " without an OAuth error"};
    }
    const std::string refused = "ProConnect refused client_id " + client.client_id + ": " + printable_error_code(*error);
    if (*error == "invalid_client") {
        return Error{ErrorCode::client_refused, refused + " (HTTP " + status + "): ProConnectClientSecret or ProConnectClientKey is not the one "
                                                "registered for this client on this platform"};
    }
    if (*error == "unauthorized_client") {
        return Error{ErrorCode::client_refused, refused + " (HTTP " + status + "): the registration does not allow the code flow or the authentication method"};
    }
    if (*error == "invalid_grant") {
        return Error{ErrorCode::code_refused, refused + ": the code was used already, is older than a minute, or belongs to another redirect URI"};
    }
    return Error{ErrorCode::token_request_refused, refused + " (HTTP " + status + ")"};
}

std::expected<http::Response, Error> post_form(http::Client& http, const std::string& endpoint, const ProviderMetadata& provider, const RelyingParty& client,
                                               core::ParameterList& body, core::UnixTime now, std::string accept) {
    http::Request request;
    request.method = http::Request::Method::post;
    request.url = endpoint;
    request.accept = std::move(accept);
    if (auto added = add_client_authentication(client, provider.token_endpoint, now, body, request); !added) {
        return std::unexpected(std::move(added.error()));
    }
    request.body = core::Secret{body.take()};
    return http.send(request);
}

std::expected<TokenResponse, Error> exchange_code(http::Client& http, const ProviderMetadata& provider, const RelyingParty& client, std::string_view code,
                                                  std::string_view code_verifier, core::UnixTime now) {
    core::ParameterList body;
    body.add("grant_type", "authorization_code").add("code", code).add("redirect_uri", client.redirect_uri).add("code_verifier", code_verifier);
    const auto response = post_form(http, provider.token_endpoint, provider, client, body, now);
    if (!response) {
        return std::unexpected(response.error());
    }
    if (response->status != 200) {
        return std::unexpected(token_endpoint_error(*response, client));
    }
    return parse_token_response(response->body, true);
}

std::expected<VerifiedJwt, Error> open_id_token(const ProviderCall& call, std::shared_ptr<const Provider>& provider, TokenResponse& tokens) {
    auto signed_token = decrypt_if_configured(tokens.id_token.reveal(), call.client.decryption_keys);
    if (!signed_token) {
        return std::unexpected(std::move(signed_token.error()));
    }
    tokens.id_token = std::move(*signed_token);
    return with_fresh_keys(call, provider, [&](const JsonWebKeySet& jwks) {
        return verify_jws(tokens.id_token.reveal(), call.client.id_token_algorithms, verification_keys(call.client, jwks));
    });
}

}  // namespace proconnect::oidc
