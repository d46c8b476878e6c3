#pragma once
#include <expected>
#include <string>
#include <string_view>

#include <httpd.h>

#include "core/error.hpp"
#include "httpd/request.hpp"
#include "oidc/logout.hpp"

namespace proconnect::httpd {

/// The link an application puts on its pages (PROCONNECT_LOGOUT_URL): with a token of this very session, so that it works wherever the browser does not say
/// where a request comes from.
std::expected<std::string, core::Error> make_logout_url(const Site& site, std::string_view session_name);

/// Ends the session here first, then at ProConnect (RP-Initiated Logout 1.0). For a POST or link of this very site, or a link with the session's token; any
/// other request is asked to confirm. `?local` leaves ProConnect's session alone, `?return=` names a local address to end at.
int handle_logout(request_rec* r, RequestState& state);
/// Where ProConnect sends the browser after a logout.
int handle_logged_out(request_rec* r, RequestState& state);

/// Ends the session, if there is one, and goes where the intent says, by way of ProConnect unless `local`. No check of who asks.
int end_session(request_rec* r, RequestState& state, const oidc::LogoutIntent& intent, bool local);

}  // namespace proconnect::httpd
