#include "access/request_kind.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

using proconnect::access::classify_request;
using proconnect::access::is_same_origin;
using proconnect::access::OriginTraits;
using proconnect::access::RequestKind;
using proconnect::access::RequestTraits;

namespace proconnect::access {

std::ostream& operator<<(std::ostream& out, RequestKind kind) {
    return out << (kind == RequestKind::navigation ? "navigation" : kind == RequestKind::form ? "form" : "machine");
}

}  // namespace proconnect::access

namespace {

constexpr std::string_view kChromeAccept =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
constexpr std::string_view kFirefoxAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
constexpr std::string_view kSafariAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A page load of a browser that sends Sec-Fetch-*.
RequestTraits page_load() {
    RequestTraits traits;
    traits.method = "GET";
    traits.accept = kChromeAccept;
    traits.sec_fetch_mode = "navigate";
    traits.sec_fetch_dest = "document";
    return traits;
}

/// One of a browser that does not: Safari before 16.4, and every browser on plain http.
RequestTraits old_page_load() {
    RequestTraits traits;
    traits.method = "GET";
    traits.accept = kSafariAccept;
    return traits;
}

RequestTraits with(RequestTraits traits, std::string_view RequestTraits::*header, std::string_view value) {
    traits.*header = value;
    return traits;
}

/// A request whose headers say nothing but these three.
RequestKind kind_of(std::string_view method, std::string_view accept, std::string_view mode = "", std::string_view dest = "") {
    RequestTraits traits;
    traits.method = method;
    traits.accept = accept;
    traits.sec_fetch_mode = mode;
    traits.sec_fetch_dest = dest;
    return classify_request(traits);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(request_kind)

BOOST_AUTO_TEST_CASE(knows_the_page_loads_of_browsers) {
    for (const auto accept : {kChromeAccept, kFirefoxAccept, kSafariAccept}) {
        BOOST_TEST(kind_of("GET", accept, "navigate", "document") == RequestKind::navigation);
        BOOST_TEST(kind_of("GET", accept) == RequestKind::navigation);
        BOOST_TEST(kind_of("POST", accept, "navigate", "document") == RequestKind::form);
        BOOST_TEST(kind_of("POST", accept) == RequestKind::form);
    }
    BOOST_TEST(kind_of("GET", "*/*", "navigate", "document") == RequestKind::navigation);
    BOOST_TEST(kind_of("GET", "", "navigate", "document") == RequestKind::navigation);
    // Mode without destination: Chrome 76 to 79.
    BOOST_TEST(kind_of("GET", kChromeAccept, "navigate") == RequestKind::navigation);
    BOOST_TEST(kind_of("GET", "TEXT/HTML") == RequestKind::navigation);
}

BOOST_AUTO_TEST_CASE(takes_what_scripts_and_pages_fetch_for_machines) {
    for (const std::string_view mode : {"cors", "no-cors", "same-origin", "websocket", "NAVIGATE", "nested-navigate", "x"}) {
        BOOST_TEST(kind_of("GET", "*/*", mode, "empty") == RequestKind::machine, mode);
        // What Accept says does not matter where the browser says it better.
        BOOST_TEST(kind_of("GET", kChromeAccept, mode, "document") == RequestKind::machine, mode);
        BOOST_TEST(kind_of("POST", kChromeAccept, mode, "empty") == RequestKind::machine, mode);
    }
    for (const std::string_view dest : {"iframe", "frame", "embed", "object", "empty", "image", "script", "style", "font", "worker", "serviceworker", "DOCUMENT"}) {
        BOOST_TEST(kind_of("GET", kChromeAccept, "navigate", dest) == RequestKind::machine, dest);
        BOOST_TEST(kind_of("POST", kChromeAccept, "navigate", dest) == RequestKind::machine, dest);
    }
}

BOOST_AUTO_TEST_CASE(takes_clients_that_want_no_page_for_machines) {
    for (const std::string_view accept : {"", "*/*", "application/json", "application/json, text/plain, */*", "image/webp,*/*", "text/css,*/*;q=0.1", "text/plain", "text/*", "text/event-stream",
                                          "application/xhtml+xml", "texthtml", "text/htm"}) {
        BOOST_TEST(kind_of("GET", accept) == RequestKind::machine, accept);
        BOOST_TEST(kind_of("POST", accept) == RequestKind::machine, accept);
    }
}

BOOST_AUTO_TEST_CASE(takes_other_methods_for_machines) {
    for (const std::string_view method : {"HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE", "get", "Get", "post", "", "GETX"}) {
        BOOST_TEST(classify_request(with(page_load(), &RequestTraits::method, method)) == RequestKind::machine, method);
        BOOST_TEST(classify_request(with(old_page_load(), &RequestTraits::method, method)) == RequestKind::machine, method);
    }
}

BOOST_AUTO_TEST_CASE(begins_no_login_for_a_prefetch) {
    for (const auto& load : {page_load(), old_page_load()}) {
        for (const std::string_view purpose : {"prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip", "Prefetch"}) {
            BOOST_TEST(classify_request(with(load, &RequestTraits::sec_purpose, purpose)) == RequestKind::machine, purpose);
            BOOST_TEST(classify_request(with(load, &RequestTraits::purpose, purpose)) == RequestKind::machine, purpose);
        }
        BOOST_TEST(classify_request(with(load, &RequestTraits::sec_purpose, "other")) == RequestKind::navigation);
    }
}

BOOST_AUTO_TEST_CASE(begins_no_login_for_a_script_of_an_old_browser) {
    for (const std::string_view value : {"XMLHttpRequest", "xmlhttprequest"}) {
        BOOST_TEST(classify_request(with(old_page_load(), &RequestTraits::x_requested_with, value)) == RequestKind::machine);
    }
    // Android's WebView names its application here when it loads a page.
    BOOST_TEST(classify_request(with(old_page_load(), &RequestTraits::x_requested_with, "fr.gouv.example")) == RequestKind::navigation);
}

BOOST_AUTO_TEST_CASE(begins_no_login_for_a_client_with_credentials_of_its_own) {
    for (const std::string_view value : {"Bearer abc", "Basic YTpi"}) {
        BOOST_TEST(classify_request(with(old_page_load(), &RequestTraits::authorization, value)) == RequestKind::machine);
    }
}

BOOST_AUTO_TEST_CASE(begins_no_login_for_a_websocket) {
    for (const std::string_view value : {"websocket", "WebSocket"}) {
        BOOST_TEST(classify_request(with(old_page_load(), &RequestTraits::upgrade, value)) == RequestKind::machine);
    }
    RequestTraits chrome;
    chrome.method = "GET";
    chrome.sec_fetch_mode = "websocket";
    chrome.sec_fetch_dest = "empty";
    chrome.upgrade = "websocket";
    BOOST_TEST(classify_request(chrome) == RequestKind::machine);
}

BOOST_AUTO_TEST_CASE(takes_a_request_that_says_nothing_for_a_machine) {
    BOOST_TEST(classify_request({}) == RequestKind::machine);
    BOOST_TEST(kind_of("GET", "") == RequestKind::machine);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(same_origin)

namespace {

constexpr std::string_view kOwn = "https://site.example";

bool from(OriginTraits traits, std::string_view own = kOwn) {
    return is_same_origin(traits, own);
}

}  // namespace

BOOST_AUTO_TEST_CASE(believes_the_browser_first) {
    BOOST_TEST(from({.sec_fetch_site = "same-origin", .origin = "", .referer = ""}));
    BOOST_TEST(from({.sec_fetch_site = "same-origin", .origin = "null", .referer = "https://evil.example/"}));
    for (const std::string_view site : {"same-site", "cross-site", "none", "Same-Origin", "same-origin ", "x"}) {
        BOOST_TEST(!from({.sec_fetch_site = site, .origin = kOwn, .referer = "https://site.example/"}), site);
    }
}

BOOST_AUTO_TEST_CASE(compares_the_origin_as_a_whole) {
    BOOST_TEST(from({.sec_fetch_site = "", .origin = kOwn, .referer = ""}));
    for (const std::string_view origin : {"null", "https://site.example.evil.example", "https://site.example:8443", "http://site.example", "https://evil.example", "https://site.example/", "https://sub.site.example",
                                          "https://SITE.example", "https://site.exampl", "https://site.example https://evil.example", " "}) {
        // A good referer does not make up for it.
        BOOST_TEST(!from({.sec_fetch_site = "", .origin = origin, .referer = "https://site.example/page"}), origin);
    }
}

BOOST_AUTO_TEST_CASE(goes_by_the_referer_where_there_is_nothing_else) {
    for (const std::string_view referer : {"https://site.example", "https://site.example/", "https://site.example/page?a=https://evil.example"}) {
        BOOST_TEST(from({.sec_fetch_site = "", .origin = "", .referer = referer}), referer);
    }
    for (const std::string_view referer : {"https://site.example.evil.example", "https://site.example.evil.example/", "https://site.example:8443/", "https://site.example@evil.example/", "http://site.example/",
                                           "https://evil.example/?https://site.example/", "https://site.exampleevil/", "https://site.exampl", "https://site.example\\evil", "https://site.example?x", "https://site.example#x",
                                           "about:blank", "null", " https://site.example/"}) {
        BOOST_TEST(!from({.sec_fetch_site = "", .origin = "", .referer = referer}), referer);
    }
}

BOOST_AUTO_TEST_CASE(takes_nothing_for_another_site) {
    BOOST_TEST(!from({}));
}

BOOST_AUTO_TEST_CASE(has_no_same_origin_where_the_own_one_is_unknown) {
    for (const std::string_view text : {"", "/", "null", "https://evil.example/", "https://evil.example"}) {
        BOOST_TEST(!from({.sec_fetch_site = "", .origin = "", .referer = text}, ""), text);
        BOOST_TEST(!from({.sec_fetch_site = "", .origin = text, .referer = ""}, ""), text);
        BOOST_TEST(!from({.sec_fetch_site = "", .origin = text, .referer = text}, ""), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
