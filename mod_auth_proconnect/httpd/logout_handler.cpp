#include "httpd/logout_handler.hpp"

#include <vector>

#include <http_protocol.h>

#include "access/request_kind.hpp"
#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/digest.hpp"
#include "httpd/audit.hpp"
#include "httpd/connection_session.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/background_revocation.hpp"
#include "httpd/log.hpp"
#include "httpd/login.hpp"
#include "httpd/page.hpp"
#include "httpd/pool.hpp"
#include "httpd/prospect.hpp"
#include "httpd/silent_login.hpp"
#include "oidc/logout.hpp"

namespace proconnect::httpd {
namespace {

class VectorBuffer final : public session::RecordBuffer {
public:
    ~VectorBuffer() override { core::wipe(bytes_.data(), bytes_.size()); }
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override {
        try {
            bytes_.resize(size);
        } catch (...) {
            return {};
        }
        return bytes_;
    }

private:
    std::vector<std::uint8_t> bytes_;
};

constexpr std::string_view kLogoutUrlVariable = "PROCONNECT_LOGOUT_URL";
constexpr std::string_view kTokenParameter = "/logout?token=";

/// The id_token for the hint (without one, logout goes by client_id), and what there is to revoke.
session::SessionTokens tokens_of(const RequestState& state, const session::SessionHandle& handle) {
    VectorBuffer buffer;
    const auto opened = session::open_session(*runtime()->store, handle, state.site->site->realm, session::Part::tokens, buffer, state.now, session::Touch::no);
    if (!opened || !*opened) {
        return {};
    }
    auto tokens = session::decode_tokens((*opened)->plaintext);
    return tokens ? std::move(*tokens) : session::SessionTokens{};
}

/// What stands in the query of a logout.
struct Wish {
    oidc::LogoutIntent intent;
    std::string token;
    bool local = false;
};

Wish wish_of(const RequestState& state) {
    Wish wish;
    const auto parameters = core::Parameters::parse(state.query != nullptr ? state.query : "");
    if (parameters) {   // whatever else stands in a query must not keep anybody from logging out
        if (const auto address = parameters->find("return"); address && core::is_local_return_address(*address)) {
            wish.intent.return_address = *address;
        }
        wish.token = parameters->find("token").value_or("");
        wish.local = parameters->find("local").has_value();
    }
    return wish;
}

/// Whether the link bears the token that this very session's user was given.
bool bears_token(request_rec* r, RequestState& state, std::string_view token) {
    const auto user = token.empty() ? std::unexpected(core::Error{core::ErrorCode::logout_not_same_site, ""}) : signed_in(r, state, session::Touch::no);
    const auto link = user && *user != nullptr ? (*user)->attributes.find(kLogoutUrlVariable) : std::nullopt;
    const auto at = link ? link->value_view.find(kTokenParameter) : std::string_view::npos;
    return at != std::string_view::npos && crypto::equal_constant_time(link->value_view.substr(at + kTokenParameter.size()), token);
}

int ask_to_confirm(request_rec* r, const RequestState& state, const Wish& wish) {
    core::ParameterList query;
    if (!wish.intent.return_address.empty()) {
        query.add("return", wish.intent.return_address);
    }
    if (wish.local) {
        query.add("local", "1");
    }
    const bool french = language_of(r) == core::Language::french;
    const bool here_only = wish.local || state.site->site->local_logout;
    return send_page(r, state,
                     {.status = HTTP_OK,
                      .title = french ? "Se déconnecter ?" : "Sign out?",
                      .text = here_only ? (french ? "Voulez-vous fermer votre session sur ce service ? Celle de ProConnect reste ouverte."
                                                  : "Do you want to close your session with this service? That with ProConnect stays open.")
                                        : (french ? "Voulez-vous fermer votre session sur ce service et sur ProConnect ?" : "Do you want to close your session with this service and with ProConnect?"),
                      .button = french ? "Se déconnecter" : "Sign out",
                      .action = state.site->site->prefix + "/logout" + (query.text().empty() ? "" : "?") + query.text(),
                      .post = true,
                      .reference = {}});
}

int show_logged_out(request_rec* r, const RequestState& state) {
    const auto& entry = core::catalogue_entry(core::ErrorCode::logout_state_mismatch);
    const bool french = language_of(r) == core::Language::french;
    const auto& message = french ? entry.french : entry.english;
    return send_page(r, state,
                     {.status = HTTP_OK,
                      .title = std::string{message.title},
                      .text = std::string{message.text},
                      .button = french ? "Accueil du service" : "Start of the service",
                      .action = "/",
                      .reference = {}});
}

/// Where to go on at ProConnect; "" when it offers no logout, cannot be asked where, or the address cannot be made. The local session is gone by then.
std::string provider_logout(request_rec* r, RequestState& state, const core::Secret& hint, const oidc::LogoutIntent& intent) {
    auto& site = *state.site;
    // Only where ProConnect is known already: a logout does not wait for it.
    const auto provider = site.provider && site.board->generation() != 0 ? site.provider->current(state.now) : std::unexpected(core::Error{core::ErrorCode::internal_error, ""});
    if (!provider) {
        return {};
    }
    auto binding = session::BrowserBinding::parse(state.cookies.login.value_or(""));
    if (!binding) {
        auto fresh = session::BrowserBinding::make_random();
        if (!fresh) {
            return {};
        }
        binding = std::move(*fresh);
        set_cookie(r, *site.site, site.site->login_cookie_name, binding->cookie_value());
    }
    const auto logout_state = oidc::make_logout_state(site.site->client, *binding, runtime()->keys.current, state.now, intent);
    return logout_state ? oidc::end_session_url((*provider)->metadata, site.site->client, hint.reveal(), *logout_state) : std::string{};
}

/// The browser forgets what it holds of this session: our cookies, the application's that are named, and whom it logged in last.
void clear_browser(request_rec* r, const RequestState& state) {
    const auto& site = *state.site->site;
    clear_cookie(r, site, site.cookie_name);
    if (state.cookies.login && session::BrowserBinding::parse(*state.cookies.login)) {
        set_login_cookie(r, site, *state.cookies.login, {});
    }
    for (const auto& cookie : site.logout_cookies) {
        const auto at = cookie.find('@');
        const auto path = at == std::string::npos ? "/" : cookie.substr(at + 1);
        apr_table_addn(r->err_headers_out, "Set-Cookie",
                       pool_copy(r->pool, cookie.substr(0, at) + "=; Path=" + path + "; Max-Age=0" + (site.secure_cookies ? "; Secure" : "")));
    }
    if (!site.clear_site_data.empty()) {
        apr_table_setn(r->err_headers_out, "Clear-Site-Data", pool_copy(r->pool, site.clear_site_data));
    }
}

/// Behind the logout, wherever it was done.
int go_on(request_rec* r, RequestState& state, const oidc::LogoutIntent& intent, bool proconnect_forgot) {
    const bool local = core::is_local_return_address(intent.return_address);
    if (intent.then_login) {
        // Where ProConnect has kept its session, only asking again offers another account.
        return begin_login_towards(r, state, local ? intent.return_address : "/", !proconnect_forgot);
    }
    return local ? redirect(r, HTTP_SEE_OTHER, intent.return_address) : show_logged_out(r, state);
}

}  // namespace

std::expected<std::string, core::Error> make_logout_url(const Site& site, std::string_view session_name) {
    const auto mac = crypto::hmac_sha256(runtime()->keys.current.logout_link, session_name);
    if (!mac) {
        return std::unexpected(mac.error());
    }
    return site.prefix + std::string{kTokenParameter} + core::base64url_encode(std::span{*mac}.first(16));
}

int end_session(request_rec* r, RequestState& state, const oidc::LogoutIntent& intent, bool local) {
    const auto& site = *state.site->site;
    rest_from_silent_logins(r, site);
    const auto handle = state.handle();
    if (!handle) {
        clear_browser(r, state);   // of a cookie that is none of ours, and of what the application left
        return go_on(r, state, intent, false);
    }
    const auto user = signed_in(r, state, session::Touch::no);
    auto tokens = tokens_of(state, *handle);
    const auto id = handle->lookup_id();
    const auto removed = id ? runtime()->store->remove(*id, site.realm) : std::unexpected(id.error());
    if (!removed) {
        return send_failure(r, state, removed.error(), "");
    }
    if (user && *user != nullptr) {
        audit_logout(r, state);
    }
    state.user.reset();   // what comes next is asked for by nobody
    forget_session(r);
    clear_browser(r, state);
    revoke_after_answer(r, state, std::move(tokens.refresh_token));
    const auto location = local ? std::string{} : provider_logout(r, state, tokens.id_token, intent);
    return location.empty() ? go_on(r, state, intent, false) : redirect(r, HTTP_SEE_OTHER, location);
}

int handle_logout(request_rec* r, RequestState& state) {
    const auto& site = *state.site->site;
    const bool is_get = r->method_number == M_GET && !r->header_only;
    if (!is_get && r->method_number != M_POST) {
        return send_failure(r, state, {core::ErrorCode::method_not_allowed, "logout: only GET and POST"}, "");
    }
    const auto wish = wish_of(state);
    const bool same_origin = comes_from_here(r, site);
    const auto destination = header(r, "Sec-Fetch-Dest");
    const bool with_token = bears_token(r, state, wish.token);
    // A browser that does not say what it loads may be loading an image that somebody put into a page of this very site.
    const bool is_page_load = destination == "document" || (destination.empty() && with_token);
    const bool is_prefetch = header(r, "Sec-Purpose").contains("prefetch") || header(r, "Purpose").contains("prefetch");
    if ((!same_origin && !with_token) || (is_get && (!is_page_load || is_prefetch))) {
        // A link on another site, an image, or a browser that looks ahead logs nobody out.
        return ask_to_confirm(r, state, wish);
    }
    ap_discard_request_body(r);
    return end_session(r, state, wish.intent, site.local_logout || wish.local);
}

int handle_logged_out(request_rec* r, RequestState& state) {
    const auto parameters = core::Parameters::parse(state.query != nullptr ? state.query : "");
    const auto returned = parameters ? parameters->find("state").value_or("") : std::string_view{};
    if (returned.empty()) {
        return show_logged_out(r, state);
    }
    const auto intent = oidc::open_logout_state(returned, state.site->site->client, state.cookies.login.value_or(""), runtime()->keys, state.now);
    if (!intent) {
        log_failure(r, {core::ErrorCode::logout_state_mismatch, "the state that came back is not one of this browser's logouts"}, make_reference());
        return show_logged_out(r, state);
    }
    const auto user = intent->then_login ? signed_in(r, state, session::Touch::no) : nullptr;
    if (user && *user != nullptr) {
        return redirect(r, HTTP_SEE_OTHER, core::is_local_return_address(intent->return_address) ? intent->return_address : "/");   // the back button
    }
    if (r->method_number != M_GET || kind_of(r) != access::RequestKind::navigation) {
        return show_logged_out(r, state);
    }
    return go_on(r, state, *intent, true);
}

}  // namespace proconnect::httpd
