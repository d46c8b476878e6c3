#include "httpd/form_handler.hpp"

#include <http_protocol.h>
#include <http_request.h>

#include "access/refusal.hpp"
#include "access/request_kind.hpp"
#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/constant_time.hpp"
#include "httpd/audit.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/form_keeping.hpp"
#include "httpd/kept_body_filter.hpp"
#include "httpd/log.hpp"
#include "httpd/login.hpp"
#include "httpd/page.hpp"
#include "httpd/pool.hpp"
#include "httpd/prospect.hpp"
#include "session/kept_forms.hpp"

namespace proconnect::httpd {
namespace {

using core::Error;
using core::ErrorCode;

/// A kept form of the signed-in user of this browser.
struct Found {
    session::FormId id;
    session::KeptForm form;
    std::string token;
};

/// What somebody wants of a kept form: only that the confirmation proves that the page was shown, and only one confirmation takes it.
enum class Step { ask, confirm, take };

std::expected<Found, Error> find(const RequestState& state, const SignedIn& user, const core::Parameters& parameters, Step step) {
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
    if (step != Step::ask && !crypto::equal_constant_time(*token, parameters.find("token").value_or(""))) {
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
    if (form->site != state.site->site->origin) {
        return gone("the form was sent to another site of this host");
    }
    if (!crypto::equal_constant_time(form->subject, session::tag_text(user.head.subject))) {
        // It stays for its owner, who may have chosen the wrong account at ProConnect, until its half hour is over.
        return std::unexpected(Error{ErrorCode::form_of_another_user, "the form was filled in by another user than the one who is signed in now"});
    }
    // Taken last, when nothing else can fail: whoever comes second finds nothing to take.
    if (step == Step::take && !find_box(session::KeptForms::Take::yes)) {
        return gone(kGone);
    }
    return Found{.id = id, .form = std::move(*form), .token = std::move(*token)};
}

std::string path_of(const Found& found) {
    return found.form.address.substr(0, found.form.address.find('?'));
}

int ask_to_send(request_rec* r, const RequestState& state, const Found& found) {
    const bool french = language_of(r) == core::Language::french;
    const auto size = std::to_string(found.form.body.size());
    return send_page(r, state,
                     {.status = HTTP_OK,
                      .title = french ? "Envoyer votre formulaire ?" : "Send your form?",
                      .text = french ? "Il fallait d’abord vous connecter quand vous avez envoyé un formulaire à " + path_of(found) + " (" + size +
                                           " octets). Il n’a pas encore été transmis. Si vous êtes bien à l’origine de cet envoi, confirmez-le dans la demi-heure ; sinon, fermez cette page."
                                     : "You had to sign in first when you sent a form to " + path_of(found) + " (" + size +
                                           " bytes). It has not been passed on yet. If it was you who sent it, confirm within half an hour; otherwise close this page.",
                      .button = french ? "Envoyer" : "Send",
                      .action = form_address(state, found.id) + "&token=" + found.token,
                      .post = true,
                      .reference = {}});
}

/// The rules refuse, and no other login would change it: said before the click, since a form that is handed over is gone.
int say_not_admitted(request_rec* r, const RequestState& state, const Found& found) {
    const auto& run = state.rules;
    const auto reference = make_reference();
    log_failure(r, {ErrorCode::form_not_admitted, run.failed != nullptr ? "a kept form is not sent: " + run.failed->place + " refuses its user" : "a kept form is not sent: its page refuses its user"},
                reference);
    audit_refusal(r, state, ErrorCode::form_not_admitted, reference);

    const auto& entry = core::catalogue_entry(ErrorCode::form_not_admitted);
    const auto language = language_of(r);
    const bool french = language == core::Language::french;
    const auto& denied = core::catalogue_entry(ErrorCode::access_denied);
    const auto why = run.failed != nullptr ? access::refusal_message(*run.failed->rule, run.outcome, run.failed->negated, language) : french ? denied.french : denied.english;
    const auto& message = french ? entry.french : entry.english;
    const auto& config = directory_config(r);
    return send_page(r, state,
                     {.status = entry.http_status,
                      .title = std::string{message.title},
                      .text = std::string{message.text},
                      .button = french ? "Se reconnecter autrement" : "Sign in by other means",
                      .action = state.site->site->prefix + "/login?reauth&return=" + core::percent_encode(form_address(state, found.id)),
                      .reference = core::code_text(entry.code) + " · " + reference,
                      .blocks = {{.heading = std::string{why.title},
                                  .text = config.refusal != nullptr ? config.refusal->value : std::string{why.text},
                                  .terms = {{french ? "Destination du formulaire" : "Where the form goes", path_of(found)}}}}});
}

/// Whether its user may send it, asked of the rules of the page it is for, as the request it will be.
int show(request_rec* r, RequestState& state, const Found& found) {
    const auto prospect = look_ahead(r, state, "POST", found.form.address);
    if (prospect.demand) {
        audit_step_up(r, state, *prospect.demand);
        return begin_login_and_redirect(r, state, form_address(state, found.id), *prospect.demand);
    }
    return prospect.refused ? say_not_admitted(r, state, found) : ask_to_send(r, state, found);
}

void become(request_rec* r, RequestState& state, session::KeptForm form) {
    const auto& kept = *pool_make<session::KeptForm>(r->pool, std::move(form));
    for (const char* name : {"Transfer-Encoding", "Expect", "Content-Encoding"}) {
        apr_table_unset(r->headers_in, name);
    }
    if (kept.content_type.empty()) {
        apr_table_unset(r->headers_in, "Content-Type");
    } else {
        apr_table_setn(r->headers_in, "Content-Type", kept.content_type.c_str());
    }
    apr_table_setn(r->headers_in, "Content-Length", pool_copy(r->pool, std::to_string(kept.body.size())));
    apr_table_clear(r->trailers_in);
    r->expecting_100 = 0;
    read_body_from(r, kept.body.reveal());

    const auto host = r->parsed_uri;   // an address of this site says nothing of it
    ap_parse_uri(r, kept.address.c_str());
    r->parsed_uri.port_str = host.port_str;
    r->parsed_uri.port = host.port;
    // Gateways take REQUEST_URI from here, and the access log what was asked for.
    r->the_request = pool_copy(r->pool, "POST " + kept.address + ' ' + r->protocol);
    state.endpoint = Endpoint::none;
}

}  // namespace

void become_confirmed_form(request_rec* r, RequestState& state) {
    const auto parameters = core::Parameters::parse(state.query != nullptr ? state.query : "");
    if (r->method_number != M_POST || !comes_from_here(r, *state.site->site) || !parameters) {
        return;
    }
    const auto user = signed_in(r, state, session::Touch::yes);
    // What the button itself sends is read first: when that fails, nothing is taken yet.
    if (!user || *user == nullptr || !find(state, **user, *parameters, Step::confirm) || ap_discard_request_body(r) != OK) {
        return;
    }
    if (auto found = find(state, **user, *parameters, Step::take)) {
        become(r, state, std::move(found->form));
    }
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
    if (is_post && !comes_from_here(r, *state.site->site)) {
        return send_failure(r, state, {ErrorCode::form_gone, "the confirmation does not come from this site"}, "");
    }
    const auto found = find(state, **user, *parameters, is_post ? Step::confirm : Step::ask);
    return found ? show(r, state, *found) : send_failure(r, state, found.error(), "");
}

}  // namespace proconnect::httpd
