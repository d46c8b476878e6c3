#include "httpd/provider_refresh.hpp"

#include <algorithm>
#include <exception>

#include "crypto/digest.hpp"
#include "httpd/guard.hpp"
#include "httpd/runtime.hpp"
#include "httpd/signals.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::uint32_t kFailuresBetweenLines = 20;   // about every five minutes at the longest back-off
constexpr std::ptrdiff_t kMostAtOnce = 16;

void refresh(SiteRuntime& site, core::UnixTime now) {
    const auto refreshed = site.provider->refresh_if_due(now);
    if (!refreshed && refreshed.error().code == core::ErrorCode::server_stopping) {
        return;
    }
    if (!refreshed) {
        const auto status = site.board->status();
        if (!status || status->failures % kFailuresBetweenLines == 1) {
            log_server_failure(site.server, refreshed.error());
        }
        site.provider_failing = true;
    } else if (*refreshed == oidc::ProviderCache::Refresh::done && site.provider_failing) {
        site.provider_failing = false;
        log_server_notice(site.server, "ProConnect (" + site.site->client.issuer + ") answers again");
    }
}

std::ptrdiff_t count_running(const Runtime& runtime) noexcept {
    return std::ranges::count_if(runtime.sites, [](const auto& site) { return site->refresh.is_running(); });
}

}  // namespace

void ProviderRefresh::start(SiteRuntime& site, core::UnixTime now) {
    leave();
    const auto body = [&site, now]() noexcept {
        guarded(site.server, 0, [&] {
            refresh(site, now);
            return 0;
        });
    };
    running_ = true;
    try {
        const auto blocked = SignalsBlocked::all();   // httpd's signals are for httpd's threads
        thread_ = std::thread([this, body]() noexcept {
            body();
            crypto::release_thread_contexts();
            running_ = false;
        });
    } catch (const std::exception&) {
        body();
        running_ = false;
    }
}

void ProviderRefresh::leave() noexcept {
    if (!thread_.joinable()) {
        return;
    }
    if (running_) {
        thread_.detach();
    } else {
        thread_.join();
    }
}

void refresh_providers(Runtime& runtime, core::UnixTime now) {
    // Another one is the first each time: where many hang, none is always behind them.
    static std::size_t turn = 0;
    const auto count = runtime.sites.size();
    ++turn;
    for (std::size_t i = 0; i < count && count_running(runtime) < kMostAtOnce; ++i) {
        auto& site = *runtime.sites[(turn + i) % count];
        if (site.provider && !site.refresh.is_running() && site.provider->is_refresh_due(now)) {
            site.refresh.start(site, now);
        }
    }
}

bool is_refreshing(const Runtime& runtime) noexcept {
    return count_running(runtime) > 0;
}

}  // namespace proconnect::httpd
