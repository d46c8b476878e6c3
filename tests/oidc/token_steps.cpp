// For the stories: one step of the protocol against a provider that runs, as the library takes it.
//
//   token_steps refresh|introspect        (a JSON object on the standard input, so that no secret stands in a process list)
//
// Both: issuer, client_id, client_secret, algorithm ("ES256"…). refresh: refresh_token, and of the login id_token, access_token, nonce. introspect: token.
// Prints a JSON object: "outcome" is renewed, gone, active, inactive or failed; beside it "code" and "detail", the tokens, or what is known of the token.
// Exits with 2 when it was not asked properly.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include "http/curl_client.hpp"
#include "oidc/introspection.hpp"
#include "oidc/refresh.hpp"

using namespace proconnect;

namespace {

/// The provider as its own documents describe it; asked anew for keys as often as somebody wants.
class FetchedProvider final : public oidc::ProviderSource {
public:
    FetchedProvider(http::Client& http, std::string issuer) : http_(http), issuer_(std::move(issuer)) {}

    std::expected<std::shared_ptr<const oidc::Provider>, core::Error> current(core::UnixTime) override {
        const auto text = get(oidc::discovery_url(issuer_));
        if (!text) return std::unexpected(text.error());
        auto metadata = oidc::parse_discovery(*text, issuer_);
        if (!metadata) return std::unexpected(metadata.error());
        return with_keys(*metadata);
    }
    std::expected<std::shared_ptr<const oidc::Provider>, core::Error> after_unknown_key(const std::shared_ptr<const oidc::Provider>& seen, core::UnixTime,
                                                                                      const Suffices&) override {
        return with_keys(seen->metadata);
    }

private:
    std::expected<std::string, core::Error> get(const std::string& url) {
        http::Request request;
        request.url = url;
        const auto response = http_.send(request);
        if (!response) return std::unexpected(response.error());
        if (response->status != 200) return std::unexpected(core::Error{core::ErrorCode::provider_status, url});
        return response->body;
    }
    std::expected<std::shared_ptr<const oidc::Provider>, core::Error> with_keys(const oidc::ProviderMetadata& metadata) {
        const auto text = get(metadata.jwks_uri);
        if (!text) return std::unexpected(text.error());
        auto keys = oidc::JsonWebKeySet::parse(*text);
        if (!keys) return std::unexpected(keys.error());
        return std::make_shared<const oidc::Provider>(oidc::Provider{.metadata = metadata, .jwks = std::move(*keys)});
    }

    http::Client& http_;
    std::string issuer_;
};

std::string text_of(const json::Value& input, std::string_view name) {
    return std::string{input.string_member(name).value_or("")};
}

void say(json::Writer& writer, std::string_view outcome, const core::Error& error) {
    writer.key("outcome").string(outcome).key("code").string(core::code_text(error.code)).key("detail").string(error.detail);
}

void refresh(json::Writer& writer, const oidc::ProviderCall& call, const json::Value& input) {
    auto provider = call.source.current(call.now);
    if (!provider) return say(writer, "failed", provider.error());
    oidc::TokenResponse login;
    login.id_token = core::Secret{text_of(input, "id_token")};
    const auto id_token = oidc::open_id_token(call, *provider, login);
    if (!id_token) return say(writer, "failed", id_token.error());
    const core::Secret nonce{text_of(input, "nonce")}, refresh_token{text_of(input, "refresh_token")};
    const oidc::IdTokenExpectations expected{.issuer = call.client.issuer,
                                             .client_id = call.client.client_id,
                                             .nonce = nonce.clone(),
                                             .access_token = core::Secret{text_of(input, "access_token")},
                                             .acr_values = {},
                                             .authenticated_since = std::nullopt,
                                             .clock_skew = call.client.clock_skew};
    const auto identity = oidc::check_id_token(*id_token, expected, call.now);
    if (!identity) return say(writer, "failed", identity.error());

    const auto outcome = oidc::refresh_tokens(call, {.refresh_token = refresh_token, .identity = *identity, .nonce = nonce});
    if (!outcome) return say(writer, "failed", outcome.error());
    if (const auto* gone = std::get_if<oidc::TokensGone>(&*outcome)) return say(writer, "gone", gone->why);
    const auto& renewed = std::get<oidc::RefreshedTokens>(*outcome);
    writer.key("outcome").string("renewed")
        .key("access_token").string(renewed.tokens.access_token.reveal())
        .key("refresh_token").string(renewed.tokens.refresh_token.reveal())
        .key("id_token").string(renewed.tokens.id_token.reveal())
        .key("sub").string(renewed.identity ? renewed.identity->subject : "");
}

void introspect(json::Writer& writer, const oidc::ProviderCall& call, const json::Value& input) {
    const auto answer = oidc::introspect(call, core::Secret{text_of(input, "token")});
    if (!answer) return say(writer, "failed", answer.error());
    if (!*answer) {
        writer.key("outcome").string("inactive");
        return;
    }
    const auto& token = **answer;
    writer.key("outcome").string("active").key("sub").string(token.subject).key("client_id").string(token.client_id).key("scope").string(token.scope)
        .key("expires_in").number((token.expires - call.now).count());
}

}  // namespace

int main(int argc, char** argv) {
    const std::string step = argc == 2 ? argv[1] : "";
    const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
    const auto document = json::Document::parse_object(text);
    if (!document || (step != "refresh" && step != "introspect") || !http::CurlClient::initialize_process()) {
        std::fputs("usage: token_steps refresh|introspect <INPUT.json\n", stderr);
        return 2;
    }
    const auto input = document->root();
    const auto algorithm = text_of(input, "algorithm");
    oidc::RelyingParty client;
    client.issuer = text_of(input, "issuer");
    client.client_id = text_of(input, "client_id");
    client.client_secret = core::Secret{text_of(input, "client_secret")};
    client.id_token_algorithms = {.es256 = algorithm == "ES256", .rs256 = algorithm == "RS256", .hs256 = algorithm == "HS256"};
    client.introspection_algorithms = client.id_token_algorithms;
    http::CurlClient http{{}};
    FetchedProvider provider{http, client.issuer};
    const oidc::ProviderCall call{.client = client, .source = provider, .http = http, .now = core::now()};
    json::Writer writer;
    writer.begin_object();
    step == "refresh" ? refresh(writer, call, input) : introspect(writer, call, input);
    writer.end_object();
    std::puts(writer.take().c_str());
    return 0;
}
