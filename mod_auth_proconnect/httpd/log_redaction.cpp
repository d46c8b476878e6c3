#include "httpd/log_redaction.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include <http_config.h>
#include <http_core.h>
#include <http_log.h>

#include <apr_strings.h>

#include "httpd/config.hpp"
#include "httpd/request.hpp"
#include "httpd/runtime.hpp"

namespace proconnect::httpd {
namespace {

constexpr int kDeepest = APLOG_DEBUG;   // mod_http2 writes whole addresses from trace1 on and cookies from trace2 on, httpd itself from trace4 on
constexpr int kDeepestOfCore = APLOG_INFO;

/// How deep each module may log, by module index.
std::span<const signed char> deepest;

bool quotes_headers(const module& m) {
    const std::string_view name{m.name};
    return name == "core.c" || name == "http_core.c";
}

std::span<const signed char> deepest_by_module(apr_pool_t* pool) {
    int count = 0;
    for (module** m = ap_loaded_modules; *m != nullptr; ++m) {
        count = std::max(count, (*m)->module_index + 1);
    }
    auto* levels = static_cast<signed char*>(apr_palloc(pool, static_cast<std::size_t>(count)));
    std::fill_n(levels, count, static_cast<signed char>(kDeepest));
    for (module** m = ap_loaded_modules; *m != nullptr; ++m) {
        if (quotes_headers(**m)) {
            levels[(*m)->module_index] = kDeepestOfCore;
        }
    }
    return {levels, static_cast<std::size_t>(count)};
}

/// The level that holds for one module; a negative one of its own means the general one.
int level_of(const struct ap_logconf& log, std::size_t index) {
    return log.module_levels != nullptr && log.module_levels[index] >= 0 ? log.module_levels[index] : log.level;
}

struct ap_logconf* capped_copy(apr_pool_t* pool, const struct ap_logconf* log) {
    auto* copy = static_cast<ap_logconf*>(apr_pmemdup(pool, log, sizeof *log));
    copy->module_levels = static_cast<signed char*>(apr_palloc(pool, deepest.size()));
    for (std::size_t i = 0; i < deepest.size(); ++i) {
        copy->module_levels[i] = static_cast<signed char>(std::min<int>(level_of(*log, i), deepest[i]));
    }
    copy->level = std::min(copy->level, kDeepest);
    return copy;
}

[[gnu::hot]] bool goes_deeper(const struct ap_logconf& log) {
    if (log.level <= kDeepestOfCore && log.module_levels == nullptr) {
        return false;
    }
    for (std::size_t i = 0; i < deepest.size(); ++i) {
        if (level_of(log, i) > deepest[i]) {
            return true;
        }
    }
    return false;
}

/// Path of a request line, whatever became of the request: without scheme, host and query.
std::string_view requested_path(std::string_view request_line) {
    const auto begin = request_line.find(' ');
    if (begin == std::string_view::npos) {
        return {};
    }
    auto target = request_line.substr(begin + 1);
    target = target.substr(0, target.find_first_of("? "));
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
        const auto path = target.find('/', scheme + 3);
        return path == std::string_view::npos ? std::string_view{} : target.substr(path);
    }
    return target;
}

}  // namespace

void prepare_log_redaction(apr_pool_t* pconf, server_rec* main_server) {
    deepest = deepest_by_module(pconf);
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

int redact_refused_request(request_rec* r) {
    if (runtime() == nullptr || r->the_request == nullptr || state_of(r) != nullptr) {
        return DECLINED;
    }
    // On every virtual host: without a Host header httpd takes the request for the first one's.
    const auto path = requested_path(r->the_request);
    const bool is_ours = std::ranges::any_of(runtime()->sites, [&](const auto& site) { return path == site->site->callback_path || path == site->site->logged_out_path; });
    if (is_ours) {
        take_query(r);
    }
    return DECLINED;
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
