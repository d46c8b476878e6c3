#pragma once
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <httpd.h>

#include "core/cookie.hpp"
#include "core/error.hpp"
#include "httpd/login_demand.hpp"
#include "httpd/rule_run.hpp"
#include "httpd/runtime.hpp"
#include "session/login_mark.hpp"
#include "session/remembered_session.hpp"
#include "session/session.hpp"

namespace proconnect::httpd {

/// The module's own pages, below ProConnectPrefix.
enum class Endpoint { none, callback, login, logout, logged_out, session, jwks, form, unknown };

/// The signed-in user of a request: views into the request's pool, or into what its connection remembers.
struct SignedIn {
    session::RecordHead head;
    session::AttributeBlock attributes;
    std::shared_ptr<session::RememberedSession> remembered;   ///< null when the session was opened for this request
};

/// What the module knows of one request. Made when its headers are read; subrequests and internal redirects share it.
struct RequestState {
    SiteRuntime* site = nullptr;
    core::OwnCookies cookies;               ///< views into the Cookie header as it came; of `login` the binding only
    std::string_view login_mark;            ///< the other half of the login cookie, not verified: see mark_of()
    Endpoint endpoint = Endpoint::none;
    const char* query = nullptr;            ///< of a callback, logout, logged-out or form request, taken away from the logs
    core::UnixTime now{};
    bool looked_up = false;
    std::optional<SignedIn> user;
    RuleRun rules;
    std::optional<PendingAnswer> pending;

    /// Of the session cookie, when there is one and it may be ours.
    [[nodiscard]] std::optional<session::SessionHandle> handle() const noexcept {
        return cookies.session ? session::SessionHandle::parse(*cookies.session) : std::nullopt;
    }
    const request_rec* admitted = nullptr;  ///< the main request, once all access rules of its own are behind it; only to be compared
};

/// MergeTrailers would let a client add headers that imitate ours after they were looked at: it is turned off, with a warning.
void keep_trailers_apart(server_rec* main_server);

/// Whether AuthType ProConnect holds here.
[[nodiscard]] bool is_ours(const request_rec* r);
/// Whether the request was begun by a page of this very site, or by its user alone where the browser says so.
[[nodiscard]] bool comes_from_here(const request_rec* r, const Site& site);

/// Reads the request's headers: takes out whatever imitates ours and our own cookies, recognises our own pages.
int read_request(request_rec* r);

/// Notes that all access rules are behind this request: whatever fails it now is of something it looks for (mod_negotiation, mod_dir).
int note_admitted(request_rec* r);

/// Null for a virtual host without ProConnect.
RequestState* state_of(const request_rec* r);

/// Looks the session up, once per request. Nothing when there is none; an error when the store fails.
std::expected<const SignedIn*, core::Error> signed_in(request_rec* r, RequestState& state, session::Touch touch);

/// Whether a request to this place keeps its session from idling out (ProConnectExtendSession).
[[nodiscard]] session::Touch touch_of(const DirectoryConfig& config) noexcept;

/// "" when absent.
[[nodiscard]] std::string_view header(const request_rec* r, const char* name);

// Answers. All of them carry Cache-Control: no-store.

/// A cookie for this site: HttpOnly, SameSite=Lax, Path=/, Secure on https; until the browser closes.
void set_cookie(request_rec* r, const Site& site, const std::string& name, std::string_view value);
/// The browser's binding and its mark, which is all that a login under way keeps in a browser.
void set_login_cookie(request_rec* r, const Site& site, std::string_view binding, const session::LoginMark& mark);
/// One that the browser forgets after a time.
void set_passing_cookie(request_rec* r, const Site& site, const std::string& name, std::string_view value, std::chrono::seconds age);
void clear_cookie(request_rec* r, const Site& site, const std::string& name);
/// @return OK: the answer is complete
int redirect(request_rec* r, int status, std::string_view location);

}  // namespace proconnect::httpd
