#pragma once
#include <string>
#include <string_view>

#include <httpd.h>

#include "core/error.hpp"

namespace proconnect::httpd {

/// A short random name of one failure, which the page and the log line share: 10 characters a person can read out.
[[nodiscard]] std::string make_reference();

/// The one log line of a failed request: "PC2001 provider_unreachable ref=…: detail", at the level of the catalogue.
void log_failure(const request_rec* r, const core::Error& error, std::string_view reference);

/// Something the administrator should know about a running server; no request is to blame.
void log_server_failure(const server_rec* s, const core::Error& error);
void log_server_notice(const server_rec* s, std::string_view message);
void log_server_warning(const server_rec* s, std::string_view message);

/// A problem of the configuration, said at start on the terminal too.
void log_startup_error(const server_rec* s, std::string_view message);
void log_startup_warning(const server_rec* s, std::string_view message);

void log_internal_error(const request_rec* r, const char* what) noexcept;
void log_internal_error(const server_rec* s, const char* what) noexcept;

[[noreturn]] void log_and_end_process(apr_pool_t* pool, const char* what) noexcept;

/// Outside text made safe for one log line: control characters, quotes and non-ASCII bytes escaped, cut at 400 bytes.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace proconnect::httpd
