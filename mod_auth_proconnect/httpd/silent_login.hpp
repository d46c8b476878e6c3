#pragma once
#include <chrono>
#include <string>

#include <httpd.h>

#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"
#include "oidc/login_flow.hpp"

namespace proconnect::httpd {

// ProConnectUnauthenticated silent: whoever has a session at ProConnect gets in without a click (prompt=none, Core section 3.1.2.1); everybody
// else gets the login page. A cookie of one character marks the attempt, so that a browser makes at most one in kSilentPeriod and none can go round
// in circles. A logout sets it too.

inline constexpr std::chrono::seconds kSilentPeriod{600};

/// Only for a page load that a browser of today announces as such, which crawlers do not, and not twice in a period.
[[nodiscard]] bool may_try_silently(const request_rec* r, const RequestState& state);
/// No silent attempt of this browser for a period: one is being made, or its user has just signed out and does not want to be in again at the next page.
void rest_from_silent_logins(request_rec* r, const Site& site);
int begin_silent_login(request_rec* r, RequestState& state, const std::string& return_address, LoginDemand demand);

/// ProConnect's answer to this browser's silent attempt is an error, login_required most of the time: no failure, but no login either.
[[nodiscard]] bool is_silent_answer(const oidc::LoginFailure& failure);
/// Back to the page asked for, which shows the login page now; where the mark did not stick the login page at once.
int after_silent_login(request_rec* r, RequestState& state, const oidc::LoginFailure& failure);

}  // namespace proconnect::httpd
