#include "httpd/login.hpp"

#include <algorithm>

#include <http_log.h>

#include "core/deadline.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/log.hpp"
#include "httpd/page.hpp"
#include "oidc/login_flow.hpp"

namespace proconnect::httpd {
namespace {

/// A login that takes a person's time takes longer; a loop through ProConnect's own session takes a second or two.
constexpr std::chrono::seconds kLoopWindow{20};
/// Fresh logins in a row are counted for this long.
constexpr std::chrono::minutes kStreakWindow{5};
constexpr std::uint8_t kMaxRestarts = 2;

bool is_within(const RequestState& state, core::UnixTime when, std::chrono::seconds window) {
    return state.now >= when && state.now - when <= window;
}

/// A session that is meant to be short is no loop when it is over.
std::chrono::seconds loop_window(const RequestState& state) {
    return std::min(kLoopWindow, state.site->site->session_idle);
}

/// The page that ends a row of logins for a page. What the user does next counts from the beginning.
int stop_here(request_rec* r, RequestState& state, core::ErrorCode code, const char* detail, const std::string& return_address) {
    auto mark = mark_of(state);
    mark.attempts = 0;
    mark.finished = false;
    if (state.cookies.login && session::BrowserBinding::parse(*state.cookies.login)) {
        set_login_cookie(r, *state.site->site, *state.cookies.login, mark);
    }
    return send_failure(r, state, {code, detail}, return_address);
}

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

int begin_login_and_redirect(request_rec* r, RequestState& state, const std::string& return_address, const LoginDemand& demand, const LoginStart& start) {
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
    wishes.prompt_none = demand.silent && !wishes.prompt_login;
    const auto started = oidc::begin_login(
        context, {.return_address = return_address, .wishes = std::move(wishes), .step_up = demand.step_up, .attempt = start.attempt}, binding);
    if (!started) {
        return send_failure(r, state, started.error(), return_address);
    }
    if (start.mark) {
        set_login_cookie(r, *site.site, started->new_binding_cookie ? std::string_view{*started->new_binding_cookie} : binding, *start.mark);
    } else if (started->new_binding_cookie) {
        set_cookie(r, *site.site, site.site->login_cookie_name, *started->new_binding_cookie);
    }
    return redirect(r, HTTP_MOVED_TEMPORARILY, started->location);
}

session::LoginMark mark_of(const RequestState& state) {
    return session::verified_mark(state.cookies.login.value_or(""), state.login_mark, runtime()->keys);
}

session::LoginMark mark_of_success(const RequestState& state, std::string session_name, const session::SubjectTag& subject) {
    auto mark = mark_of(state);
    // A login does not end a row of them, only a session that is seen to live does: by that no more mark is set.
    mark.attempts = is_within(state, mark.when, loop_window(state)) ? mark.attempts : std::uint8_t{0};
    mark.when = state.now;
    mark.finished = true;
    mark.session_name = std::move(session_name);
    mark.subject = session::tag_text(subject);
    return mark;
}

int begin_login_for_page(request_rec* r, RequestState& state, const std::string& return_address, const LoginDemand& demand) {
    auto mark = mark_of(state);
    if (!mark.finished || !is_within(state, mark.when, loop_window(state))) {
        return begin_login_and_redirect(r, state, return_address, demand);
    }
    // Once, a fresh login is the cure: for somebody who has just deleted his cookies, or a session that another login pushed out.
    if (!state.cookies.session && mark.attempts > 0) {
        return stop_here(r, state, core::ErrorCode::cookies_refused, "logins have just succeeded, but the session cookie is absent or came more than once", return_address);
    }
    if (mark.attempts >= kMaxRestarts) {
        return stop_here(r, state, core::ErrorCode::login_loop, "sessions that logins have just begun are not found again", return_address);
    }
    ++mark.attempts;
    mark.when = state.now;
    return begin_login_and_redirect(r, state, return_address, demand, {.attempt = 1, .mark = std::move(mark)});
}

int begin_login_again(request_rec* r, RequestState& state, const std::string& return_address, std::uint8_t attempt) {
    if (kind_of(r) != access::RequestKind::navigation) {
        return send_login_required(r, state);   // an image or a prefetch does not come back
    }
    // The ticket counts where no cookie is kept, the mark where no ticket can be read.
    auto mark = mark_of(state);
    const std::uint8_t counted = is_within(state, mark.when, kStreakWindow) ? mark.attempts : std::uint8_t{0};
    const auto restarts = std::max<std::uint8_t>(counted, static_cast<std::uint8_t>(attempt - 1));
    if (restarts >= kMaxRestarts) {
        const bool keeps_cookies = state.cookies.login && session::BrowserBinding::parse(*state.cookies.login);
        // The count stands, for a callback that is opened again and again; the button of the page begins a login all the same.
        return send_failure(r, state,
                            keeps_cookies ? core::Error{core::ErrorCode::login_loop, "callbacks without use came in a row"}
                                          : core::Error{core::ErrorCode::cookies_refused, "the login cookie does not come back"},
                            return_address);
    }
    mark.attempts = static_cast<std::uint8_t>(restarts + 1);
    mark.when = state.now;
    mark.finished = false;
    // What the page demands beyond a login, it demands again when it is reached.
    return begin_login_and_redirect(r, state, return_address, {}, {.attempt = static_cast<std::uint8_t>(restarts + 2), .mark = std::move(mark)});
}

}  // namespace proconnect::httpd
