#include "httpd/logout_handler.hpp"

#include <vector>

#include <http_protocol.h>

#include "access/request_kind.hpp"
#include "core/url.hpp"
#include "httpd/log.hpp"
#include "httpd/page.hpp"
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

/// The id_token for the hint; without one, logout goes by client_id.
core::Secret id_token_hint(const RequestState& state) {
    VectorBuffer buffer;
    const auto opened = session::open_session(*runtime()->store, *state.handle, state.site->site->realm, session::Part::tokens, buffer, state.now, session::Touch::no);
    if (!opened || !*opened) {
        return {};
    }
    auto tokens = session::decode_tokens((*opened)->plaintext);
    return tokens ? std::move(tokens->id_token) : core::Secret{};
}

int ask_to_confirm(request_rec* r, const RequestState& state) {
    const bool french = language_of(r) == core::Language::french;
    return send_page(r, state,
                     {.status = HTTP_OK,
                      .title = french ? "Se déconnecter ?" : "Sign out?",
                      .text = french ? "Voulez-vous fermer votre session sur ce service et sur ProConnect ?" : "Do you want to close your session with this service and with ProConnect?",
                      .button = french ? "Se déconnecter" : "Sign out",
                      .action = state.site->site->prefix + "/logout",
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
std::string provider_logout(request_rec* r, RequestState& state, const core::Secret& hint) {
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
    const auto logout_state = oidc::make_logout_state(site.site->client, *binding, runtime()->keys.current, state.now);
    return logout_state ? oidc::end_session_url((*provider)->metadata, site.site->client, hint.reveal(), *logout_state) : std::string{};
}

}  // namespace

int handle_logout(request_rec* r, RequestState& state) {
    const auto& site = *state.site->site;
    const bool is_get = r->method_number == M_GET && !r->header_only;
    if (!is_get && r->method_number != M_POST) {
        return send_failure(r, state, {core::ErrorCode::method_not_allowed, "logout: only GET and POST"}, "");
    }
    const bool same_origin = access::is_same_origin(
        {.sec_fetch_site = header(r, "Sec-Fetch-Site"), .origin = header(r, "Origin"), .referer = header(r, "Referer")}, site.origin);
    const auto destination = header(r, "Sec-Fetch-Dest");
    const bool is_page_load = destination.empty() || destination == "document";
    const bool is_prefetch = header(r, "Sec-Purpose").contains("prefetch") || header(r, "Purpose").contains("prefetch");
    if (!same_origin || (is_get && (!is_page_load || is_prefetch))) {
        // A link on another site, an image, or a browser that looks ahead logs nobody out.
        return ask_to_confirm(r, state);
    }
    ap_discard_request_body(r);
    if (!state.handle) {
        return show_logged_out(r, state);
    }
    const auto hint = id_token_hint(state);
    const auto id = state.handle->lookup_id();
    const auto removed = id ? runtime()->store->remove(*id, site.realm) : std::unexpected(id.error());
    if (!removed) {
        return send_failure(r, state, removed.error(), "");
    }
    clear_cookie(r, site, site.cookie_name);
    const auto location = provider_logout(r, state, hint);
    return location.empty() ? show_logged_out(r, state) : redirect(r, HTTP_SEE_OTHER, location);
}

int handle_logged_out(request_rec* r, RequestState& state) {
    const auto parameters = core::Parameters::parse(state.query != nullptr ? state.query : "");
    const auto returned = parameters ? parameters->find("state").value_or("") : std::string_view{};
    if (!returned.empty() &&
        !oidc::is_own_logout_state(returned, state.site->site->client, state.cookies.login.value_or(""), runtime()->keys, state.now)) {
        log_failure(r, {core::ErrorCode::logout_state_mismatch, "the state that came back is not one of this browser's logouts"}, make_reference());
    }
    return show_logged_out(r, state);
}

}  // namespace proconnect::httpd
