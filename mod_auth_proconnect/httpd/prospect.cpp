#include "httpd/prospect.hpp"

#include <utility>

#include <http_core.h>
#include <http_request.h>

#include "httpd/access_rules.hpp"
#include "httpd/audit.hpp"
#include "httpd/login.hpp"

namespace proconnect::httpd {

Prospect look_ahead(request_rec* r, RequestState& state, const char* method, const std::string& address) {
    state.pending.reset();
    // Never destroyed before the request: the configuration merged for it goes on to be used.
    auto* target = ap_sub_req_method_uri(method, address.c_str(), r, nullptr);
    auto pending = std::exchange(state.pending, std::nullopt);
    const bool stopped = target->status == HTTP_UNAUTHORIZED || target->status == HTTP_FORBIDDEN;
    if (pending && stopped) {   // else only one of several that the page was looked for in
        if (pending->from == target) {
            r->per_dir_config = target->per_dir_config;
        } else {
            pending = stand_where_refused(r, state, std::move(*pending));
        }
        return {.demand = pending->demand, .refused = !pending->demand};
    }
    if (!is_ours(target)) {
        return {};
    }
    r->per_dir_config = target->per_dir_config;
    if (state.user) {
        // A login would change nothing, whatever the reason: begun here, it would come back here.
        return {.refused = stopped};
    }
    // Nor was anything asked for where ProConnectUnauthenticated is deny.
    return {.demand = LoginDemand{.acr_values = levels_for_login(target, state)}};
}

int begin_login_towards(request_rec* r, RequestState& state, const std::string& address, bool prompt_login) {
    auto demand = look_ahead(r, state, "GET", address).demand.value_or(LoginDemand{});
    if (demand.step_up) {
        audit_step_up(r, state, demand);
    }
    demand.prompt_login = demand.prompt_login || prompt_login;
    return begin_login_and_redirect(r, state, address, demand);
}

}  // namespace proconnect::httpd
