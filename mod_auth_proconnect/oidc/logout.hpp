#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "oidc/discovery.hpp"
#include "oidc/relying_party.hpp"
#include "session/login_ticket.hpp"
#include "session/server_key.hpp"

namespace proconnect::oidc {

/// Where a logout is to end.
struct LogoutIntent {
    std::string return_address;      ///< path and query of this site, checked again when used; "" = the page that says so
    bool then_login = false;         ///< with a fresh login for it: another account, another organisation
};

/// `state` of a logout: sealed, tied to the browser, good for an hour. At least 32 characters, as ProConnect's documentation asks.
std::expected<std::string, core::Error> make_logout_state(const RelyingParty& client, const session::BrowserBinding& binding, const session::ServerKey& key,
                                                          core::UnixTime now, const LogoutIntent& intent = {});
/// What a `state` that came back was made for; nothing unless it is one of this browser's logouts.
[[nodiscard]] std::optional<LogoutIntent> open_logout_state(std::string_view state, const RelyingParty& client, std::string_view binding_cookie,
                                                            const session::ServerKeys& keys, core::UnixTime now);
/// Whether a `state` that came back is one of this browser's logouts.
[[nodiscard]] bool is_own_logout_state(std::string_view state, const RelyingParty& client, std::string_view binding_cookie, const session::ServerKeys& keys,
                                       core::UnixTime now);

/// RP-Initiated Logout 1.0, section 2: the end session endpoint with id_token_hint (client_id when there is none), state and
/// post_logout_redirect_uri. Nothing when the provider offers no logout.
[[nodiscard]] std::string end_session_url(const ProviderMetadata& provider, const RelyingParty& client, std::string_view id_token_hint, std::string_view state);

}  // namespace proconnect::oidc
