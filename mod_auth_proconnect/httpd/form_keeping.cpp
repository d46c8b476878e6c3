#include "httpd/form_keeping.hpp"

#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "access/request_kind.hpp"
#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/random.hpp"
#include "httpd/access_rules.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/login.hpp"
#include "httpd/page.hpp"
#include "session/kept_forms.hpp"

namespace proconnect::httpd {
namespace {

using core::Error;
using core::ErrorCode;

constexpr std::size_t kMaxContentTypeBytes = 512;

/// The body, or why it is not kept.
std::expected<core::Secret, Error> read_body(request_rec* r, std::size_t limit) {
    const auto too_large = [&] { return std::unexpected(Error{ErrorCode::form_too_large, "a form is larger than ProConnectKeepPost (" + std::to_string(limit) + " bytes)"}); };
    if (ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK) != OK) {
        return std::unexpected(Error{ErrorCode::form_not_kept, "a form cannot be sent yet, and its body cannot be read"});
    }
    if (r->remaining > static_cast<apr_off_t>(limit)) {
        return too_large();   // before "100 Continue" invites it
    }
    std::string body;
    body.reserve(r->remaining > 0 ? static_cast<std::size_t>(r->remaining) : limit);   // one allocation: growing would leave copies behind
    if (ap_should_client_block(r) != 0) {
        char buffer[8192];
        long count = 0;
        while ((count = ap_get_client_block(r, buffer, sizeof(buffer))) > 0) {
            if (body.size() + static_cast<std::size_t>(count) > limit) {
                core::wipe(body.data(), body.size());
                return too_large();
            }
            body.append(buffer, static_cast<std::size_t>(count));
        }
        core::wipe(buffer, sizeof(buffer));
        if (count < 0) {
            return std::unexpected(Error{ErrorCode::form_not_kept, "a form cannot be sent yet, and did not come to its end"});
        }
    }
    core::Secret kept{std::string{body}};
    core::wipe(body.data(), body.size());
    return kept;
}

std::size_t limit_of(const request_rec* r) {
    const auto& config = directory_config(r);
    return config.keep_post != nullptr ? config.keep_post->value : kDefaultKeepPostBytes;
}

/// Why a form is not kept before anything of it is read; nothing when it may be.
std::optional<Error> reason_not_to_keep(const request_rec* r, const RequestState& state, const session::LoginMark& mark) {
    const auto limit = limit_of(r);
    const auto no = [](const char* why) { return Error{ErrorCode::form_not_kept, std::string{"a form cannot be sent yet: "} + why}; };
    if (limit == 0 || !runtime()->kept_forms) {
        return no("ProConnectKeepPost is off here");
    }
    if (r->method_number != M_POST || r->prev != nullptr || !header(r, "Content-Encoding").empty() || header(r, "Content-Type").size() > kMaxContentTypeBytes) {
        return no("it is no POST of a plain body");
    }
    // Not the Referer, which a policy may take away and an old browser may get wrong: Sec-Fetch-Site, or else Origin. Neither means no.
    if (!access::is_same_origin({.sec_fetch_site = header(r, "Sec-Fetch-Site"), .origin = header(r, "Origin"), .referer = {}}, state.site->site->origin)) {
        return no("it does not come from this site");
    }
    // The mark is signed for the binding it came with: nobody makes up bindings to push out the forms of others.
    if (mark.subject.empty()) {
        return no("this browser had no session before, so nobody can say whose it is");
    }
    if (!core::is_local_return_address(address_asked_for(r))) {
        return no("its address is none to come back to");
    }
    return std::nullopt;
}

/// Reads the form and keeps it. @return its id
std::expected<session::FormId, Error> keep(request_rec* r, const RequestState& state, const session::LoginMark& mark) {
    auto body = read_body(r, limit_of(r));
    if (!body) {
        return std::unexpected(std::move(body.error()));
    }
    const session::KeptForm form{.site = state.site->site->origin, .address = address_asked_for(r), .content_type = std::string{header(r, "Content-Type")}, .subject = mark.subject, .body = std::move(*body)};
    const auto binding = session::BrowserBinding::parse(state.cookies.login.value_or(""));
    session::FormId id{};
    if (!binding || !crypto::fill_random(id)) {
        return std::unexpected(Error{ErrorCode::form_not_kept, "a form cannot be sent yet: no id for it can be made"});
    }
    const auto tag = session::browser_tag(*binding);
    const auto box = session::seal_form(form, *binding, id);
    if (!tag || !box) {
        return std::unexpected(tag ? box.error() : tag.error());
    }
    if (!runtime()->kept_forms->keep(id, *tag, *box, state.now)) {
        return std::unexpected(Error{ErrorCode::form_too_large, "a form does not fit into the memory for kept forms"});
    }
    return id;
}

/// On with a GET, whatever the browser makes of 302.
int as_see_other(request_rec* r, int answered) {
    if (answered == OK && r->status == HTTP_MOVED_TEMPORARILY) {
        r->status = HTTP_SEE_OTHER;
    }
    return answered;
}

/// A form of somebody signed in that httpd's rules may still refuse.
RequestState* form_to_judge(const request_rec* r) {
    auto* state = r->main == nullptr && r->prev == nullptr && r->user != nullptr && r->method_number == M_POST && is_ours(r) ? state_of(r) : nullptr;
    return state != nullptr && !state->rules.nested && state->user && kind_of(r) == access::RequestKind::form ? state : nullptr;
}

}  // namespace

std::string form_address(const RequestState& state, const session::FormId& id) {
    return state.site->site->prefix + "/form?id=" + core::base64url_encode(std::span<const std::uint8_t>{id});
}

int keep_form_and_log_in(request_rec* r, RequestState& state, const LoginDemand& demand) {
    const auto mark = mark_of(state);
    if (const auto reason = reason_not_to_keep(r, state, mark)) {
        return send_failure(r, state, *reason, address_asked_for(r));
    }
    const auto id = keep(r, state, mark);
    return id ? as_see_other(r, begin_login_for_page(r, state, form_address(state, *id), demand)) : send_failure(r, state, id.error(), address_asked_for(r));
}

[[gnu::hot]] int check_rules_of_form(request_rec* r) {
    auto* state = form_to_judge(r);
    if (state == nullptr) {
        return check_rules(r);
    }
    if (const int status = ask_rules(r, *state); status != HTTP_UNAUTHORIZED && status != HTTP_FORBIDDEN) {
        return status;
    }
    const auto mark = mark_of(*state);
    const bool lacks_a_level = state->rules.saw_level || state->rules.saw_method;
    if (!lacks_a_level || mark.subject != session::tag_text(state->user->head.subject) || reason_not_to_keep(r, *state, mark)) {
        return refuse(r, *state);
    }
    const auto id = keep(r, *state, mark);
    const int answered = id ? redirect(r, HTTP_SEE_OTHER, form_address(*state, *id)) : send_failure(r, *state, id.error(), address_asked_for(r));
    return answered == OK ? DONE : answered;
}

}  // namespace proconnect::httpd
