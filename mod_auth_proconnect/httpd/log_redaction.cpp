#include "httpd/log_redaction.hpp"

#include <algorithm>
#include <cstring>

#include <http_config.h>
#include <http_core.h>
#include <http_log.h>

#include <apr_strings.h>

#include "httpd/config.hpp"
#include "httpd/runtime.hpp"

namespace proconnect::httpd {
namespace {

constexpr int kDeepest = APLOG_DEBUG;   // mod_http2 writes whole addresses from trace1 on and cookies from trace2 on, httpd itself from trace4 on

int module_count = 0;

struct ap_logconf* capped_copy(apr_pool_t* pool, const struct ap_logconf* log) {
    auto* copy = static_cast<ap_logconf*>(apr_pmemdup(pool, log, sizeof *log));
    copy->level = std::min(copy->level, kDeepest);
    if (log->module_levels != nullptr) {
        const auto bytes = sizeof(signed char) * static_cast<std::size_t>(module_count);
        copy->module_levels = static_cast<signed char*>(apr_pmemdup(pool, log->module_levels, bytes));
        for (int i = 0; i < module_count; ++i) {
            copy->module_levels[i] = std::min<signed char>(copy->module_levels[i], kDeepest);
        }
    }
    return copy;
}

bool goes_deeper(const struct ap_logconf& log) {
    if (log.level > kDeepest) {
        return true;
    }
    return log.module_levels != nullptr && std::any_of(log.module_levels, log.module_levels + module_count, [](signed char level) { return level > kDeepest; });
}

}  // namespace

void prepare_log_redaction(apr_pool_t* pconf, server_rec* main_server) {
    module_count = 0;
    for (module** m = ap_loaded_modules; *m != nullptr; ++m) {
        module_count = std::max(module_count, (*m)->module_index + 1);
    }
    for (server_rec* s = main_server; s != nullptr; s = s->next) {
        if (goes_deeper(s->log)) {
            s->log = *capped_copy(pconf, &s->log);
        }
    }
}

void cap_log_level(request_rec* r) {
    if (r->log != nullptr && goes_deeper(*r->log)) {
        r->log = capped_copy(r->pool, r->log);
    }
}

const char* take_query(request_rec* r) {
    const char* query = r->args;
    r->args = nullptr;
    r->parsed_uri.query = nullptr;
    if (r->unparsed_uri != nullptr) {
        r->unparsed_uri = apr_pstrmemdup(r->pool, r->unparsed_uri, std::strcspn(r->unparsed_uri, "?"));
    }
    if (r->the_request != nullptr) {
        const char* mark = std::strchr(r->the_request, '?');
        if (mark != nullptr) {
            const char* protocol = std::strchr(mark, ' ');
            r->the_request = apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, r->the_request, static_cast<apr_size_t>(mark - r->the_request)),
                                         protocol != nullptr ? protocol : "", nullptr);
        }
    }
    return query;
}

}  // namespace proconnect::httpd
