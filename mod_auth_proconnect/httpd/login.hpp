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

/// Sends the browser to ProConnect, to come back to `return_address`; or the page of what prevents it.
/// @return OK: the answer is complete
int begin_login_and_redirect(request_rec* r, RequestState& state, const std::string& return_address, const LoginDemand& demand = {});

}  // namespace proconnect::httpd
