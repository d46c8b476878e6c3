#pragma once
#include <optional>
#include <string>
#include <vector>

#include "access/request_kind.hpp"

struct request_rec;

namespace proconnect::httpd {

/// What a page demands of the login that leads to it, beyond what its directives wish.
struct LoginDemand {
    std::vector<std::string> acr_values{};   ///< sent as essential; empty = any level
    bool prompt_login = false;
    bool silent = false;                   ///< prompt=none: nobody is asked anything
    bool step_up = false;                  ///< somebody is signed in who falls short
};

/// An answer that a subrequest leaves to the request it belongs to. Whoever made the subrequest may have destroyed it since, and with it the
/// configuration merged for it and what .htaccess files held: nothing here points into it.
struct PendingAnswer {
    std::optional<LoginDemand> demand;     ///< a login; otherwise the refusal page
    std::string address{};                 ///< of the place that needs it, escaped, with its query
    access::RequestKind kind{};            ///< of the request that the browser sent
    const request_rec* from = nullptr;     ///< only to be compared
};

}  // namespace proconnect::httpd
