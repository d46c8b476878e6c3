#pragma once
#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace proconnect::http {

// Internal to http/: the headers of the final answer that we use, read from a finished transfer. Interim answers, those of a
// proxy and trailers do not count. A header that should stand once and is repeated counts as absent.

/// Lower case, without parameters; "" when absent.
[[nodiscard]] std::string content_type_of(CURL* handle);

/// The shortest life that any Cache-Control directive gives, RFC 9111 section 5.2.2; -1 when none does.
[[nodiscard]] std::chrono::seconds max_age_of(CURL* handle);

/// The Date header in Unix seconds; 0 when absent or unreadable.
[[nodiscard]] std::int64_t date_of(CURL* handle);

}  // namespace proconnect::http
