#include "access/request_kind.hpp"

#include <algorithm>

namespace proconnect::access {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool contains_ignoring_case(std::string_view text, std::string_view wanted) noexcept {
    return !std::ranges::search(text, wanted, [](char a, char b) { return lower(a) == lower(b); }).empty();
}

bool is_page_load(const RequestTraits& traits) noexcept {
    if (!traits.sec_fetch_mode.empty()) {
        // A frame is a page too, but the provider refuses to be framed: only the top document can come back.
        return traits.sec_fetch_mode == "navigate" && (traits.sec_fetch_dest == "document" || traits.sec_fetch_dest.empty());
    }
    return contains_ignoring_case(traits.accept, "text/html");
}

}  // namespace

RequestKind classify_request(const RequestTraits& traits) noexcept {
    const bool prefetch = contains_ignoring_case(traits.sec_purpose, "prefetch") || contains_ignoring_case(traits.purpose, "prefetch");
    const bool scripted = contains_ignoring_case(traits.x_requested_with, "XMLHttpRequest") || !traits.authorization.empty();
    if (prefetch || scripted || !traits.upgrade.empty() || !is_page_load(traits)) {
        // "Upgrade: h2c" and the like of a browser's navigation do not occur: browsers negotiate HTTP/2 in TLS.
        return RequestKind::machine;
    }
    if (traits.method == "GET") {
        return RequestKind::navigation;
    }
    return traits.method == "POST" ? RequestKind::form : RequestKind::machine;
}

bool is_same_origin(const OriginTraits& traits, std::string_view own_origin) noexcept {
    if (!traits.sec_fetch_site.empty()) {
        return traits.sec_fetch_site == "same-origin";
    }
    if (!traits.origin.empty()) {
        return traits.origin == own_origin;
    }
    return traits.referer.starts_with(own_origin) && (traits.referer.size() == own_origin.size() || traits.referer[own_origin.size()] == '/') && !own_origin.empty();
}

}  // namespace proconnect::access
