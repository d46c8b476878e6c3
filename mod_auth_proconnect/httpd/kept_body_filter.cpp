#include "httpd/kept_body_filter.hpp"

#include <algorithm>

#include <apr_buckets.h>
#include <util_filter.h>

#include "httpd/pool.hpp"

namespace proconnect::httpd {
namespace {

ap_filter_rec_t* filter = nullptr;

struct Rest {
    std::string_view bytes;
};

/// What httpd's own filter would give of a body: up to `wanted` bytes, or a line, then the end.
apr_status_t read_kept_body(ap_filter_t* f, apr_bucket_brigade* out, ap_input_mode_t mode, apr_read_type_e, apr_off_t wanted) noexcept {
    auto& rest = static_cast<Rest*>(f->ctx)->bytes;
    auto* const allocator = f->c->bucket_alloc;
    if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF) {
        return APR_SUCCESS;
    }
    auto count = rest.size();
    if (mode == AP_MODE_READBYTES || mode == AP_MODE_SPECULATIVE) {
        count = std::min(count, static_cast<std::size_t>(std::max<apr_off_t>(wanted, 0)));
    } else if (mode == AP_MODE_GETLINE) {
        count = std::min({count, rest.find('\n') == std::string_view::npos ? count : rest.find('\n') + 1, static_cast<std::size_t>(HUGE_STRING_LEN)});
    }
    if (count != 0) {
        APR_BRIGADE_INSERT_TAIL(out, apr_bucket_pool_create(rest.data(), count, f->r->pool, allocator));
    }
    if (count == rest.size()) {
        APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(allocator));
    }
    if (mode != AP_MODE_SPECULATIVE) {
        rest.remove_prefix(count);
    }
    return APR_SUCCESS;
}

}  // namespace

void read_body_from(request_rec* r, std::string_view body) {
    // In the place of httpd's own reader: below every other filter, and inherited by internal redirects, which drop what stands above.
    ap_remove_input_filter_byhandle(r->input_filters, "http_in");
    ap_add_input_filter_handle(filter, pool_make<Rest>(r->pool, body), r, r->connection);
}

void register_kept_body_filter() noexcept {
    filter = ap_register_input_filter("PROCONNECT_KEPT_BODY", read_kept_body, nullptr, AP_FTYPE_PROTOCOL);
}

}  // namespace proconnect::httpd
