#pragma once
#include <optional>
#include <string>

#include <httpd.h>

#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// What would come of a request for another page of this site.
struct Prospect {
    std::optional<LoginDemand> demand{};   ///< a login (nobody is signed in) or a step-up must come first
    bool refused = false;                ///< its rules refuse the user as he is, and no other login would change it
};

/// Asks httpd by a subrequest, which runs everything but the handler. From then on hints and texts of this request are those of the place the answer
/// comes from, so that a login begun here is the one the page itself would begin.
[[nodiscard]] Prospect look_ahead(request_rec* r, RequestState& state, const char* method, const std::string& address);

/// Begins a login that was asked for by a click: with the levels that the rules of the page it leads to demand, and that page's hints.
/// @param prompt_login  ask again, whatever session ProConnect has
/// @return OK: the answer is complete
int begin_login_towards(request_rec* r, RequestState& state, const std::string& address, bool prompt_login);

}  // namespace proconnect::httpd
