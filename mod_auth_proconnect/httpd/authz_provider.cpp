#include "httpd/authz_provider.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <vector>

#include <ap_regex.h>
#include <http_config.h>
#include <http_core.h>

#include "access/levels.hpp"
#include "httpd/access_rules.hpp"
#include "httpd/guard.hpp"
#include "httpd/log.hpp"
#include "httpd/pool.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {
namespace {

using access::Comparison;
using access::Outcome;

/// The regular expressions of httpd itself.
class HttpdPattern final : public access::Pattern {
public:
    explicit HttpdPattern(const ap_regex_t* regex) noexcept : regex_(regex) {}
    [[nodiscard]] bool matches_within(std::string_view text) const noexcept override {
        return ap_regexec_len(regex_, text.data(), text.size(), 0, nullptr, 0) == 0;
    }

private:
    const ap_regex_t* regex_;   // belongs to the pool of the configuration
};

std::expected<std::unique_ptr<access::Pattern>, std::string> compile_pattern(apr_pool_t* pool, const std::string& text) {
    const auto* regex = ap_pregcomp(pool, text.c_str(), 0);
    if (regex == nullptr) {
        return std::unexpected("'" + text + "'");
    }
    return std::make_unique<HttpdPattern>(regex);
}

using SharedRule = std::shared_ptr<const PreparedRule>;

/// Whether an odd number of negations stands around a Require line.
bool is_negated(const ap_directive_t* line) {
    const char* args = line->args != nullptr ? line->args : "";
    apr_size_t skipped = std::strspn(args, " \t");
    bool negated = strncasecmp(args + skipped, "not", 3) == 0 && (args[skipped + 3] == ' ' || args[skipped + 3] == '\t');
    for (const auto* section = line->parent; section != nullptr; section = section->parent) {
        if (strcasecmp(section->directive, "<RequireNone") == 0) {
            negated = !negated;
        }
    }
    return negated;
}

std::uint64_t next_number() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

const char* parse_line(cmd_parms* cmd, const char* line, const void** parsed) noexcept {
    return guarded_setter([&]() -> const char* {
        std::vector<std::string> words;
        for (const char* rest = line; *rest != '\0';) {
            if (const char* word = ap_getword_conf(cmd->temp_pool, &rest); *word != '\0') {
                words.emplace_back(word);
            }
        }
        const auto compile = [&](const std::string& text) { return compile_pattern(cmd->pool, text); };
        auto rule = access::Rule::parse(words, compile);
        const auto refuse = [&](const std::string& why) { return pool_copy(cmd->pool, "Require proconnect " + why); };
        if (!rule) {
            return refuse(rule.error());
        }
        // Whoever may write .htaccess could ask about any file that httpd can read.
        if (!(*rule)->files().empty() && ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != nullptr) {
            return refuse("takes file: in the configuration of the server only, not in .htaccess");
        }
        auto prepared = std::make_shared<PreparedRule>();
        prepared->rule = std::move(*rule);
        prepared->place = Place{.directive = "Require proconnect", .file = cmd->directive->filename, .line = static_cast<unsigned>(cmd->directive->line_num)}.text();
        prepared->negated = is_negated(cmd->directive);
        prepared->number = next_number();
        for (const auto& file : prepared->rule->files()) {
            if (const auto problem = file->check(); !problem.empty()) {
                log_startup_warning(cmd->server, "PC6004 " + prepared->place + ": " + printable(problem));
            }
        }
        *parsed = pool_make<SharedRule>(cmd->pool, std::move(prepared));
        return nullptr;
    });
}

/// The claims that may speak for this request: those of a session through which httpd named its user.
const SignedIn* claims_of(const request_rec* r, const RequestState& state) {
    const bool ours = r->ap_auth_type != nullptr && std::strcmp(r->ap_auth_type, "ProConnect") == 0;
    return ours && state.user ? &*state.user : nullptr;
}

/// Asks the rule, unless this session is known to meet it: that cannot change but with a file.
Outcome evaluate(const PreparedRule& prepared, const SignedIn& user, core::UnixTime now) {
    const auto& remembered = user.remembered;
    if (remembered != nullptr && remembered->has_passed(prepared.number)) {
        return Outcome::met;
    }
    const auto outcome = prepared.rule->evaluate(user.attributes, now);
    if (remembered != nullptr && outcome == Outcome::met && prepared.rule->files().empty()) {
        remembered->note_passed(prepared.number);
    }
    return outcome;
}

Outcome outcome_of(const PreparedRule& prepared, const RuleRun& run, const RequestState& state, const SignedIn* user) {
    const auto& rule = *prepared.rule;
    if (run.supposes_level && rule.comparison() == Comparison::level) {
        return rule.evaluate_level(run.level);
    }
    if (run.supposes_methods && rule.comparison() == Comparison::method) {
        return prepared.negated ? Outcome::not_met : Outcome::met;
    }
    return user == nullptr ? Outcome::claim_missing : evaluate(prepared, *user, state.now);
}

void note_kind(RuleRun& run, const access::Rule& rule) {
    if (rule.comparison() == Comparison::level) {
        run.saw_level = true;
    } else if (rule.comparison() == Comparison::method) {
        run.saw_method = true;
        for (const auto& method : rule.accepted()) {
            run.methods_imply_two_factors = run.methods_imply_two_factors && access::implies_two_factors(method);
        }
    }
}

void complain_about_files(const request_rec* r, const PreparedRule& prepared, core::UnixTime now) {
    for (const auto& file : prepared.rule->files()) {
        if (const auto problem = file->take_problem(now); !problem.empty()) {
            log_server_failure(r->server, {core::ErrorCode::access_list_unavailable, prepared.place + ": " + problem});
        }
    }
}

/// No user yet: a rule cannot be met, but may be once there is one.
authz_status without_user(request_rec* r, const PreparedRule& prepared, RuleRun& run) {
    note_kind(run, *prepared.rule);
    if (run.supposes_level && prepared.rule->comparison() == Comparison::level) {
        return prepared.rule->evaluate_level(run.level) == Outcome::met ? AUTHZ_GRANTED : AUTHZ_DENIED;
    }
    if (prepared.negated) {
        note_passed_over(r);
        return run.nobody_refuses ? AUTHZ_GRANTED : AUTHZ_DENIED_NO_USER;
    }
    return AUTHZ_DENIED_NO_USER;
}

authz_status check_rule(request_rec* r, const SharedRule& shared) {
    const auto& prepared = *shared;
    auto* state = state_of(r);
    if (state == nullptr) {
        // Neither the rule nor its contrary holds where it cannot be asked; with AUTHZ_DENIED a negated one would be passed over.
        log_failure(r, {core::ErrorCode::configuration_invalid, prepared.place + ": no ProConnectPlatform applies to this virtual host"}, "");
        return AUTHZ_GENERAL_ERROR;
    }
    // What is asked of another request on the way has nothing to do with the question, nor with its answer.
    RuleRun apart;
    auto& run = state->rules.judged == r ? state->rules : apart;
    if (r->user == nullptr) {
        return without_user(r, prepared, run);
    }
    note_kind(run, *prepared.rule);
    const auto outcome = outcome_of(prepared, run, *state, claims_of(r, *state));
    // What is not known proves nothing, neither a rule nor its contrary.
    const bool is_met = outcome == Outcome::met || (prepared.negated && outcome != Outcome::not_met);
    if (is_met == prepared.negated && run.failed == nullptr) {
        run.failed = shared;
        run.outcome = outcome;
    }
    if (outcome != Outcome::met && !prepared.rule->files().empty()) {
        complain_about_files(r, prepared, state->now);
    }
    return is_met ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

authz_status check_line(request_rec* r, const char*, const void* parsed) noexcept {
    try {
        return check_rule(r, *static_cast<const SharedRule*>(parsed));
    } catch (const std::exception& exception) {
        log_internal_error(r, exception.what());
    } catch (...) {
        log_internal_error(r, "unknown exception");
    }
    return AUTHZ_GENERAL_ERROR;
}

}  // namespace

const authz_provider kAuthzProvider{.check_authorization = check_line, .parse_require_line = parse_line};

}  // namespace proconnect::httpd
