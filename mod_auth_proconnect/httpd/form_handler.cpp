#include "httpd/form_handler.hpp"

#include <algorithm>

#include <http_protocol.h>
#include <http_request.h>

#include "access/request_kind.hpp"
#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/random.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/kept_body_filter.hpp"
#include "httpd/log.hpp"
#include "httpd/login.hpp"
#include "httpd/page.hpp"
#include "httpd/pool.hpp"
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
        return std::unexpected(Error{ErrorCode::form_not_kept, "a form came without a session, and its body cannot be read"});
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
            return std::unexpected(Error{ErrorCode::form_not_kept, "a form came without a session, and not to its end"});
        }
    }
    core::Secret kept{std::string{body}};
    core::wipe(body.data(), body.size());
    return kept;
}

/// Why a form is not kept before anything of it is read; nothing when it may be.
std::optional<Error> reason_not_to_keep(const request_rec* r, const RequestState& state, std::size_t limit, const std::string& address) {
    const auto no = [](const char* why) { return Error{ErrorCode::form_not_kept, std::string{"a form came without a session: "} + why}; };
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
    if (mark_of(state).subject.empty()) {
        return no("this browser had no session before, so nobody can say whose it is");
    }
    if (!core::is_local_return_address(address)) {
        return no("its address is none to come back to");
    }
    return std::nullopt;
}

std::string form_address(const RequestState& state, const session::FormId& id) {
    return state.site->site->prefix + "/form?id=" + core::base64url_encode(std::span<const std::uint8_t>{id});
}

