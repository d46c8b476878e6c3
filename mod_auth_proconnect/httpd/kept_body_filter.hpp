#pragma once
#include <httpd.h>

namespace proconnect::httpd {

/// insert_filter: a request that replays a kept form reads the kept body instead of its own, whatever handler reads it (CGI, mod_proxy, PHP).
void insert_kept_body(request_rec* r) noexcept;
/// Once per configuration, with the hooks.
void register_kept_body_filter() noexcept;

}  // namespace proconnect::httpd
