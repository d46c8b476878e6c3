#pragma once
#include <httpd.h>

#include "httpd/request.hpp"

namespace proconnect::httpd {

/// The redirect URI: finishes a login, begins the session, goes to the page asked for.
int handle_callback(request_rec* r, RequestState& state);

}  // namespace proconnect::httpd
