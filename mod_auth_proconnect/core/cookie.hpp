#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace proconnect::core {

/// What of a Cookie header is ours, RFC 6265 section 4.2. Views into the header; no copy, no write in place.
struct OwnCookies {
    std::optional<std::string_view> session;   ///< nothing when absent or sent more than once
    std::optional<std::string_view> login;     ///< the same
    bool silent = false;                       ///< the marker of a silent attempt is there
    bool any = false;                          ///< the header holds at least one cookie of ours, repeated or not
    bool others = false;                       ///< it holds something else too
};

/// The names of our cookies; the others begin with the session's.
struct CookieNames {
    std::string_view session, login, silent;
};

/// Scans a header of any content and length once; names are compared byte for byte.
[[nodiscard]] OwnCookies scan_cookies(std::string_view header, const CookieNames& names) noexcept;

/// Copies the header without our cookies into `out`, which must hold header.size() bytes; for the application, which never needs them.
/// @return bytes written; 0 when nothing is left
std::size_t strip_cookies(std::string_view header, const CookieNames& names, char* out) noexcept;

}  // namespace proconnect::core
