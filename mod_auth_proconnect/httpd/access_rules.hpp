#pragma once
#include <string>
#include <vector>

#include <httpd.h>

#include "httpd/login.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// Asks httpd's own rules about the signed-in user. Whom they refuse logs in again once where a higher level would let him in; anybody else
/// gets the page that says what was missing.
int check_rules(request_rec* r);
/// The two halves of check_rules(): what httpd's rules say, remembered in `state.rules` and without an answer to the browser;
int ask_rules(request_rec* r, RequestState& state);
/// and, when they said 401 or 403, the login, the page, or the status of a subrequest.
int refuse(request_rec* r, RequestState& state);

/// A negated rule had no claims to look at, and said nothing about this request.
void note_passed_over(request_rec* r);
/// Nobody was let in only because negated rules had no claims to look at. @return whether the rules let nobody in after all
bool rules_need_a_user(request_rec* r, RequestState& state);

/// The levels of which the rules of this request accept any, whoever the user will be; empty when they do not depend on the level.
std::vector<std::string> levels_for_login(request_rec* r, RequestState& state);

/// For a subrequest without a user: 401, and the login when the request it belongs to fails for its sake.
int leave_login_to_main(request_rec* r, RequestState& state);
/// Asks again for the place that refused, so that hints, texts and rules of this request are those of that place, and last as long as the request.
/// @return what the place says now, or `pending` when it does not refuse any more
PendingAnswer stand_where_refused(request_rec* r, RequestState& state, PendingAnswer pending);
/// The refusal or login that a subrequest could not answer itself (DirectoryIndex); see endpoints.cpp.
int serve_pending(request_rec* r, RequestState& state);

}  // namespace proconnect::httpd
