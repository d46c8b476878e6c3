#pragma once
#include <string>

#include <httpd.h>

#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

// A form whose session had expired (ProConnectKeepPost). It is kept sealed, and handed to the application after a login of the same user and a click on a
// page that says where it goes. Replaying a POST makes a cross-site request one with the user's rights, since the login between them is invisible where
// ProConnect has a session. Hence three locks: it must have come from this very site; only this browser's binding opens it; and only the user whose
// session this browser had before may send it. A browser that had none since its last logout has nothing kept.

/// A form without a session: keeps it and begins a login that leads to the page that asks; or the page that says it was not sent, and why.
/// @return OK: the answer is complete
int keep_form_and_log_in(request_rec* r, RequestState& state, const std::string& address, const LoginDemand& demand);

/// The page that asks (GET), and the click on it (POST), which hands the form to the application as the request it was.
int handle_form(request_rec* r, RequestState& state);


}  // namespace proconnect::httpd
