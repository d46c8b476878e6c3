#pragma once
#include <string>

#include <httpd.h>

#include "access/request_kind.hpp"
#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// Whether a person waits before a page.
[[nodiscard]] access::RequestKind kind_of(const request_rec* r);
/// What the browser asked for, before internal redirects (mod_rewrite, ErrorDocument): path and query.
[[nodiscard]] std::string address_asked_for(const request_rec* r);
/// Whether the request is an ErrorDocument of one that failed.
[[nodiscard]] bool serves_an_error(const request_rec* r);

/// `AuthType ProConnect`: who is it? Sets the user from the session, or sends him to log in.
int authenticate(request_rec* r);
/// Sends a page load without a session on its way as ProConnectUnauthenticated says: to ProConnect, or to the login page first.
int send_to_log_in(request_rec* r, RequestState& state, const LoginDemand& demand);
/// ProConnectUnauthenticated pass: where the access rules let everybody in, a signed-in user is named all the same.
int name_user_where_open(request_rec* r);

}  // namespace proconnect::httpd
