#pragma once
#include <optional>
#include <string>
#include <vector>

struct ap_conf_vector_t;

namespace proconnect::httpd {

/// What a page demands of the login that leads to it, beyond what its directives wish.
struct LoginDemand {
    std::vector<std::string> acr_values{};   ///< sent as essential; empty = any level
    bool prompt_login = false;
    bool silent = false;                   ///< prompt=none: nobody is asked anything
    bool step_up = false;                  ///< somebody is signed in who falls short
};

/// An answer that a subrequest leaves to the request it belongs to.
struct PendingAnswer {
    std::optional<LoginDemand> demand;     ///< a login; otherwise the refusal page
    ap_conf_vector_t* config;              ///< of the place that needs it
};

}  // namespace proconnect::httpd
