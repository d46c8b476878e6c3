#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "http/client.hpp"
#include "oidc/authorization.hpp"
#include "oidc/claims.hpp"
#include "oidc/provider_source.hpp"
#include "oidc/relying_party.hpp"
#include "oidc/token.hpp"
#include "session/login_ticket.hpp"
#include "session/server_key.hpp"

namespace proconnect::oidc {

/// What one login needs of its surroundings; borrowed for the length of one call.
struct LoginContext {
    const RelyingParty& client;
    ProviderSource& provider;
    http::Client& http;
    const session::ServerKeys& keys;
    core::UnixTime now;
    std::string_view live_session{};   ///< name of the session this browser has, "" when none
    std::string_view finished_session{};   ///< name of the session this browser's last login led to, "" when unknown; it may be over
};

/// Where a login is to end, and what it asks for.
struct LoginIntent {
    std::string return_address;      ///< path and query; anything but a local address becomes "/"
    AuthorizationWishes wishes;
    bool step_up = false;            ///< for somebody who is signed in and falls short of what `wishes` demands
    std::uint8_t attempt = 1;
};

/// A login begun: send the browser to `location`, and set the binding cookie when it is a new one.
struct StartedLogin {
    std::string location;
    std::optional<std::string> new_binding_cookie;   ///< value to set; nothing when the browser's own is used
};

/// Begins a login, Core section 3.1.2.1. Keeps nothing on the server.
/// @param binding_cookie  what the browser sent, or ""; a malformed one is replaced
std::expected<StartedLogin, core::Error> begin_login(const LoginContext& context, const LoginIntent& intent, std::string_view binding_cookie);

/// A login finished: the verified identity and the tokens it came with.
struct FinishedLogin {
    Claims claims;
    std::string session_name;        ///< session::derive_session_name()
    TokenResponse tokens;            ///< id_token without its encryption, as a logout's id_token_hint must be
    std::string return_address;
    std::string step_up;             ///< step_up_mark() of a step-up, "" of any other login
};

/// What a step-up asked for, in one text. The session it leads to carries it, so that a demand which it does not meet is not made again.
[[nodiscard]] std::string step_up_mark(const std::vector<std::string>& acr_values, bool prompt_login);

/// A login that failed, with what is known of where the user wanted to go.
struct LoginFailure {
    core::Error error;
    std::string return_address;      ///< "" when no readable ticket came
    bool ours = false;               ///< the state was a ticket of this very browser
    std::uint8_t attempt = 1;
    bool step_up = false;            ///< it was for somebody signed in at too low a level
    bool silent = false;             ///< it was a prompt=none attempt
    bool answered_no = false;        ///< the response was an error of the provider, whatever else was wrong with it
};

/// Finishes a login: the callback from authorization response to verified identity, Core sections 3.1.2.5 to 3.1.3.8 and 5.3, in that order.
/// A code is redeemed only after its state proved to be this browser's.
std::expected<FinishedLogin, LoginFailure> finish_login(const LoginContext& context, std::string_view query, std::string_view binding_cookie);

}  // namespace proconnect::oidc
