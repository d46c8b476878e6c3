#pragma once
#include <string_view>

#include <httpd.h>

namespace proconnect::httpd {

/// From here on the request's body is `body`, which lives as long as the request, whoever reads it, how early, and through whatever internal redirects
/// (.htaccess, FallbackResource, Action). Its own body must have been read to its end.
void read_body_from(request_rec* r, std::string_view body);
/// Once per configuration, with the hooks.
void register_kept_body_filter() noexcept;

}  // namespace proconnect::httpd
