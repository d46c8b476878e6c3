// The module record and its hooks; nothing else. What each hook does stands where it is defined.
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>

#include "httpd/access_rules.hpp"
#include "httpd/authn_hook.hpp"
#include "httpd/authz_provider.hpp"
#include "httpd/config.hpp"
#include "httpd/endpoints.hpp"
#include "httpd/form_keeping.hpp"
#include "httpd/guard.hpp"
#include "httpd/housekeeping.hpp"
#include "httpd/kept_body_filter.hpp"
#include "httpd/log_redaction.hpp"
#include "httpd/request.hpp"
#include "httpd/runtime.hpp"

namespace {

namespace pc = proconnect::httpd;

int on_check_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* s) noexcept {
    return pc::guarded(s, HTTP_INTERNAL_SERVER_ERROR, [&] { return pc::check_configuration(pconf, s); });
}

int on_post_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* s) noexcept {
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;  // httpd reads its configuration twice at start; the first pass is thrown away
    }
    return pc::guarded(s, HTTP_INTERNAL_SERVER_ERROR, [&] { return pc::start(pconf, s); });
}

void on_child_init(apr_pool_t* pchild, server_rec* s) noexcept {
    pc::guarded(s, 0, [&] {
        pc::start_child(pchild, s);
        return 0;
    });
}

void on_child_stopping(apr_pool_t*, int graceful) noexcept {
    // Requests may end by themselves at a graceful stop. At the other, httpd waits for its threads and would kill the child after nine seconds.
    if (graceful == 0) {
        pc::end_calls_in_child();
    }
}

int on_monitor(apr_pool_t* pool, server_rec* s) noexcept {
    return pc::guarded(s, DECLINED, [&] { return pc::keep_house_in_parent(pool, s); });
}

template <int (*Body)(request_rec*)>
[[gnu::hot]] int guarded_hook(request_rec* r) noexcept {
    return pc::guarded(r, [&] { return Body(r); });
}

void register_hooks(apr_pool_t* pool) {
    // Configuration and life cycle. Children are prepared before mod_watchdog starts the thread that uses what is made there.
    ap_hook_check_config(on_check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_post_config(on_post_config, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_child_init(on_child_init, nullptr, nullptr, APR_HOOK_FIRST);
    ap_hook_child_stopping(on_child_stopping, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_monitor(on_monitor, nullptr, nullptr, APR_HOOK_MIDDLE);

    // First of all, before any module can act on headers that imitate ours (mod_setenvif, mod_headers early) or judge a confirmed form by its envelope.
    static const char* const kJudges[] = {"mod_security2.c", nullptr};
    ap_hook_post_read_request(guarded_hook<pc::read_request>, nullptr, kJudges, APR_HOOK_REALLY_FIRST);
    // Before the access log is written.
    ap_hook_log_transaction(guarded_hook<pc::redact_refused_request>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    // Before mod_proxy and mod_rewrite, which may take the whole site.
    ap_hook_translate_name(guarded_hook<pc::claim_endpoint>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(guarded_hook<pc::claim_endpoint>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    // Our own pages need no login.
    ap_hook_check_access_ex(guarded_hook<pc::admit_endpoint>, nullptr, nullptr, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_URI);
    // Who is it? Before the basic and digest modules, which decline another AuthType anyway.
    ap_hook_check_authn(guarded_hook<pc::authenticate>, nullptr, nullptr, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    // Around all others of its kind: it asks them, and explains what they refuse.
    ap_hook_check_authz(guarded_hook<pc::check_rules_of_form>, nullptr, nullptr, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "proconnect", AUTHZ_PROVIDER_VERSION, &pc::kAuthzProvider, AP_AUTH_INTERNAL_PER_CONF);
    // Between the access rules and the modules that look for other files in place of the one asked for.
    ap_hook_type_checker(guarded_hook<pc::note_admitted>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    // After access is granted, before mod_env, mod_headers and mod_rewrite read the variables.
    ap_hook_fixups(guarded_hook<pc::name_user_where_open>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
    // The body of a form that was kept, when it is handed to the application.
    pc::register_kept_body_filter();
    // Before every other handler, so that SetHandler cannot take our pages.
    ap_hook_handler(guarded_hook<pc::serve_endpoint>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
}

}  // namespace

extern "C" {
module AP_MODULE_DECLARE_DATA auth_proconnect_module = {
    STANDARD20_MODULE_STUFF,
    pc::create_directory_config,
    pc::merge_directory_config,
    pc::create_server_config,
    pc::merge_server_config,
    pc::kDirectives,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};
}
