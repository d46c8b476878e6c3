#pragma once
#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "core/url.hpp"
#include "http/client.hpp"
#include "oidc/discovery.hpp"
#include "oidc/jwt.hpp"
#include "oidc/provider_call.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// A successful answer of the token endpoint, RFC 6749 section 5.1, Core section 3.1.3.3.
struct TokenResponse {
    core::Secret access_token;
    core::Secret id_token;                   ///< never empty after exchange_code(); may be empty after a refresh (Core 12.2)
    core::Secret refresh_token;              ///< "" when none came
    std::chrono::seconds expires_in{0};      ///< of the access token; 0 when not said: treat as expired
};

/// Redeems a code, Core section 3.1.3.1, RFC 7636 section 4.5. PC2020 invalid_client (the detail names the client, for the administrator),
/// PC2021 invalid_grant, PC2022 other OAuth errors, PC2004 other statuses, PC2023 whatever is malformed; PC200x from the network.
std::expected<TokenResponse, core::Error> exchange_code(http::Client& http, const ProviderMetadata& provider, const RelyingParty& client, std::string_view code,
                                                        std::string_view code_verifier, core::UnixTime now);

/// The ID token of an answer, Core section 3.1.3.7, items 1 and 6 to 8: decrypted where decryption is configured, and its signature verified, with
/// the keys fetched again where none that `provider` has verifies it. `tokens.id_token` is the signed one from then on, as a logout's id_token_hint must be.
std::expected<VerifiedJwt, core::Error> open_id_token(const ProviderCall& call, std::shared_ptr<const Provider>& provider, TokenResponse& tokens);

/// Whether a text can be an access or refresh token, RFC 6749 appendices A.12 and A.17: 1 to 16 384 bytes of printable ASCII without spaces.
[[nodiscard]] bool is_token_text(std::string_view text) noexcept;

/// Whether `token_type` is Bearer, in any letter case; RFC 6749 section 5.1.
[[nodiscard]] bool is_bearer(std::string_view token_type) noexcept;

/// A 200 answer's body; `id_token` is required when `needs_id_token`.
std::expected<TokenResponse, core::Error> parse_token_response(std::string_view body, bool needs_id_token);

/// An OAuth error answer, RFC 6749 section 5.2, as an Error for the log.
[[nodiscard]] core::Error token_endpoint_error(const http::Response& response, const RelyingParty& client);

/// POSTs a form with the client's credentials to one of the provider's endpoints.
/// @param accept  the media type that is asked for
std::expected<http::Response, core::Error> post_form(http::Client& http, const std::string& endpoint, const ProviderMetadata& provider, const RelyingParty& client,
                                                     core::ParameterList& body, core::UnixTime now, std::string accept = "application/json");

}  // namespace proconnect::oidc
