#include "httpd/silent_login.hpp"

#include "core/url.hpp"
#include "httpd/log.hpp"
#include "httpd/login.hpp"
#include "httpd/page.hpp"

namespace proconnect::httpd {

bool may_try_silently(const request_rec* r, const RequestState& state) {
    const auto& config = directory_config(r);
    const bool asks_again = config.prompt_login != nullptr && config.prompt_login->value;   // prompt=login and none exclude each other
    return !state.cookies.silent && !asks_again && header(r, "Sec-Fetch-Mode") == "navigate" && header(r, "Sec-Fetch-Dest") == "document";
}

void rest_from_silent_logins(request_rec* r, const Site& site) {
    set_passing_cookie(r, site, site.silent_cookie_name, "1", kSilentPeriod);
}

int begin_silent_login(request_rec* r, RequestState& state, const std::string& return_address, LoginDemand demand) {
    rest_from_silent_logins(r, *state.site->site);
    demand.silent = true;
    return begin_login_and_redirect(r, state, return_address, demand);
}

bool is_silent_answer(const oidc::LoginFailure& failure) {
    if (!failure.silent || !failure.ours) {
        return false;
    }
    switch (failure.error.code) {
        using enum core::ErrorCode;
        case authorization_access_denied:
        case authorization_login_required:
        case authorization_invalid_scope:
        case authorization_invalid_request:
        case authorization_server_error:
        case authorization_temporarily_unavailable:
        case authorization_unsupported_response_type:
        case authorization_other:
        case authorization_acr_not_reached:
            return true;
        default:
            return false;
    }
}

int after_silent_login(request_rec* r, RequestState& state, const oidc::LoginFailure& failure) {
    // Not an error for the user; what ProConnect minds, such as a scope, comes again as one when he clicks.
    log_failure(r, {core::ErrorCode::authorization_login_required, "silent login: " + failure.error.detail}, make_reference());
    const bool local = core::is_local_return_address(failure.return_address);
    if (state.cookies.silent && local) {
        return redirect(r, HTTP_MOVED_TEMPORARILY, failure.return_address);
    }
    return send_login_page(r, state, local ? failure.return_address : "/");
}

}  // namespace proconnect::httpd
