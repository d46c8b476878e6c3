#include "httpd/ask_once.hpp"

#include <utility>

#include <http_request.h>

#include "httpd/connection_session.hpp"
#include "httpd/environment.hpp"

namespace proconnect::httpd {
namespace {

/// What set_environment() does can be taken back where nobody had a say in it before.
bool is_untouched(const request_rec* r) {
    return r->user == nullptr && r->no_cache == 0 &&
           (apr_is_empty_table(r->err_headers_out) != 0 || apr_table_get(r->err_headers_out, "Cache-Control") == nullptr);
}

bool has_name(const SignedIn& user, const DirectoryConfig& config) {
    if (!config.remote_user) {
        return true;   // no session is without a sub
    }
    const auto item = user.attributes.find(config.remote_user->value.variable);
    return item && !item->value_view.empty();
}

int ask_without_user(request_rec* r, RequestState& state) {
    const auto asked = std::exchange(state.rules, RuleRun{});
    state.rules.judged = r;
    state.rules.nested = true;
    const int open = ap_run_access_checker_ex(r);
    state.rules = asked;
    return open;
}

}  // namespace

int leave_out_userless(request_rec* r) {
    if (r->main != nullptr || !expects_rules(r) || !is_ours(r) || !is_untouched(r)) {
        return DECLINED;
    }
    auto* state = state_of(r);
    if (state == nullptr || state->rules.nested) {
        return DECLINED;
    }
    const auto& config = directory_config(r);
    const auto user = signed_in(r, *state, touch_of(config));
    if (!user || *user == nullptr || (*user)->remembered == nullptr || !has_name(**user, config)) {
        return DECLINED;
    }
    state->userless_left_out = r;
    return OK;
}

int want_user(request_rec* r) {
    const auto* state = r->main == nullptr ? state_of(r) : nullptr;
    return state != nullptr && state->userless_left_out == r ? OK : DECLINED;
}

int settle_userless(request_rec* r, RequestState& state, int status) {
    const bool let_in = status == OK && state.rules.let_in;
    if (r->main == nullptr) {
        note_rules(r, let_in);
    }
    if (let_in || state.userless_left_out != r) {
        return status;
    }
    state.userless_left_out = nullptr;
    take_environment_back(r);
    const int open = ask_without_user(r, state);
    if (open == OK) {
        return OK;   // to everybody, hence to nobody in particular
    }
    if (const auto set = set_environment(r, *state.user); !set) {
        return HTTP_INTERNAL_SERVER_ERROR;   // it could be done a moment ago
    }
    return open != DECLINED && status == OK ? open : status;
}

}  // namespace proconnect::httpd
