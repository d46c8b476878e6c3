#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include <httpd.h>

#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// How long a login may wait for its turn when many come at once.
inline constexpr std::chrono::milliseconds kPermitWait{1000};

/// What is particular about a login that is begun.
struct LoginStart {
    std::uint8_t attempt = 1;                 ///< of the ticket: how many logins in a row, this one included, nobody asked for anew
    std::optional<session::LoginMark> mark;   ///< to be remembered by the browser
};

/// Sends the browser to ProConnect, to come back to `return_address`; or the page of what prevents it.
/// @return OK: the answer is complete
int begin_login_and_redirect(request_rec* r, RequestState& state, const std::string& return_address, const LoginDemand& demand = {},
                             const LoginStart& start = {});

/// The same for a page that was asked for without a session; but when a login has succeeded a moment ago, the browser does not keep the cookie or
/// the session does not last, and the next login, which ProConnect makes invisible, would end the same way: then a page, not a loop.
int begin_login_for_page(request_rec* r, RequestState& state, const std::string& return_address, const LoginDemand& demand = {});

/// After a callback that is good for nothing, of a browser without a session: one fresh login for the page asked for, twice in a row at most, then
/// the page of what is wrong with one button.
/// @param attempt  of the ticket that came back; 1 when none could be read
int begin_login_again(request_rec* r, RequestState& state, const std::string& return_address, std::uint8_t attempt);

/// What the browser remembers; a mark that says nothing when there is none.
[[nodiscard]] session::LoginMark mark_of(const RequestState& state);
/// The mark after a login has succeeded, to be set with the session.
[[nodiscard]] session::LoginMark mark_of_success(const RequestState& state, std::string session_name, const session::SubjectTag& subject);

}  // namespace proconnect::httpd
