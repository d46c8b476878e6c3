#include "oidc/login_flow.hpp"

#include "core/url.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/random.hpp"
#include "oidc/id_token.hpp"
#include "oidc/pkce.hpp"
#include "oidc/userinfo.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using session::BrowserBinding;
using session::LoginTicket;

session::TicketContext ticket_context(const RelyingParty& client) {
    return {.issuer = client.issuer, .client_id = client.client_id, .redirect_uri = client.redirect_uri};
}

/// The ticket belongs to the browser that sends it back, RFC 6749 section 10.12, RFC 9700 section 4.7.
std::expected<BrowserBinding, Error> check_browser(const LoginTicket& ticket, std::string_view binding_cookie) {
    auto binding = BrowserBinding::parse(binding_cookie);
    if (!binding) {
        return std::unexpected(Error{ErrorCode::state_of_another_browser, "the browser sent no login cookie"});
    }
    const auto fingerprint = binding->fingerprint();
    if (!fingerprint) {
        return std::unexpected(fingerprint.error());
    }
    if (!crypto::equal_constant_time(*fingerprint, ticket.browser)) {
        return std::unexpected(Error{ErrorCode::state_of_another_browser, "the login was begun in another browser"});
    }
    return std::move(*binding);
}

std::expected<void, Error> check_age(const LoginTicket& ticket, std::chrono::seconds skew, core::UnixTime now) {
    if (now > ticket.issued + session::kTicketLifetime || ticket.issued > now + skew) {
        return std::unexpected(Error{ErrorCode::state_expired, "the login was begun too long ago, or the clock jumped"});
    }
    return {};
}

}  // namespace

std::string step_up_mark(const std::vector<std::string>& acr_values, bool prompt_login) {
    std::string mark = prompt_login ? "login" : "level";
    for (const auto& level : acr_values) {
        mark += ' ' + level;
    }
    return mark;
}

