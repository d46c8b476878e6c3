#pragma once
#include <httpd.h>

namespace proconnect::httpd {

// The module's own pages are taken out of httpd's ordinary way in four places: no file is looked for, no other module maps them (a ProxyPass
// of the whole site, a rewrite rule), access rules of the site around them do not apply, and our handler answers whatever SetHandler says.

/// translate_name and map_to_storage: OK for our pages.
int claim_endpoint(request_rec* r);
/// access_checker_ex: the login must be reachable without being logged in.
int admit_endpoint(request_rec* r);
/// handler
int serve_endpoint(request_rec* r);

}  // namespace proconnect::httpd
