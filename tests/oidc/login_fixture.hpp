#pragma once
// A browser, the module's protocol code and a provider that keeps its side of it, unless a test tells it otherwise.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "oidc/id_token_fixture.hpp"
#include "oidc/login_flow.hpp"
#include "support/fixed_provider.hpp"
#include "support/scripted_client.hpp"

namespace proconnect::test {

inline const std::string kTokenEndpoint = kLoginIssuer + "/token";
inline const std::string kUserinfoEndpoint = kLoginIssuer + "/userinfo";
inline const std::string kRedirectUri = "https://service.example.gouv.fr/proconnect/callback";
inline const std::string kLoginCode = "the-authorization-code-to-keep-quiet-about";
inline const std::string kLoginRefreshToken = "the-refresh-token-to-keep-quiet-about";

inline oidc::ProviderMetadata login_metadata() {
    oidc::ProviderMetadata metadata;
    metadata.issuer = kLoginIssuer;
    metadata.authorization_endpoint = kLoginIssuer + "/authorize";
    metadata.token_endpoint = kTokenEndpoint;
    metadata.userinfo_endpoint = kUserinfoEndpoint;
    metadata.jwks_uri = kLoginIssuer + "/jwks";
    metadata.end_session_endpoint = kLoginIssuer + "/session/end";
    metadata.response_iss = true;
    return metadata;
}

inline oidc::RelyingParty login_client() {
    oidc::RelyingParty client;
    client.issuer = kLoginIssuer;
    client.client_id = kLoginClient;
    client.client_secret = core::Secret{kLoginSecret};
    client.redirect_uri = kRedirectUri;
    client.post_logout_redirect_uri = "https://service.example.gouv.fr/proconnect/logged-out";
    client.scope = "openid email";
    return client;
}

inline session::ServerKey server_key(std::uint8_t seed) {
    std::array<std::uint8_t, 32> master{};
    master.fill(seed);
    return session::ServerKey::derive(master).value();
}

/// A parameter of an address; "" when absent.
inline std::string parameter_of(std::string_view url, std::string_view name) {
    const auto parameters = core::Parameters::parse(url.substr(url.find('?') + 1)).value();
    return std::string{parameters.find(name).value_or("")};
}

inline std::string usual_jwks() {
    return jwk_set({ec_key().public_jwk("ec"), rsa_key().public_jwk("rsa")});
}

struct LoginFixture {
    oidc::RelyingParty client = login_client();
    FixedProvider provider{login_metadata(), usual_jwks()};
    ScriptedHttp http;
    session::ServerKeys keys{.current = server_key(1), .previous = std::nullopt};
    core::UnixTime now = kLoginTime;
    std::string live_session;
    std::string finished_session;
    std::string cookie;       ///< the binding cookie that the browser holds
    std::string location;     ///< where it was sent last

    /// What the provider will say; the nonce comes from the authorization request.
    ClaimSet id_token = id_token_claims();
    ClaimSet userinfo{{"sub", json::quoted(kLoginSubject)}, {"email", R"("agent@example.gouv.fr")"}};
    std::function<std::string(const std::string&)> sign = [](const std::string& claims) { return signed_claims(ec_key(), claims, "ec"); };
    std::function<std::string(const std::string&)> form = [](const std::string& claims) { return claims; };  ///< of userinfo
    std::string challenge{};  ///< of the request the code was issued for
    std::string nonce{};

    LoginFixture() {
        http.when(kTokenEndpoint, [this](const SentRequest& request) { return redeem(request); });
        http.when(kUserinfoEndpoint, [this](const SentRequest& request) -> ScriptedAnswer {
            const bool known = request.header("Authorization") == "Bearer " + kLoginAccessToken;
            return known ? answer_of(200, form(userinfo.text())) : answer_of(401, "");
        });
    }

    [[nodiscard]] oidc::LoginContext context() {
        return {.client = client, .provider = provider, .http = http, .keys = keys, .now = now, .live_session = live_session, .finished_session = finished_session};
    }

    auto try_begin(const oidc::LoginIntent& intent = {.return_address = "/page?a=b", .wishes = {}}) { return oidc::begin_login(context(), intent, cookie); }

    /// Sends the browser to the provider. @return the `state`
    std::string begin(const oidc::LoginIntent& intent = {.return_address = "/page?a=b", .wishes = {}}) {
        const auto started = try_begin(intent);
        BOOST_REQUIRE(started.has_value());
        if (started->new_binding_cookie) {
            cookie = *started->new_binding_cookie;
        }
        return arrive(started->location);
    }

    /// The provider sees an authorization request. @return its `state`
    std::string arrive(const std::string& url) {
        location = url;
        challenge = parameter_of(url, "code_challenge");
        nonce = parameter_of(url, "nonce");
        return parameter_of(url, "state");
    }

    [[nodiscard]] static std::string callback(const std::string& state, const std::string& issuer = kLoginIssuer) {
        core::ParameterList query;
        query.add("code", kLoginCode).add("state", state).add("iss", issuer);
        return query.take();
    }
    [[nodiscard]] static std::string error_callback(const std::string& state, const std::string& error, const std::string& description = "") {
        core::ParameterList query;
        query.add("error", error).add("error_description", description).add("state", state).add("iss", kLoginIssuer);
        return query.take();
    }

    std::expected<oidc::FinishedLogin, oidc::LoginFailure> finish(std::string_view query) {
        auto result = oidc::finish_login(context(), query, cookie);
        if (!result) {
            keeps_secrets(result.error().error.detail);
        }
        return result;
    }

    /// From beginning to end. @return "accepted" or the code of the refusal
    std::string log_in(const oidc::LoginIntent& intent = {.return_address = "/page?a=b", .wishes = {}}) { return ended(finish(callback(begin(intent)))); }

    static std::string ended(const std::expected<oidc::FinishedLogin, oidc::LoginFailure>& result) {
        return result ? "accepted" : core::code_text(result.error().error.code);
    }

    /// No detail may hold what the log must not.
    void keeps_secrets(const std::string& detail) const {
        std::vector<std::string> secrets{kLoginCode, kLoginAccessToken, kLoginRefreshToken, kLoginSecret, kLoginNonce, cookie, nonce, challenge};
        for (const auto& request : http.sent) {
            secrets.push_back(request.parameter("code_verifier").value_or(""));
        }
        if (!location.empty()) {
            secrets.push_back(parameter_of(location, "state"));
        }
        for (const auto& secret : secrets) {
            BOOST_TEST((secret.empty() || detail.find(secret) == std::string::npos), detail);
        }
    }

private:
    ScriptedAnswer redeem(const SentRequest& request) const {
        const auto digest = crypto::sha256(request.parameter("code_verifier").value_or(""));
        const bool good = request.parameter("code") == kLoginCode && request.parameter("redirect_uri") == client.redirect_uri &&
                          core::base64url_encode(*digest) == challenge;
        if (!good) {
            return answer_of(400, R"({"error":"invalid_grant"})");
        }
        return answer_of(200, ClaimSet{{"access_token", json::quoted(kLoginAccessToken)},
                                       {"token_type", R"("Bearer")"},
                                       {"expires_in", "3600"},
                                       {"refresh_token", json::quoted(kLoginRefreshToken)},
                                       {"id_token", json::quoted(sign(id_token.with_text("nonce", nonce).text()))}}
                                  .text());
    }
};

}  // namespace proconnect::test
