#include "oidc/refresh.hpp"

#include <string>
#include <utility>

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;

Error in_refresh(Error error) {
    return Error{error.code, "refresh: " + std::move(error.detail)};
}

/// An answer that is not 200, RFC 6749 section 5.2.
std::expected<RefreshOutcome, Error> refused(const http::Response& response, const RelyingParty& client) {
    auto error = token_endpoint_error(response, client);
    if (error.code != ErrorCode::code_refused) {
        return std::unexpected(in_refresh(std::move(error)));
    }
    // A gateway that fails must not cost anybody tokens, whatever words its page has.
    if (response.status != 400) {
        return std::unexpected(Error{ErrorCode::provider_status, "refresh: HTTP status " + std::to_string(response.status) + " with invalid_grant"});
    }
    return TokensGone{Error{ErrorCode::code_refused, "refresh: ProConnect refused client_id " + client.client_id +
                                                         ": invalid_grant: the refresh token has expired, was revoked or was used already"}};
}

/// Core section 12.2. @return the claims, or the first failure
std::expected<IdTokenClaims, Error> check_identity(const ProviderCall& call, std::shared_ptr<const Provider>& provider, const LoginToRefresh& login,
                                                   TokenResponse& tokens) {
    const auto id_token = open_id_token(call, provider, tokens);
    if (!id_token) {
        return std::unexpected(id_token.error());
    }
    const IdTokenExpectations expected{.issuer = call.client.issuer,
                                       .client_id = call.client.client_id,
                                       .nonce = login.nonce.clone(),
                                       .access_token = tokens.access_token.clone(),
                                       .acr_values = {},
                                       .authenticated_since = std::nullopt,
                                       .clock_skew = call.client.clock_skew};
    return check_refreshed_id_token(*id_token, expected, login.identity, call.now);
}

bool is_of_another_user(ErrorCode code) noexcept {
    return code == ErrorCode::issuer_mismatch || code == ErrorCode::subject_invalid;
}

}  // namespace

std::expected<RefreshOutcome, Error> refresh_tokens(const ProviderCall& call, const LoginToRefresh& login) {
    if (login.refresh_token.empty()) {
        return TokensGone{Error{ErrorCode::code_refused, "refresh: there is no refresh token"}};
    }
    auto provider = call.source.current(call.now);                                                 // Discovery, 4
    if (!provider) {
        return std::unexpected(in_refresh(std::move(provider.error())));
    }
    core::ParameterList body;                                                                      // RFC 6749, 6
    body.add("grant_type", "refresh_token").add("refresh_token", login.refresh_token.reveal());
    const auto& metadata = (*provider)->metadata;
    const auto response = post_form(call.http, metadata.token_endpoint, metadata, call.client, body, call.now);
    if (!response) {
        return std::unexpected(in_refresh(response.error()));
    }
    if (response->status != 200) {
        return refused(*response, call.client);
    }
    auto tokens = parse_token_response(response->body, false);                                     // RFC 6749, 5.1
    if (!tokens) {
        return std::unexpected(in_refresh(std::move(tokens.error())));
    }
    RefreshedTokens renewed{.tokens = std::move(*tokens), .identity = std::nullopt};
    if (renewed.tokens.refresh_token.empty()) {
        renewed.tokens.refresh_token = login.refresh_token.clone();
    }
    if (renewed.tokens.id_token.empty()) {
        return renewed;
    }
    auto identity = check_identity(call, *provider, login, renewed.tokens);                        // Core, 12.2
    if (identity) {
        renewed.identity = std::move(*identity);
        return renewed;
    }
    auto failure = in_refresh(std::move(identity.error()));
    if (is_of_another_user(failure.code)) {
        return TokensGone{std::move(failure)};
    }
    return std::unexpected(std::move(failure));
}

}  // namespace proconnect::oidc
