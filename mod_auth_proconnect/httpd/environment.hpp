#pragma once
#include <expected>

#include <httpd.h>

#include "core/error.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// What a session was asked to reach at its step-up: known to the module, not to the application. No claim can have this name's variable.
inline constexpr std::string_view kStepUpClaim = ".step_up";
inline constexpr std::string_view kStepUpVariable = "PROCONNECT__STEP_UP";

/// Tells the application who is signed in: REMOTE_USER, AUTH_TYPE, the PROCONNECT_* variables and, where ProConnectHeaders asks for it, X-ProConnect-*
/// request headers. Whatever stood under those names before is gone. The answer is marked private: no shared cache may keep it.
/// @return PC6001 when the claim of ProConnectRemoteUser is missing: nobody gets in under an empty name
std::expected<void, core::Error> set_environment(request_rec* r, const SignedIn& user);

/// Takes the variables away, for a request that goes on without a user.
void clear_environment(request_rec* r);

}  // namespace proconnect::httpd
