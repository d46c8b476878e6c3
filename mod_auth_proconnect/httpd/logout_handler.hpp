#pragma once
#include <httpd.h>

#include "httpd/request.hpp"

namespace proconnect::httpd {

/// Ends the session here first, then at ProConnect (RP-Initiated Logout 1.0). Only for a request of this very site; any other is asked to confirm.
int handle_logout(request_rec* r, RequestState& state);
/// Where ProConnect sends the browser after a logout.
int handle_logged_out(request_rec* r, RequestState& state);

}  // namespace proconnect::httpd
