#include "httpd/access_rules.hpp"

#include <http_core.h>
#include <http_request.h>

#include "access/levels.hpp"
#include "access/refusal.hpp"
#include "core/url.hpp"
#include "httpd/audit.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/environment.hpp"
#include "httpd/log.hpp"
#include "httpd/page.hpp"
#include "httpd/pool.hpp"
#include "oidc/login_flow.hpp"

namespace proconnect::httpd {
namespace {

using core::ErrorCode;

/// Belongs to the one request, unlike what its whole family shares: subrequests come and go before it is read.
constexpr const char* kPassedOver = "proconnect-passed-over";

/// Puts the question back to "the session as it is" whatever happens.
class Supposing {
public:
    explicit Supposing(RuleRun& run) noexcept : run_(run), before_(run) {}
    ~Supposing() {
        const auto after = run_;
        run_ = before_;
        run_.saw_level = after.saw_level;
        run_.saw_method = after.saw_method;
        run_.methods_imply_two_factors = after.methods_imply_two_factors;
    }
    Supposing(const Supposing&) = delete;
    Supposing& operator=(const Supposing&) = delete;

private:
    RuleRun& run_;
    RuleRun before_;
};

/// What httpd's rules say about this request under the question in `run`. Before a user is known, "perhaps" counts as yes: unlike the hook for
/// users, this one tells it from "no".
bool could_enter(request_rec* r, RuleRun& run) {
    run.judged = r;
    run.nested = true;
    const int status = ap_run_access_checker_ex(r);
    return status == OK || status == DECLINED;
}

bool could_enter_at(request_rec* r, RuleRun& run, std::string_view level) {
    run.supposes_level = true;
    run.level = level;
    return could_enter(r, run);
}

/// Every known level with which the rules would let the user in. The rules themselves are asked, level by level, so whatever they are combined
/// to, neither one too many nor one too few is sent to ProConnect.
std::vector<std::string> levels_that_enter(request_rec* r, RuleRun& run, bool two_factors_only) {
    std::vector<std::string> levels;
    for (const auto level : access::known_levels()) {
        if ((!two_factors_only || access::has_two_factors(level)) && could_enter_at(r, run, level)) {
            levels.emplace_back(level);
        }
    }
    return levels;
}

/// A login that would let this user in, as far as can be told.
std::optional<LoginDemand> demand_of_step_up(request_rec* r, RuleRun& run) {
    if (!run.saw_level && !run.saw_method) {
        return std::nullopt;
    }
    LoginDemand demand{.acr_values = {}, .prompt_login = false, .step_up = true};
    {
        const Supposing level{run};
        if (run.saw_level) {
            demand.acr_values = levels_that_enter(r, run, false);
        }
    }
    if (!demand.acr_values.empty()) {
        return demand;
    }
    if (!run.saw_method) {
        return std::nullopt;
    }
    // ProConnect compares levels alone: with its session it would answer at once with the same methods.
    demand.prompt_login = true;
    const Supposing methods{run};
    run.supposes_methods = true;
    if (could_enter(r, run)) {
        // The level is high enough as it is; two factors are asked for where the methods come with them.
        if (run.methods_imply_two_factors) {
            demand.acr_values = levels_that_enter(r, run, true);
        }
        return demand;
    }
    demand.acr_values = run.saw_level ? levels_that_enter(r, run, false) : std::vector<std::string>{};
    return demand.acr_values.empty() ? std::nullopt : std::optional{demand};
}

/// Whether this very session is what came of that demand.
bool has_been_asked(const RequestState& state, const LoginDemand& demand) {
    const auto item = state.user ? state.user->attributes.find(kStepUpVariable) : std::nullopt;
    return item && item->value_view == oidc::step_up_mark(demand.acr_values, demand.prompt_login);
}

ErrorCode code_of(const RuleRun& run) {
    if (run.failed == nullptr) {
        return ErrorCode::access_denied;   // `Require user`, `Require ip`…
    }
    if (run.outcome == access::Outcome::list_unavailable) {
        return ErrorCode::access_list_unavailable;
    }
    const auto comparison = run.failed->rule->comparison();
    if (comparison == access::Comparison::level || comparison == access::Comparison::method) {
        return ErrorCode::access_level_not_reached;
    }
    return run.outcome == access::Outcome::claim_missing ? ErrorCode::access_claim_missing : ErrorCode::access_rule_not_met;
}

/// For the log: which rule, not whom it admits.
std::string detail_of(const RuleRun& run) {
    if (run.failed == nullptr) {
        return "a Require line of another module refuses the user";
    }
    const auto what = run.outcome == access::Outcome::claim_missing     ? " is missing, "
                      : run.outcome == access::Outcome::list_unavailable ? " cannot be compared, "
                                                                        : " does not satisfy ";
    return "the claim " + run.failed->rule->claim() + what + run.failed->place;
}

int send_refusal(request_rec* r, const RequestState& state) {
    const auto& run = state.rules;
    const auto code = code_of(run);
    const auto& entry = core::catalogue_entry(code);
    const auto reference = make_reference();
    log_failure(r, {code, detail_of(run)}, reference);
    audit_refusal(r, state, code, reference);

    const auto language = language_of(r);
    const bool french = language == core::Language::french;
    const auto message = run.failed != nullptr ? access::refusal_message(*run.failed->rule, run.outcome, run.failed->negated, language)
                                               : (french ? entry.french : entry.english);
    const auto& config = directory_config(r);
    return send_page(r, state,
                     {.status = entry.http_status,
                      .title = std::string{message.title},
                      .text = config.refusal != nullptr ? config.refusal->value : std::string{message.text},
                      .button = french ? "Se connecter avec un autre compte" : "Sign in with another account",
                      .action = state.site->site->prefix + "/login?switch&return=" + core::percent_encode(address_asked_for(r)),
                      .reference = core::code_text(code) + " · " + reference,
                      .for_machine = kind_of(r) == access::RequestKind::machine});
}

/// A subrequest has no browser to answer. Where the request it belongs to fails for its sake (DirectoryIndex), httpd comes to our own page. One that is
/// still to pass rules of others may fail of those, and they have their own answer.
int leave_to_main(request_rec* r, RequestState& state, int status, PendingAnswer answer) {
    request_rec* main = r;
    while (main->main != nullptr) {
        main = main->main;
    }
    if (state.admitted != main && !is_ours(main)) {
        return status;
    }
    answer.address = ap_escape_uri(r->pool, r->uri);
    if (r->args != nullptr) {
        answer.address += std::string{"?"} + r->args;
    }
    answer.kind = kind_of(main);
    answer.from = r;
    state.pending = std::move(answer);
    ap_custom_response(main, status, pool_copy(main->pool, state.site->site->prefix + "/login"));
    return status;
}

/// A login would help, but the form would be lost on the way.
int say_form_needs_login(request_rec* r, const RequestState& state) {
    const auto reference = make_reference();
    audit_refusal(r, state, ErrorCode::form_needs_other_login, reference);
    return send_failure(r, state, {ErrorCode::form_needs_other_login, detail_of(state.rules) + "; the form cannot be kept meanwhile"}, address_asked_for(r), reference);
}

}  // namespace

int refuse(request_rec* r, RequestState& state) {
    const bool inside = r->main != nullptr || serves_an_error(r);
    auto demand = demand_of_step_up(r, state.rules);
    if (demand && has_been_asked(state, *demand)) {
        demand.reset();
    }
    if (inside) {
        return serves_an_error(r) ? HTTP_FORBIDDEN : leave_to_main(r, state, HTTP_FORBIDDEN, {.demand = std::move(demand)});
    }
    if (demand && kind_of(r) == access::RequestKind::navigation) {
        audit_step_up(r, state, *demand);
        const int begun = begin_login_and_redirect(r, state, address_asked_for(r), *demand);
        return begun == OK ? DONE : begun;
    }
    const bool is_own_form = kind_of(r) == access::RequestKind::form && comes_from_here(r, *state.site->site);
    const int answered = demand && is_own_form ? say_form_needs_login(r, state) : send_refusal(r, state);
    return answered == OK ? DONE : answered;
}

void note_passed_over(request_rec* r) {
    apr_table_setn(r->notes, kPassedOver, "1");
}

[[gnu::hot]] int ask_rules(request_rec* r, RequestState& state) {
    state.rules = RuleRun{};
    state.rules.judged = r;
    state.rules.nested = true;
    const int status = ap_run_auth_checker(r);
    state.rules.nested = false;
    return status;
}

int check_rules(request_rec* r) {
    auto* state = is_ours(r) ? state_of(r) : nullptr;
    if (state == nullptr || state->rules.nested) {
        return DECLINED;
    }
    const int status = ask_rules(r, *state);
    if (status != HTTP_UNAUTHORIZED && status != HTTP_FORBIDDEN) {
        return status;
    }
    return refuse(r, *state);
}

bool rules_need_a_user(request_rec* r, RequestState& state) {
    if (apr_table_get(r->notes, kPassedOver) == nullptr) {
        return false;
    }
    auto& run = state.rules;
    const Supposing strict{run};
    run.judged = r;
    run.nobody_refuses = true;
    run.nested = true;
    return ap_run_access_checker_ex(r) != OK;
}

std::vector<std::string> levels_for_login(request_rec* r, RequestState& state) {
    auto& run = state.rules;
    const Supposing level{run};
    run.saw_level = false;
    const bool any_level = could_enter_at(r, run, "");
    return any_level || !run.saw_level ? std::vector<std::string>{} : levels_that_enter(r, run, false);
}

PendingAnswer stand_where_refused(request_rec* r, RequestState& state, PendingAnswer pending) {
    state.rules = RuleRun{};   // of a place that may not refuse any more
    auto* again = ap_sub_req_method_uri("GET", pending.address.c_str(), r, nullptr);   // never destroyed before the request
    r->per_dir_config = again->per_dir_config;
    auto fresh = std::exchange(state.pending, std::nullopt);
    if (!fresh) {
        return pending;
    }
    fresh->kind = pending.kind;   // this request is none that a browser sent
    return std::move(*fresh);
}

int serve_pending(request_rec* r, RequestState& state) {
    const auto pending = stand_where_refused(r, state, *std::exchange(state.pending, std::nullopt));
    if (pending.demand && pending.kind == access::RequestKind::form) {
        // Posted to a directory: httpd has made a GET of it by now.
        return pending.demand->step_up ? say_form_needs_login(r, state)
                                       : send_failure(r, state, {ErrorCode::form_not_kept, "a form cannot be sent yet: its address is a directory, whose index needs a login"}, address_asked_for(r));
    }
    if (pending.demand && kind_of(r) == access::RequestKind::navigation) {
        if (!pending.demand->step_up) {
            return send_to_log_in(r, state, *pending.demand);
        }
        audit_step_up(r, state, *pending.demand);
        return begin_login_and_redirect(r, state, address_asked_for(r), *pending.demand);
    }
    if (!r->prev || r->prev->status != HTTP_FORBIDDEN) {
        return send_login_required(r, state);
    }
    return send_refusal(r, state);
}

int leave_login_to_main(request_rec* r, RequestState& state) {
    return leave_to_main(r, state, HTTP_UNAUTHORIZED, {.demand = LoginDemand{.acr_values = levels_for_login(r, state)}});
}

}  // namespace proconnect::httpd