std::expected<StartedLogin, Error> begin_login(const LoginContext& context, const LoginIntent& intent, std::string_view binding_cookie) {
    const auto provider = context.provider.current(context.now);
    if (!provider) {
        return std::unexpected(provider.error());
    }
    StartedLogin started;
    auto binding = BrowserBinding::parse(binding_cookie);
    if (!binding) {
        auto fresh = BrowserBinding::make_random();
        if (!fresh) {
            return std::unexpected(std::move(fresh.error()));
        }
        binding = std::move(*fresh);
        started.new_binding_cookie = binding->cookie_value();
    }
    LoginTicket ticket;
    if (auto filled = crypto::fill_random(ticket.id); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    auto fingerprint = binding->fingerprint();
    if (!fingerprint) {
        return std::unexpected(std::move(fingerprint.error()));
    }
    ticket.browser = std::move(*fingerprint);
    ticket.issued = context.now;
    ticket.return_address = core::is_local_return_address(intent.return_address) ? intent.return_address : "/";
    ticket.acr_values = intent.wishes.acr_values;
    ticket.silent = intent.wishes.prompt_none;
    ticket.reauthenticate = intent.wishes.prompt_login;
    ticket.attempt = intent.attempt;
    ticket.step_up = intent.step_up;
    const auto state = session::seal_ticket(ticket, ticket_context(context.client), context.keys.current);
    if (!state) {
        return std::unexpected(state.error());
    }
    const auto secrets = session::derive_login_secrets(ticket, *binding, context.keys.current);
    if (!secrets) {
        return std::unexpected(secrets.error());
    }
    const auto challenge = code_challenge_s256(secrets->code_verifier.reveal());
    if (!challenge) {
        return std::unexpected(challenge.error());
    }
    auto location = authorization_url((*provider)->metadata, context.client, *state, secrets->nonce.reveal(), *challenge, intent.wishes);
    if (!location) {
        return std::unexpected(std::move(location.error()));
    }
    started.location = std::move(*location);
    return started;
}

std::expected<FinishedLogin, LoginFailure> finish_login(const LoginContext& context, std::string_view query, std::string_view binding_cookie) {
    const auto& [client, source, http, keys, now, live_session, finished_session] = context;
    LoginFailure failure;
    const auto refused = [&](Error error) {
        failure.error = std::move(error);
        return std::unexpected(std::move(failure));
    };

    auto response = parse_authorization_response(query);                                        // RFC 6749, 4.1.2
    if (!response) {
        failure.answered_no = query.contains("error=");
        return refused(response.error());
    }
    failure.answered_no = !response->error.empty();
    if (response->state.empty()) return refused({ErrorCode::callback_without_state, "callback: no state"});

    const auto opened = session::open_ticket(response->state.reveal(), ticket_context(client), keys);  // RFC 6749, 10.12
    if (!opened) return refused(opened.error());
    const auto& ticket = opened->ticket;
    failure.return_address = ticket.return_address;
    failure.attempt = ticket.attempt;
    failure.silent = ticket.silent;
    failure.step_up = ticket.step_up;
    const auto binding = check_browser(ticket, binding_cookie);
    if (!binding) return refused(binding.error());
    failure.ours = true;
    auto session_name = session::derive_session_name(ticket, *opened->key);
    if (!session_name) return refused(session_name.error());
    // Before the age, and before the provider hears of it: a code sent twice makes it revoke what the first one gave (RFC 6749, 4.1.2).
    if (crypto::equal_constant_time(*session_name, live_session) || crypto::equal_constant_time(*session_name, finished_session)) {
        return refused({ErrorCode::callback_repeated, "callback: this login is finished"});
    }
    if (auto ok = check_age(ticket, client.clock_skew, now); !ok) return refused(ok.error());

    auto current = source.current(now);                                                         // Discovery, 4
    if (!current) return refused(current.error());
    auto provider = *current;
    if (auto ok = check_response_issuer(*response, provider->metadata); !ok) return refused(ok.error());  // RFC 9207, 2.4
    if (!response->error.empty()) return refused(authorization_error(*response));              // RFC 6749, 4.1.2.1

    auto secrets = session::derive_login_secrets(ticket, *binding, *opened->key);
    if (!secrets) return refused(secrets.error());
    auto tokens = exchange_code(http, provider->metadata, client, response->code.reveal(),     // Core, 3.1.3.1 to 3.1.3.3
                                secrets->code_verifier.reveal(), now);
    if (!tokens) return refused(tokens.error());

    const ProviderCall call{.client = client, .source = source, .http = http, .now = now};
    const auto id_token = open_id_token(call, provider, *tokens);                              // Core, 3.1.3.7, items 1 and 6 to 8
    if (!id_token) return refused(id_token.error());
    const IdTokenExpectations expectations{.issuer = client.issuer,
                                           .client_id = client.client_id,
                                           .nonce = std::move(secrets->nonce),
                                           .access_token = tokens->access_token.clone(),
                                           .acr_values = ticket.acr_values,
                                           .authenticated_since = ticket.reauthenticate ? std::optional{ticket.issued} : std::nullopt,
                                           .clock_skew = client.clock_skew};
    const auto identity = check_id_token(*id_token, expectations, now);                        // Core, 3.1.3.7, the other items
    if (!identity) return refused(identity.error());

    const auto userinfo_body = fetch_userinfo(http, provider->metadata, tokens->access_token);  // Core, 5.3.1
    if (!userinfo_body) return refused(userinfo_body.error());
    const auto userinfo = with_fresh_keys(call, provider, [&](const JsonWebKeySet& jwks) {  // Core, 5.3.2 and 5.3.4
        return verify_userinfo(*userinfo_body, client, jwks, identity->subject, now);
    });
    if (!userinfo) return refused(userinfo.error());

    auto claims = merge_claims(*identity, userinfo->root());
    if (!claims) return refused(claims.error());
    return FinishedLogin{.claims = std::move(*claims), .session_name = std::move(*session_name), .tokens = std::move(*tokens), .return_address = ticket.return_address,
                         .step_up = ticket.step_up ? step_up_mark(ticket.acr_values, ticket.reauthenticate) : std::string{}};
}

}  // namespace proconnect::oidc
