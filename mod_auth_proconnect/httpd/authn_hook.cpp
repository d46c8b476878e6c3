#include "httpd/authn_hook.hpp"

#include <http_core.h>
#include <http_request.h>

#include "access/request_kind.hpp"
#include "httpd/access_rules.hpp"
#include "httpd/environment.hpp"
#include "httpd/form_keeping.hpp"
#include "httpd/log.hpp"
#include "httpd/log_redaction.hpp"
#include "httpd/login.hpp"
#include "httpd/page.hpp"
#include "httpd/silent_login.hpp"

namespace proconnect::httpd {
namespace {

/// The request as the browser sent it, before internal redirects (mod_rewrite, ErrorDocument).
const request_rec* first_of(const request_rec* r) {
    while (r->prev != nullptr) {
        r = r->prev;
    }
    return r;
}

/// The request target without scheme and host, which a client may send (RFC 9112 section 3.2.2).
std::string path_and_query(std::string_view target) {
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
        const auto path = target.find('/', scheme + 3);
        return path == std::string_view::npos ? "/" : std::string{target.substr(path)};
    }
    return std::string{target};
}

/// An answer written in a hook ends the request; OK would let it go on to the protected content.
int finished(int status) {
    return status == OK ? DONE : status;
}

int without_user(request_rec* r, RequestState& state) {
    const auto& config = directory_config(r);
    const auto what = config.unauthenticated ? config.unauthenticated->value : Unauthenticated::login;
    if (serves_an_error(r)) {
        return HTTP_UNAUTHORIZED;   // no page to come back to
    }
    if (r->main != nullptr) {
        return what == Unauthenticated::deny ? HTTP_UNAUTHORIZED : leave_login_to_main(r, state);
    }
    // `pass` lets through what the access rules leave open (see name_user_where_open); here they ask for a user.
    switch (kind_of(r)) {
        case access::RequestKind::navigation:
            return finished(send_to_log_in(r, state, {.acr_values = levels_for_login(r, state)}));
        case access::RequestKind::form:
            return finished(keep_form_and_log_in(r, state, {.acr_values = levels_for_login(r, state)}));
        case access::RequestKind::machine:
            return finished(send_login_required(r, state));
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

access::RequestKind kind_of(const request_rec* r) {
    return access::classify_request({.method = r->header_only ? "HEAD" : std::string_view{r->method},
                                     .accept = header(r, "Accept"),
                                     .sec_fetch_mode = header(r, "Sec-Fetch-Mode"),
                                     .sec_fetch_dest = header(r, "Sec-Fetch-Dest"),
                                     .sec_purpose = header(r, "Sec-Purpose"),
                                     .purpose = header(r, "Purpose"),
                                     .x_requested_with = header(r, "X-Requested-With"),
                                     .upgrade = header(r, "Upgrade"),
                                     .authorization = header(r, "Authorization")});
}

bool serves_an_error(const request_rec* r) {
    for (; r->prev != nullptr; r = r->prev) {
        if (r->prev->status >= HTTP_BAD_REQUEST) {
            return true;
        }
    }
    return false;
}

std::string address_asked_for(const request_rec* r) {
    return path_and_query(first_of(r)->unparsed_uri);
}

int send_to_log_in(request_rec* r, RequestState& state, const LoginDemand& demand) {
    const auto& config = directory_config(r);
    const auto asked_for = address_asked_for(r);
    switch (config.unauthenticated ? config.unauthenticated->value : Unauthenticated::login) {
        case Unauthenticated::page:
            return send_login_page(r, state, asked_for);
        case Unauthenticated::silent:
            return may_try_silently(r, state) ? begin_silent_login(r, state, asked_for, demand) : send_login_page(r, state, asked_for);
        case Unauthenticated::deny:
            return send_failure(r, state, {core::ErrorCode::login_required_machine, "ProConnectUnauthenticated deny"}, asked_for);
        case Unauthenticated::login:
        case Unauthenticated::pass:
            break;
    }
    return begin_login_for_page(r, state, asked_for, demand);
}

[[gnu::hot]] int authenticate(request_rec* r) {
    if (!is_ours(r)) {
        return DECLINED;
    }
    cap_log_level(r);
    auto* state = state_of(r);
    if (state == nullptr) {
        log_failure(r, {core::ErrorCode::configuration_invalid, "AuthType ProConnect, but no ProConnectPlatform applies to this virtual host"}, "");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    const auto& config = directory_config(r);
    const auto user = signed_in(r, *state, touch_of(config));
    if (!user) {
        // A store that fails is no reason to log in again: that would only fail later.
        return r->main != nullptr ? HTTP_SERVICE_UNAVAILABLE : finished(send_failure(r, *state, user.error(), ""));
    }
    if (*user == nullptr) {
        return without_user(r, *state);
    }
    if (const auto set = set_environment(r, **user); !set) {
        clear_environment(r);
        return r->main != nullptr ? HTTP_FORBIDDEN : finished(send_failure(r, *state, set.error(), ""));
    }
    return OK;
}

int name_user_where_open(request_rec* r) {
    const auto& config = directory_config(r);
    if (auto* asked = r->user == nullptr ? state_of(r) : nullptr; asked != nullptr && rules_need_a_user(r, *asked)) {
        // Let in by negated rules alone, which had nobody to look at: as if it had been refused.
        if (!is_ours(r)) {
            log_failure(r, {core::ErrorCode::configuration_invalid, "Require not proconnect needs AuthType ProConnect at the same place"}, "");
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        const int status = authenticate(r);
        return status != OK ? status : check_rules_of_form(r);
    }
    const bool passes = r->user == nullptr && config.unauthenticated && config.unauthenticated->value == Unauthenticated::pass && is_ours(r);
    auto* state = passes ? state_of(r) : nullptr;
    if (state == nullptr || state->endpoint != Endpoint::none) {
        return DECLINED;
    }
    clear_environment(r);
    const auto user = signed_in(r, *state, touch_of(config));
    if (!user) {
        // The page is open to everybody, so it is shown; but the log says why nobody is named on it.
        log_failure(r, user.error(), "");
        return DECLINED;
    }
    if (*user != nullptr && !set_environment(r, **user)) {
        clear_environment(r);
    }
    return DECLINED;
}

}  // namespace proconnect::httpd
