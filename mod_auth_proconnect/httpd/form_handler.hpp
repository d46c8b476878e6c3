#pragma once
#include <httpd.h>

#include "httpd/request.hpp"

namespace proconnect::httpd {

// The page of a kept form (form_keeping.hpp).

/// Asks whether to send it. Where the page it is for lets its user in at another level only, the step-up comes first; where it does not let him in at
/// all, the page says that the form was not sent, and why. It comes here for a POST too when the confirmation is not good.
int handle_form(request_rec* r, RequestState& state);

/// read_request: a good confirmation becomes the kept form itself, before any other module looks at the request, so that for all of them (rules, filters,
/// firewalls, gateways) it is the request its user sent at first. A confirmation that is not good is left as it is.
void become_confirmed_form(request_rec* r, RequestState& state);

}  // namespace proconnect::httpd
