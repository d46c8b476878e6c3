#pragma once
#include <httpd.h>

namespace proconnect::httpd {

// httpd's own modules write request lines and headers to the error log at LogLevel trace1 and above, cookies and authorization codes
// among them. Requests of a server that logs people in therefore never trace that deep, whatever LogLevel says. httpd's
// core quotes headers that it cannot read at debug already, so it stays at info.

/// Prepares the capped levels of each virtual host; at start.
void prepare_log_redaction(apr_pool_t* pconf, server_rec* main_server);
/// Caps the levels of a new request, before its first line is read.
void cap_log_level(request_rec* r);

/// The same for the access log of a request that httpd refused before any hook of ours saw it (a header that is too long, no Host).
int redact_refused_request(request_rec* r);

/// Takes the query out of everything the logs may show of a request to our callback: request line, URI, arguments.
/// @return the query, which is ours alone from here on
const char* take_query(request_rec* r);

}  // namespace proconnect::httpd
