#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <httpd.h>

#include "core/error.hpp"
#include "httpd/log.hpp"
#include "httpd/request.hpp"
#include "page/layout.hpp"

namespace proconnect::httpd {

/// French unless Accept-Language prefers English.
[[nodiscard]] core::Language language_of(const request_rec* r);

/// What stands on a page. All text is escaped when it is written; nothing of it comes from the request but a checked local address in `action`.
struct Page {
    int status = 200;
    std::string title, text;
    std::string button;          ///< label; "" = no button
    std::string action;          ///< local address the button leads to
    bool post = false;           ///< the button is a form that POSTs, not a link
    std::string reference;       ///< "PC2001 · ABCDEFGHJK", or ""
    bool retry_later = false;    ///< adds Retry-After, and the administrator's notice
    bool for_machine = false;    ///< as JSON whatever the client says it accepts
    std::vector<std::pair<std::string, std::string>> fields{};   ///< hidden, of the form
    std::vector<page::Block> blocks{};                           ///< more to say, between text and button
    bool proconnect_button = false;                              ///< the login page: `action` leads to ProConnect, by its own button
};

/// Writes the whole answer: headers (CSP without script, no-store, no framing, no referrer) and body. For machine clients the same as JSON.
/// @return what a handler returns; a hook before the handler returns DONE instead
int send_page(request_rec* r, const RequestState& state, const Page& page);

/// The page of a failure, and its one log line; both carry the same reference. @param return_address where "try again" leads, "" = the site's start
int send_failure(request_rec* r, const RequestState& state, const core::Error& error, std::string_view return_address,
                 const std::string& reference = make_reference());

/// 401 for a client that cannot be sent to ProConnect: WWW-Authenticate and a small JSON body that names the login page.
int send_login_required(request_rec* r, const RequestState& state);

/// The login page, 401: what was asked for is not given, so nothing stores or indexes the page in its place.
int send_login_page(request_rec* r, const RequestState& state, std::string_view return_address);

/// …/login?return=…, or without a return address that is of this site …/login.
[[nodiscard]] std::string login_address(const Site& site, std::string_view return_address);

}  // namespace proconnect::httpd
