#include "httpd/callback_handler.hpp"

#include <algorithm>

#include "core/deadline.hpp"
#include "core/url.hpp"
#include "crypto/digest.hpp"
#include "httpd/audit.hpp"
#include "httpd/connection_session.hpp"
#include "httpd/environment.hpp"
#include "httpd/log.hpp"
#include "httpd/login.hpp"
#include "httpd/logout_handler.hpp"
#include "httpd/page.hpp"
#include "httpd/silent_login.hpp"
#include "oidc/login_flow.hpp"

namespace proconnect::httpd {
namespace {

using core::Error;
using core::ErrorCode;

/// Keyed, so that neither a dump of the store nor its snapshot tells who is signed in.
std::expected<session::SubjectTag, Error> subject_tag(const session::ServerKey& key, std::string_view subject) {
    const auto mac = crypto::hmac_sha256(key.subject_tag, subject);
    if (!mac) {
        return std::unexpected(mac.error());
    }
    session::SubjectTag tag{};
    std::copy_n(mac->begin(), tag.size(), tag.begin());
    return tag;
}

/// Takes one of the permits to wait for ProConnect at its first call, when the login has proved to be this browser's, and keeps it for the others.
class TurnTakingClient final : public http::Client {
public:
    TurnTakingClient(http::Client& client, http::WaitSlots& slots) noexcept : client_(client), slots_(slots) {}
    /// Before a wait that is no call of this client. PC2007 when as many wait already.
    std::expected<void, Error> take_turn() {
        if (!permit_) {
            if (auto permit = slots_.acquire(kPermitWait)) {
                permit_.emplace(std::move(*permit));
            } else {
                return std::unexpected(Error{ErrorCode::provider_busy, "as many logins as may wait for ProConnect do so already"});
            }
        }
        return {};
    }
    std::expected<http::Response, Error> send(const http::Request& request) override {
        if (auto turn = take_turn(); !turn) {
            return std::unexpected(std::move(turn.error()));
        }
        return client_.send(request);
    }

private:
    http::Client& client_;
    http::WaitSlots& slots_;
    std::optional<http::WaitSlots::Permit> permit_;
};

std::string_view session_name(const SignedIn* user) {
    const auto item = user != nullptr ? user->attributes.find("PROCONNECT_SESSION") : std::nullopt;
    return item ? item->value_view : std::string_view{};
}

std::expected<session::SessionHandle, Error> begin_session(const RequestState& state, oidc::FinishedLogin& login, const session::SubjectTag& tag) {
    const auto& site = *state.site->site;
    const auto logout_url = make_logout_url(site, login.session_name);
    if (!logout_url) {
        return std::unexpected(logout_url.error());
    }
    // First, so that a claim of the same name cannot take their variables.
    login.claims.attributes.insert(login.claims.attributes.begin(),
                                   {{.claim = "session", .value = login.session_name, .kind = session::Attribute::Kind::text, .derived = true},
                                    {.claim = "logout_url", .value = *logout_url, .kind = session::Attribute::Kind::text, .derived = true}});
    if (!login.step_up.empty()) {
        login.claims.attributes.insert(login.claims.attributes.begin(),
                                       {.claim = std::string{kStepUpClaim}, .value = login.step_up, .kind = session::Attribute::Kind::text, .derived = true});
    }
    session::RecordHead head;
    head.realm = site.realm;
    head.subject = tag;
    head.created = state.now;
    head.last_used = state.now;
    head.expires = state.now + site.session_lifetime;
    head.idle = site.session_idle;
    session::SessionTokens tokens;
    tokens.id_token = std::move(login.tokens.id_token);
    // Revoked at logout, with all that was issued for it (RFC 7009, 2.1); nobody here needs the access token any more.
    tokens.refresh_token = std::move(login.tokens.refresh_token);
    return session::create_session(*runtime()->store, head, login.claims.attributes, tokens, state.now);
}

/// Errors of a callback that is merely stale: a reload, the back button, a bookmark. With a live session they are none.
bool is_stale(ErrorCode code) {
    switch (code) {
        case ErrorCode::parameters_malformed:
        case ErrorCode::callback_without_state:
        case ErrorCode::callback_without_code:
        case ErrorCode::callback_repeated:
        case ErrorCode::state_unreadable:
        case ErrorCode::state_expired:
        case ErrorCode::state_of_another_browser:
        case ErrorCode::code_refused:
            return true;
        default:
            return false;
    }
}

/// Whether a query names exactly one state: then it is an answer to a login, however broken.
bool names_one_state(std::string_view query) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < query.size();) {
        const auto end = std::min(query.find('&', at), query.size());
        count += query.substr(at, end - at).starts_with("state=") ? 1U : 0U;
        at = end + 1;
    }
    return count == 1;
}

