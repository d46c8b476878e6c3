#pragma once
#include <curl/curl.h>

#include <string>

#include "core/error.hpp"

namespace proconnect::http {

/// Internal to http/: what a failed libcurl transfer means, as one of our codes and words an administrator can act on.
/// The detail names host and port, the phase or the failed check; never a path, query, header, body or the proxy's address.
/// @param code   what curl_easy_perform answered; not CURLE_OK
/// @param where  host:port of the provider
[[nodiscard]] core::Error transfer_error(CURL* handle, CURLcode code, const std::string& where, bool uses_proxy);

}  // namespace proconnect::http
