// finish_login(): a whole login against a provider that answers anything. An input is "query -- token response -- claims of the ID token -- userinfo";
// @STATE@ in the query, @ID_TOKEN@ in the token response and @NONCE@ in the claims stand for what is right. Accepted is a login that succeeds.
#include <algorithm>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/login_flow.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

constexpr std::string_view kBindingCookie = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
constexpr std::string_view kOtherCookie = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh4";

std::string replaced(std::string_view text, std::string_view placeholder, std::string_view value) {
    std::string result{text};
    if (const auto at = result.find(placeholder); at != std::string::npos) {
        result.replace(at, placeholder.size(), value);
    }
    return result;
}

class FixedProvider final : public oidc::ProviderSource {
public:
    using Result = std::expected<std::shared_ptr<const oidc::Provider>, core::Error>;
    Result current(core::UnixTime) override {
        static const auto provider = std::make_shared<const oidc::Provider>(oidc::Provider{.metadata = metadata(), .jwks = provider_keys()});
        return provider;
    }
    Result after_unknown_key(const std::shared_ptr<const oidc::Provider>& seen, core::UnixTime, const Suffices&) override { return seen; }

private:
    static oidc::ProviderMetadata metadata() {
        oidc::ProviderMetadata metadata;
        metadata.issuer = kIssuer;
        metadata.token_endpoint = std::string{kIssuer} + "/token";
        metadata.userinfo_endpoint = std::string{kIssuer} + "/userinfo";
        metadata.response_iss = true;
        return metadata;
    }
};

class AnsweringClient final : public http::Client {
public:
    std::string token_response, userinfo;
    int codes_redeemed = 0;

    std::expected<http::Response, core::Error> send(const http::Request& request) override {
        const bool is_token = request.url.ends_with("/token");
        codes_redeemed += is_token ? 1 : 0;
        http::Response response;
        response.status = 200;
        response.body = is_token ? token_response : userinfo;
        return response;
    }
};

struct Login {
    session::LoginTicket ticket;
    std::string state;
    std::string nonce;
};

Login begin() {
    const auto binding = session::BrowserBinding::parse(kBindingCookie).value();
    Login login;
    login.ticket.id.fill(7);
    login.ticket.issued = kNow - std::chrono::minutes{2};
    login.ticket.browser = binding.fingerprint().value();
    login.ticket.return_address = "/private/page?a=1";
    login.ticket.acr_values = {"eidas1", "eidas2"};
    login.state = session::seal_ticket(login.ticket, {.issuer = kIssuer, .client_id = kClientId, .redirect_uri = kRedirectUri}, server_keys().current).value();
    login.nonce = session::derive_login_secrets(login.ticket, binding, server_keys().current)->nonce.reveal();
    return login;
}

void check_finished(const oidc::FinishedLogin& finished, const Login& login, const AnsweringClient& http) {
    require(http.codes_redeemed == 1, "one code is redeemed once");
    require(finished.return_address == login.ticket.return_address, "a login ends where it began");
    const auto& attributes = finished.claims.attributes;
    const auto value = [&](std::string_view name) {
        const auto found = std::ranges::find(attributes, name, &session::Attribute::claim);
        return found == attributes.end() ? std::string{} : found->value;
    };
    require(!finished.claims.subject.empty() && value("sub") == finished.claims.subject, "an identity has a subject");
    require(value("iss") == kIssuer && (value("acr") == "eidas1" || value("acr") == "eidas2"), "its issuer and level are those asked for");
    require(!finished.tokens.id_token.empty() && !finished.tokens.access_token.empty(), "its tokens are there");
    require(finished.session_name.size() == 22, "its session has a name");
}

Verdict judge(std::string_view input) {
    static const auto client = make_client();
    static const Login login = begin();
    const auto parts = split_parts(input, 4);
    FixedProvider provider;
    AnsweringClient http;
    http.token_response = replaced(parts[1], "@ID_TOKEN@", hs256_token(replaced(parts[2], "@NONCE@", login.nonce)));
    http.userinfo = parts[3];
    const bool right_state = parts[0].contains("@STATE@");
    const auto query = replaced(parts[0], "@STATE@", login.state);
    const oidc::LoginContext context{.client = client, .provider = provider, .http = http, .keys = server_keys(), .now = kNow};

    require(!oidc::finish_login(context, query, kOtherCookie) && !oidc::finish_login(context, query, "") && http.codes_redeemed == 0,
            "another browser's code is never redeemed");
    const auto finished = oidc::finish_login(context, query, kBindingCookie);
    require(right_state || http.codes_redeemed == 0, "no code is redeemed without a state of ours");
    if (!finished) {
        const auto& failure = finished.error();
        require(failure.return_address.empty() || failure.return_address == login.ticket.return_address, "a failed login leads back to where it began");
        require(right_state || !failure.ours, "only a ticket of this browser is ours");
        require(!failure.error.detail.contains(login.nonce) && !failure.error.detail.contains(login.state), "the detail holds no secret");
        return Verdict::refused;
    }
    check_finished(*finished, login, http);
    return Verdict::accepted;
}

const Registration kTarget{"login", judge};

}  // namespace