std::expected<session::FormId, Error> keep(const RequestState& state, const session::KeptForm& form) {
    const auto binding = session::BrowserBinding::parse(state.cookies.login.value_or(""));
    session::FormId id{};
    if (!binding || !crypto::fill_random(id)) {
        return std::unexpected(Error{ErrorCode::form_not_kept, "a form came without a session: the browser has no login cookie to keep it for"});
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

/// A kept form that the signed-in user of this browser may send.
struct Found {
    session::FormId id;
    session::KeptForm form;
    std::string token;
};

std::expected<Found, Error> find(const RequestState& state, const SignedIn& user, const core::Parameters& parameters, session::KeptForms::Take take) {
    const auto gone = [](const char* why) { return std::unexpected(Error{ErrorCode::form_gone, why}); };
    session::FormId id{};
    const auto binding = session::BrowserBinding::parse(state.cookies.login.value_or(""));
    if (!binding || !runtime()->kept_forms || !core::base64url_decode_exactly(parameters.find("id").value_or(""), id)) {
        return gone("no form is named, or the browser has no login cookie");
    }
    const auto tag = session::browser_tag(*binding);
    auto token = session::form_token(*binding, id);
    if (!tag || !token) {
        return std::unexpected(tag ? token.error() : tag.error());
    }
    if (take == session::KeptForms::Take::yes && !crypto::equal_constant_time(*token, parameters.find("token").value_or(""))) {
        return gone("the confirmation was not made for this form and browser");
    }
    const auto find_box = [&](session::KeptForms::Take how) { return runtime()->kept_forms->find(id, *tag, state.now, how); };
    constexpr const char* kGone = "the form was sent already, is older than half an hour, or made room for others";
    const auto box = find_box(session::KeptForms::Take::no);
    if (!box) {
        return gone(kGone);
    }
    auto form = session::open_form(*box, *binding, id);
    if (!form) {
        return std::unexpected(form.error());
    }
    if (!crypto::equal_constant_time(form->subject, session::tag_text(user.head.subject))) {
        // It stays for its owner, who may have chosen the wrong account at ProConnect, until its half hour is over.
        return std::unexpected(Error{ErrorCode::form_of_another_user, "the form was filled in by another user than the one who is signed in now"});
    }
    // Taken last, when nothing else can fail: whoever comes second finds nothing to take.
    if (take == session::KeptForms::Take::yes && !find_box(take)) {
        return gone(kGone);
    }
    return Found{.id = id, .form = std::move(*form), .token = std::move(*token)};
}

int ask_to_send(request_rec* r, const RequestState& state, const Found& found) {
    const bool french = language_of(r) == core::Language::french;
    const auto size = std::to_string(found.form.body.size());
    const auto path = found.form.address.substr(0, found.form.address.find('?'));
    return send_page(r, state,
                     {.status = HTTP_OK,
                      .title = french ? "Envoyer votre formulaire ?" : "Send your form?",
                      .text = french ? "Votre session avait expiré quand vous avez envoyé un formulaire à " + path + " (" + size +
                                           " octets). Il n’a pas encore été envoyé. Si vous êtes bien à l’origine de cet envoi, confirmez-le dans la demi-heure."
                                     : "Your session had expired when you sent a form to " + path + " (" + size +
                                           " bytes). It has not been sent yet. If it was you who sent it, confirm within half an hour.",
                      .button = french ? "Envoyer" : "Send",
                      .action = form_address(state, found.id) + "&token=" + found.token,
                      .post = true,
                      .reference = {}});
}

/// The rest of the way is the application's: an internal redirect to the address the form was sent to, through all of httpd's checks, with its own body.
int hand_over(request_rec* r, RequestState& state, session::KeptForm form) {
    const auto& kept = *pool_make<session::KeptForm>(r->pool, std::move(form));
    ap_discard_request_body(r);
    for (const char* name : {"Transfer-Encoding", "Expect", "Content-Encoding"}) {
        apr_table_unset(r->headers_in, name);
    }
    if (kept.content_type.empty()) {
        apr_table_unset(r->headers_in, "Content-Type");
    } else {
        apr_table_setn(r->headers_in, "Content-Type", kept.content_type.c_str());
    }
    apr_table_setn(r->headers_in, "Content-Length", pool_copy(r->pool, std::to_string(kept.body.size())));
    r->read_length = 0;   // nobody has read anything of the body that is coming
    // Gateways take REQUEST_URI from here.
    r->the_request = pool_copy(r->pool, "POST " + kept.address + ' ' + r->protocol);
    state.endpoint = Endpoint::none;
    state.kept_body = kept.body.reveal();
    ap_internal_redirect(kept.address.c_str(), r);
    return OK;
}

}  // namespace

int keep_form_and_log_in(request_rec* r, RequestState& state, const std::string& address, const LoginDemand& demand) {
    const auto& config = directory_config(r);
    const auto limit = config.keep_post != nullptr ? config.keep_post->value : kDefaultKeepPostBytes;
    if (const auto reason = reason_not_to_keep(r, state, limit, address)) {
        return send_failure(r, state, *reason, address);
    }
    auto body = read_body(r, limit);
    if (!body) {
        return send_failure(r, state, body.error(), address);
    }
    const auto id = keep(state, {.address = address, .content_type = std::string{header(r, "Content-Type")}, .subject = mark_of(state).subject, .body = std::move(*body)});
    if (!id) {
        return send_failure(r, state, id.error(), address);
    }
    const int answered = begin_login_for_page(r, state, form_address(state, *id), demand);
    if (answered == OK && r->status == HTTP_MOVED_TEMPORARILY) {
        r->status = HTTP_SEE_OTHER;   // a GET, whatever the browser makes of 302
    }
    return answered;
}

int handle_form(request_rec* r, RequestState& state) {
    const bool is_post = r->method_number == M_POST;
    if (!is_post && (r->method_number != M_GET || r->header_only)) {
        return send_failure(r, state, {ErrorCode::method_not_allowed, "form: only GET and POST"}, "");
    }
    const auto user = signed_in(r, state, session::Touch::yes);
    if (!user) {
        return send_failure(r, state, user.error(), "");
    }
    const auto parameters = core::Parameters::parse(state.query != nullptr ? state.query : "");
    if (!parameters) {
        return send_failure(r, state, parameters.error(), "");
    }
    if (*user == nullptr) {
        session::FormId id{};
        const bool named = core::base64url_decode_exactly(parameters->find("id").value_or(""), id);
        return kind_of(r) == access::RequestKind::machine ? send_login_required(r, state) : begin_login_for_page(r, state, named ? form_address(state, id) : "/");
    }
    if (!is_post) {
        const auto found = find(state, **user, *parameters, session::KeptForms::Take::no);
        return found ? ask_to_send(r, state, *found) : send_failure(r, state, found.error(), "");
    }
    if (!access::is_same_origin({.sec_fetch_site = header(r, "Sec-Fetch-Site"), .origin = header(r, "Origin"), .referer = header(r, "Referer")}, state.site->site->origin)) {
        return send_failure(r, state, {ErrorCode::form_gone, "the confirmation does not come from this site"}, "");
    }
    auto found = find(state, **user, *parameters, session::KeptForms::Take::yes);
    return found ? hand_over(r, state, std::move(found->form)) : send_failure(r, state, found.error(), "");
}

}  // namespace proconnect::httpd
