#include "httpd/kept_body_filter.hpp"

#include <algorithm>

#include <apr_buckets.h>
#include <util_filter.h>

#include "httpd/guard.hpp"
#include "httpd/pool.hpp"
#include "httpd/request.hpp"

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

void insert_kept_body(request_rec* r) noexcept {
    guarded(r->server, 0, [&] {
        auto* state = r->main == nullptr && r->prev != nullptr ? state_of(r) : nullptr;
        if (filter != nullptr && state != nullptr && state->kept_body && r->method_number == M_POST) {
            auto* rest = pool_make<Rest>(r->pool, *state->kept_body);
            state->kept_body.reset();   // for this request alone, not for an ErrorDocument after it
            ap_add_input_filter_handle(filter, rest, r, r->connection);
        }
        return 0;
    });
}

void register_kept_body_filter() noexcept {
    filter = ap_register_input_filter("PROCONNECT_KEPT_BODY", read_kept_body, nullptr, AP_FTYPE_RESOURCE);
}

}  // namespace proconnect::httpd
