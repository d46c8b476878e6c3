#pragma once
#include <string_view>

namespace proconnect::access {

/// The headers that tell whether a person waits before a page; "" when absent.
struct RequestTraits {
    std::string_view method;
    std::string_view accept;
    std::string_view sec_fetch_mode, sec_fetch_dest;    ///< Fetch Metadata Request Headers
    std::string_view sec_purpose, purpose;              ///< prefetch
    std::string_view x_requested_with;
    std::string_view upgrade;
    std::string_view authorization;
};

enum class RequestKind {
    navigation,   ///< a browser loads a page: it can be sent to the provider and come back
    form,         ///< a navigation with a body: a redirect would lose it
    machine,      ///< fetch, XHR, sub-resource, HEAD, prefetch, WebSocket, API client: a redirect leads nowhere
};

/// Sec-Fetch-Mode and -Dest decide where the browser sends them; older browsers by Accept. Whatever is unclear is a machine: an answer
/// 401 can be acted upon, a redirect of a script's request cannot.
[[nodiscard]] RequestKind classify_request(const RequestTraits& traits) noexcept;

/// Whether a state-changing request (logout) comes from this site, by Sec-Fetch-Site (same-origin only) or else by Origin or Referer.
/// Absent everything means no.
struct OriginTraits {
    std::string_view sec_fetch_site, origin, referer;
};
[[nodiscard]] bool is_same_origin(const OriginTraits& traits, std::string_view own_origin) noexcept;

}  // namespace proconnect::access
