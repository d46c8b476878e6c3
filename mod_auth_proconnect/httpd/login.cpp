#include "httpd/login.hpp"

#include <http_log.h>

#include "core/deadline.hpp"
#include "httpd/log.hpp"
#include "httpd/page.hpp"
#include "oidc/login_flow.hpp"

namespace proconnect::httpd {
namespace {

/// The text of a hint for this request; an expression that fails, or a value ProConnect would refuse, is left out and said in the log: a hint
/// must not keep anybody out.
std::string hint_of(request_rec* r, const Setting<TextOrExpression>* setting) {
    if (setting == nullptr) {
        return {};
    }
    if (setting->value.expression == nullptr) {
        return setting->value.text;
    }
    const char* error = nullptr;
    const char* value = ap_expr_str_exec(r, setting->value.expression, &error);
    if (error != nullptr || value == nullptr) {
        log_server_warning(r->server, setting->place.text() + ": the expression fails: " + printable(error != nullptr ? error : "no value"));
        return {};
    }
    return value;
}

oidc::AuthorizationWishes wishes_of(request_rec* r) {
    const auto& config = directory_config(r);
    oidc::AuthorizationWishes wishes;
    wishes.prompt_login = config.prompt_login && config.prompt_login->value;
    const std::pair<const Setting<TextOrExpression>*, std::string oidc::AuthorizationWishes::*> hints[] = {
        {config.idp_hint, &oidc::AuthorizationWishes::idp_hint},
        {config.login_hint, &oidc::AuthorizationWishes::login_hint},
        {config.siret_hint, &oidc::AuthorizationWishes::siret_hint}};
    for (const auto& [setting, field] : hints) {
        oidc::AuthorizationWishes probe;
        probe.*field = hint_of(r, setting);
        if (const auto checked = oidc::check_wishes(probe); checked) {
            wishes.*field = probe.*field;
        } else {
            log_server_warning(r->server, setting->place.text() + ": left out, " + checked.error().detail);
        }
    }
    return wishes;
}

}  // namespace

int begin_login_and_redirect(request_rec* r, RequestState& state, const std::string& return_address, const LoginDemand& demand) {
    auto& site = *state.site;
    if (!site.provider) {
        return send_failure(r, state, {core::ErrorCode::internal_error, "this child process could not prepare its calls to ProConnect"}, return_address);
    }
    const auto binding = state.cookies.login.value_or("");
    const oidc::LoginContext context{.client = site.site->client, .provider = *site.provider, .http = *site.http, .keys = runtime()->keys, .now = state.now};
    const core::CallDeadline deadline{site.site->timeout};
    const auto permit = site.board->generation() == 0 ? runtime()->wait_slots->acquire(kPermitWait) : std::nullopt;
    if (site.board->generation() == 0 && !permit) {
        return send_failure(r, state, {core::ErrorCode::provider_busy, "as many logins as may wait for ProConnect do so already"}, return_address);
    }
    auto wishes = wishes_of(r);
    wishes.acr_values = demand.acr_values;
    wishes.prompt_login = wishes.prompt_login || demand.prompt_login;
    const auto started = oidc::begin_login(context, {.return_address = return_address, .wishes = std::move(wishes), .step_up = demand.step_up, .attempt = 1}, binding);
    if (!started) {
        return send_failure(r, state, started.error(), return_address);
    }
    if (started->new_binding_cookie) {
        set_cookie(r, *site.site, site.site->login_cookie_name, *started->new_binding_cookie);
    }
    return redirect(r, HTTP_MOVED_TEMPORARILY, started->location);
}

}  // namespace proconnect::httpd