/// Whether a fresh login is begun without a click. Never after an answer that said no, which the user has chosen or must read; nor after an hour, when
/// the person may be another one; nor for a code that is refused, unless this browser has finished a login before, so that it may be an old one's.
bool begins_again(const RequestState& state, const oidc::LoginFailure& failure) {
    if (failure.answered_no || failure.error.code == ErrorCode::state_expired) {
        return false;
    }
    if (failure.error.code == ErrorCode::parameters_malformed || failure.error.code == ErrorCode::callback_without_code) {
        return !names_one_state(state.query != nullptr ? state.query : "");   // a bookmark; the next answer of a provider that errs would be no better
    }
    return failure.error.code != ErrorCode::code_refused || !mark_of(state).session_name.empty();
}

int refuse(request_rec* r, RequestState& state, const oidc::LoginFailure& failure) {
    if (is_silent_answer(failure)) {
        return after_silent_login(r, state, failure);
    }
    if (is_stale(failure.error.code)) {
        const auto user = signed_in(r, state, session::Touch::no);
        if (user && *user != nullptr) {
            // Only this browser's own ticket says where to go: another's address is not followed.
            const bool own = failure.ours && core::is_local_return_address(failure.return_address);
            if (failure.step_up && failure.error.code != ErrorCode::callback_repeated) {
                // The page would demand the higher level again at once, and ProConnect might answer the same way, without end.
                return send_failure(r, state, failure.error, own ? failure.return_address : "");
            }
            return redirect(r, HTTP_MOVED_TEMPORARILY, own ? failure.return_address : "/");
        }
        if (user && begins_again(state, failure)) {
            // The page asked for is taken from any ticket this server sealed. One of another browser (a bookmark, cookies that are refused, or somebody
            // who sends his own callback) steers no further than a link to that page could, which begins a login too: its address is local and is
            // opened by GET, its code is dropped, and whoever logs in now is the one in front of this browser.
            return begin_login_again(r, state, core::is_local_return_address(failure.return_address) ? failure.return_address : "/", failure.attempt);
        }
    }
    return send_failure(r, state, failure.error, failure.ours || failure.error.code == ErrorCode::state_of_another_browser ? failure.return_address : "");
}

void end_former_session(const request_rec* r, const RequestState& state) {
    const auto handle = state.handle();
    if (!handle) {
        return;
    }
    forget_session(r);
    if (const auto id = handle->lookup_id()) {
        // Best effort: the new session is there already, and the old one is forgotten by the browser.
        static_cast<void>(runtime()->store->remove(*id, state.site->site->realm));
    }
}

}  // namespace

int handle_callback(request_rec* r, RequestState& state) {
    auto& site = *state.site;
    if (r->method_number != M_GET || r->header_only) {
        return send_failure(r, state, {ErrorCode::method_not_allowed, "callback: only GET"}, "");
    }
    if (!site.provider) {
        return send_failure(r, state, {ErrorCode::internal_error, "this child process could not prepare its calls to ProConnect"}, "");
    }
    const auto user = signed_in(r, state, session::Touch::no);
    if (!user) {
        return send_failure(r, state, user.error(), "");
    }
    const auto mark = mark_of(state);
    const core::CallDeadline deadline{site.site->timeout};
    TurnTakingClient http{*site.http, *runtime()->wait_slots};
    if (site.board->generation() == 0) {
        // Nothing is known of ProConnect yet: the first step is a wait for its metadata.
        if (const auto turn = http.take_turn(); !turn) {
            return send_failure(r, state, turn.error(), "");
        }
    }
    const oidc::LoginContext context{.client = site.site->client, .provider = *site.provider, .http = http, .keys = runtime()->keys, .now = state.now, .live_session = session_name(*user), .finished_session = mark.session_name};
    auto login = oidc::finish_login(context, state.query != nullptr ? state.query : "", state.cookies.login.value_or(""));
    if (!login) {
        return refuse(r, state, login.error());
    }
    if (const auto& names = login->claims.left_out; !names.empty()) {
        log_server_warning(r->server, std::to_string(names.size()) + " claims were left out of a session, they are too long; the first is " + printable(names.front()));
    }
    const auto tag = subject_tag(runtime()->keys.current, login->claims.subject);
    if (!tag) {
        return send_failure(r, state, tag.error(), login->return_address);
    }
    const auto handle = begin_session(state, *login, *tag);
    if (!handle) {
        return send_failure(r, state, handle.error(), login->return_address);
    }
    audit_login(r, state, login->claims.attributes, state.now + site.site->session_lifetime, !login->step_up.empty());
    end_former_session(r, state);
    auto cookie = handle->cookie_value();
    set_cookie(r, *site.site, site.site->cookie_name, cookie);
    core::wipe(cookie.data(), cookie.size());
    set_login_cookie(r, *site.site, *state.cookies.login, mark_of_success(state, login->session_name, *tag));
    return redirect(r, HTTP_MOVED_TEMPORARILY, core::is_local_return_address(login->return_address) ? login->return_address : "/");
}

}  // namespace proconnect::httpd
