#pragma once
#include <string>

#include <httpd.h>

#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"
#include "session/kept_forms.hpp"

namespace proconnect::httpd {

// A form that its user may not send yet, because his session has expired or does not reach the level the page asks for (ProConnectKeepPost). It is kept
// sealed, and handed to the application after a login of the same user and a click on a page that says where it goes (form_handler.hpp). Replaying a
// POST makes a cross-site request one with the user's rights, since the login between them is invisible where ProConnect has a session. Hence three
// locks: it must have come from this very site; only this browser's binding opens it; and only the user whose session this browser has, or had, may
// send it. A browser that had none since its last logout has nothing kept.

/// A form without a session: keeps it and begins a login that leads to the page that asks; or the page that says it was not sent, and why.
/// @return OK: the answer is complete
int keep_form_and_log_in(request_rec* r, RequestState& state, const LoginDemand& demand);

/// check_rules(), but a form that the rules refuse for the sake of its session's level or method is kept, and its page begins the step-up.
int check_rules_of_form(request_rec* r);

/// The page of a kept form.
[[nodiscard]] std::string form_address(const RequestState& state, const session::FormId& id);

}  // namespace proconnect::httpd
