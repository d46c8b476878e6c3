#include "httpd/background_revocation.hpp"

#include "httpd/guard.hpp"
#include "httpd/log.hpp"
#include "httpd/pool.hpp"
#include "oidc/revocation.hpp"

namespace proconnect::httpd {
namespace {

/// Wiped with the request's pool.
struct Pending {
    SiteRuntime* site;
    core::Secret token;
};

std::expected<void, core::Error> revoke(Pending& pending) {
    auto& site = *pending.site;
    const auto permit = runtime()->wait_slots->try_acquire();
    if (!permit) {
        return std::unexpected(core::Error{core::ErrorCode::revocation_failed, "revocation: left out, as many workers as may wait for ProConnect do so already"});
    }
    const auto now = core::now();
    const auto provider = site.provider->current(now);
    if (!provider) {
        return std::unexpected(provider.error());
    }
    return oidc::revoke_refresh_token(*site.background_http, (*provider)->metadata, site.site->client, pending.token, now);
}

apr_status_t at_end_of_request(void* data) noexcept {
    auto& pending = *static_cast<Pending*>(data);
    server_rec* s = pending.site->server;
    return guarded(s, apr_status_t{APR_SUCCESS}, [&]() -> apr_status_t {
        if (runtime() == nullptr) {
            return APR_SUCCESS;
        }
        if (const auto revoked = revoke(pending); !revoked) {
            log_server_failure(s, {core::ErrorCode::revocation_failed, revoked.error().detail});
        }
        return APR_SUCCESS;
    });
}

}  // namespace

void revoke_after_answer(request_rec* r, const RequestState& state, core::Secret refresh_token) {
    auto& site = *state.site;
    // Known only when ProConnect was asked before; a logout does not fetch anything for this.
    if (refresh_token.empty() || !site.provider || !site.background_http || site.board->generation() == 0) {
        return;
    }
    auto* pending = pool_make<Pending>(r->pool, &site, std::move(refresh_token));
    apr_pool_cleanup_register(r->pool, pending, at_end_of_request, apr_pool_cleanup_null);
    r->connection->keepalive = AP_CONN_CLOSE;
}

}  // namespace proconnect::httpd
