#include "httpd/endpoints.hpp"

#include <http_protocol.h>

#include "core/url.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/access_rules.hpp"
#include "httpd/callback_handler.hpp"
#include "httpd/form_handler.hpp"
#include "httpd/log_redaction.hpp"
#include "httpd/logout_handler.hpp"
#include "httpd/page.hpp"
#include "httpd/pool.hpp"
#include "httpd/prospect.hpp"
#include "json/document.hpp"

namespace proconnect::httpd {
namespace {

/// httpd shows our page for a request that failed for the sake of a subrequest.
bool is_for_pending(const request_rec* r) {
    const auto* state = r->main == nullptr && r->prev != nullptr ? state_of(r) : nullptr;
    return state != nullptr && state->pending && r->uri != nullptr && r->uri == state->site->site->prefix + "/login";
}

/// Our page this very request is for; a subrequest or internal redirect never is.
[[gnu::hot]] RequestState* own_page(const request_rec* r) {
    if (is_for_pending(r)) {
        return state_of(r);
    }
    if (r->main != nullptr || r->prev != nullptr) {
        return nullptr;
    }
    auto* state = state_of(r);
    return state != nullptr && state->endpoint != Endpoint::none ? state : nullptr;
}

/// Another organisation or account: out here and at ProConnect, then in again.
int switch_account(request_rec* r, RequestState& state, const std::string& return_address) {
    // It ends a session: where the browser does not say who asks, the page that links here must.
    const bool own = header(r, "Sec-Fetch-Site") == "none" || comes_from_here(r, *state.site->site);
    return own ? end_session(r, state, {.return_address = return_address, .then_login = true}, state.site->site->local_logout) : redirect(r, HTTP_MOVED_TEMPORARILY, "/");
}

int handle_login(request_rec* r, RequestState& state) {
    if (r->method_number != M_GET || r->header_only) {
        return send_failure(r, state, {core::ErrorCode::method_not_allowed, "login: only GET"}, "");
    }
    const auto site_relation = header(r, "Sec-Fetch-Site");
    if (site_relation == "cross-site" || site_relation == "same-site") {
        // Another site must not be able to start a login here and choose where it ends.
        return redirect(r, HTTP_MOVED_TEMPORARILY, "/");
    }
    const auto parameters = core::Parameters::parse(r->args != nullptr ? r->args : "");
    if (!parameters) {
        return send_failure(r, state, parameters.error(), "");
    }
    if (kind_of(r) != access::RequestKind::navigation) {
        return send_login_required(r, state);   // an image, a prefetch or a script does not come back
    }
    const auto named = parameters->find("return").value_or("/");
    const std::string wanted{core::is_local_return_address(named) ? named : "/"};
    if (parameters->find("switch")) {
        return switch_account(r, state, wanted);
    }
    return begin_login_towards(r, state, wanted, parameters->find("reauth").has_value());
}

/// What a page may ask about its own session; does not keep it alive.
int handle_session(request_rec* r, RequestState& state) {
    const auto relation = header(r, "Sec-Fetch-Site");
    if (r->method_number != M_GET || relation == "cross-site" || relation == "same-site") {
        return send_failure(r, state, {core::ErrorCode::method_not_allowed, "session: only GET from this site"}, "");
    }
    const auto user = signed_in(r, state, session::Touch::no);
    if (!user) {
        return send_failure(r, state, user.error(), "");
    }
    if (*user == nullptr) {
        return send_login_required(r, state);
    }
    const auto& head = (*user)->head;
    const auto until_idle = head.idle.count() == 0 ? head.expires : std::min(head.expires, head.last_used + head.idle);
    const auto logout_url = (*user)->attributes.find("PROCONNECT_LOGOUT_URL");
    json::Writer body;
    body.begin_object()
        .key("expires_in").number(std::max<std::int64_t>(0, (head.expires - state.now).count()))
        .key("idle_expires_in").number(std::max<std::int64_t>(0, (until_idle - state.now).count()))
        .key("logout_url").string(logout_url ? std::string{logout_url->value_view} : state.site->site->prefix + "/logout")
        .end_object();
    const auto text = body.take();
    apr_table_setn(r->headers_out, "Cache-Control", pool_copy(r->pool, "no-store"));
    apr_table_setn(r->headers_out, "X-Content-Type-Options", pool_copy(r->pool, "nosniff"));
    ap_set_content_type(r, pool_copy(r->pool, "application/json"));
    ap_rwrite(text.data(), static_cast<int>(text.size()), r);
    return OK;
}

/// Our public keys, for ProConnect to encrypt to and to verify private_key_jwt with.
int handle_jwks(request_rec* r, RequestState& state) {
    const auto& jwks = state.site->site->public_jwks;
    if (r->method_number != M_GET || jwks.empty()) {
        return send_failure(r, state, {core::ErrorCode::unknown_endpoint, "jwks: no keys are configured, or not a GET"}, "");
    }
    apr_table_setn(r->headers_out, "Cache-Control", pool_copy(r->pool, "public, max-age=600"));
    ap_set_content_type(r, pool_copy(r->pool, "application/jwk-set+json"));
    ap_rwrite(jwks.data(), static_cast<int>(jwks.size()), r);
    return OK;
}

}  // namespace

int claim_endpoint(request_rec* r) {
    if (own_page(r) == nullptr) {
        return DECLINED;
    }
    r->filename = pool_copy(r->pool, "proconnect");  // some modules expect one
    r->handler = "proconnect-page";                  // mod_dir's FallbackResource takes what has no handler
    return OK;
}

int admit_endpoint(request_rec* r) {
    return own_page(r) == nullptr ? DECLINED : OK;
}

[[gnu::hot]] int serve_endpoint(request_rec* r) {
    auto* state = own_page(r);
    if (state == nullptr) {
        return DECLINED;
    }
    cap_log_level(r);
    if (is_for_pending(r)) {
        return serve_pending(r, *state);
    }
    switch (state->endpoint) {
        case Endpoint::callback: return handle_callback(r, *state);
        case Endpoint::login: return handle_login(r, *state);
        case Endpoint::logout: return handle_logout(r, *state);
        case Endpoint::logged_out: return handle_logged_out(r, *state);
        case Endpoint::session: return handle_session(r, *state);
        case Endpoint::form: return handle_form(r, *state);
        case Endpoint::jwks: return handle_jwks(r, *state);
        case Endpoint::unknown:
        case Endpoint::none: break;
    }
    return send_failure(r, *state, {core::ErrorCode::unknown_endpoint, "no such page below ProConnectPrefix"}, "");
}

}  // namespace proconnect::httpd
