#pragma once
#include <httpd.h>

namespace proconnect::httpd {

/// `AuthType ProConnect`: who is it? Sets the user from the session, or sends him to log in.
int authenticate(request_rec* r);
/// ProConnectUnauthenticated pass: where the access rules let everybody in, a signed-in user is named all the same.
int name_user_where_open(request_rec* r);

}  // namespace proconnect::httpd
