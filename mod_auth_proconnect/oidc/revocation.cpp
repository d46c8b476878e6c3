#include "oidc/revocation.hpp"

#include <string>

#include "oidc/token.hpp"

namespace proconnect::oidc {

std::expected<void, core::Error> revoke_refresh_token(http::Client& http, const ProviderMetadata& provider, const RelyingParty& client, const core::Secret& token,
                                                      core::UnixTime now) {
    const auto failed = [](std::string why) { return std::unexpected(core::Error{core::ErrorCode::revocation_failed, "revocation: " + std::move(why)}); };
    if (token.empty()) {
        return failed("no token");
    }
    if (provider.revocation_endpoint.empty()) {
        return failed("the provider offers none");
    }
    core::ParameterList body;
    body.add("token", token.reveal()).add("token_type_hint", "refresh_token");
    const auto response = post_form(http, provider.revocation_endpoint, provider, client, body, now);
    if (!response) {
        return std::unexpected(response.error());
    }
    if (response->status != 200) {
        return failed("HTTP status " + std::to_string(response->status));
    }
    return {};
}

}  // namespace proconnect::oidc
