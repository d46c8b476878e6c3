#include "httpd/housekeeping.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include <ap_mpm.h>
#include <http_config.h>
#include <http_core.h>
#include <mod_watchdog.h>
#include <scoreboard.h>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "http/curl_client.hpp"
#include "httpd/audit.hpp"
#include "httpd/guard.hpp"
#include "httpd/provider_refresh.hpp"
#include "httpd/unprivileged.hpp"
#include "oidc/provider_snapshot.hpp"
#include "session/private_file.hpp"
#include "session/snapshot.hpp"

namespace proconnect::httpd {
namespace {

constexpr auto kTimerInterval = apr_time_from_sec(1);
constexpr std::chrono::seconds kSweepInterval{60};
constexpr std::chrono::minutes kSnapshotInterval{5};
constexpr std::chrono::seconds kSaveLimit{60};   // for all files together: meanwhile the parent replaces no child that died
constexpr off_t kMaxProviderFileBytes = 1024 * 1024;

// ---- the timer, in one child

std::atomic<bool> stopping{false};
std::atomic<int> timers_running{0};

struct TimerTurn {
    TimerTurn() noexcept { ++timers_running; }
    ~TimerTurn() { --timers_running; }
    TimerTurn(const TimerTurn&) = delete;
    TimerTurn& operator=(const TimerTurn&) = delete;
};

void sweep_sessions(Runtime& runtime, const server_rec* s, core::UnixTime now) {
    if (const auto swept = runtime.store->sweep(now); !swept) {
        log_server_failure(s, swept.error());
    }
    if (const auto expired = runtime.store->take_expiries(); expired && *expired != 0) {
        audit_expiries(s, runtime, *expired, now);
    }
    if (const auto evicted = runtime.store->take_evictions(); evicted && *evicted != 0) {
        log_server_failure(s, {core::ErrorCode::session_store_full, std::to_string(*evicted) +
                                                                       " live sessions had to go since the last minute, the longest unused first; raise ProConnectSessionMax (" +
                                                                       std::to_string(runtime.store->capacity()) + ")"});
    }
}

apr_status_t on_timer(int state, void* data, apr_pool_t*) noexcept {
    auto* main_server = static_cast<server_rec*>(data);
    return guarded(main_server, apr_status_t{APR_SUCCESS}, [&]() -> apr_status_t {
        const TimerTurn turn;   // before the flag is read: who waits for zero either sees this turn or has stopped it
        auto* current = runtime();
        if (state != AP_WATCHDOG_STATE_RUNNING || current == nullptr || stopping) {
            return APR_SUCCESS;
        }
        static core::UnixTime last_sweep{};
        const auto now = core::now();
        if (now - last_sweep >= kSweepInterval || now < last_sweep) {
            last_sweep = now;
            sweep_sessions(*current, main_server, now);
        }
        refresh_providers(*current, now);
        return APR_SUCCESS;
    });
}

bool register_timer(apr_pool_t* pconf, server_rec* main_server) {
    const auto get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    const auto register_callback = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t* watchdog = nullptr;
    return get_instance != nullptr && register_callback != nullptr && get_instance(&watchdog, "_proconnect_", 0, 1, pconf) == APR_SUCCESS &&
           register_callback(watchdog, kTimerInterval, main_server, on_timer) == APR_SUCCESS;
}

// ---- files, in the parent

std::string provider_file(const Runtime& runtime, const SiteRuntime& site) {
    const auto digest = crypto::sha256(provider_way(*site.site));
    return digest ? runtime.settings.snapshot + ".provider-" + core::base64url_encode(std::span{*digest}.first(9)) : std::string{};
}

/// The whole file, or "" when there is none that can be trusted: then the provider is asked.
std::string read_file(const std::string& path) {
    const auto file = session::open_private_file(path);
    struct stat status {};
    if (!file || !file->is_open() || ::fstat(file->get(), &status) != 0 || status.st_size > kMaxProviderFileBytes) {
        return {};
    }
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    return session::read_at(*file, 0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}) ? text : std::string{};
}

/// A file to be written by somebody who could not make it.
struct Unwritten {
    session::AtomicFile file;
    std::function<bool(session::AtomicFile&)> write;
};

void add_file(std::vector<Unwritten>& files, const server_rec* s, const std::string& path, std::function<bool(session::AtomicFile&)> write) {
    auto file = session::AtomicFile::create(path);
    if (!file) {
        log_server_warning(s, "PC4005 " + file.error());
        return;
    }
    files.push_back({std::move(*file), std::move(write)});
}

void save(Runtime& runtime, const server_rec* s) {
    const auto now = core::now();
    runtime.last_snapshot = now;
    if (runtime.settings.snapshot.empty()) {
        return;
    }
    std::vector<Unwritten> files;
    add_file(files, s, runtime.settings.snapshot, [&](session::AtomicFile& file) {
        if (runtime.predecessor && !runtime.store->merge_from(*runtime.predecessor, now)) {
            return false;
        }
        return session::write_snapshot(*runtime.store, file, runtime.keys.current.snapshot, now).has_value();
    });
    std::set<std::string> files_of_providers;
    for (const auto& site : runtime.sites) {
        if (site->board->generation() == 0 || !files_of_providers.insert(provider_file(runtime, *site)).second) {
            continue;
        }
        add_file(files, s, provider_file(runtime, *site), [&site](session::AtomicFile& file) {
            const auto text = oidc::export_text(*site->board, site->site->client.issuer);
            return text && file.write({reinterpret_cast<const std::uint8_t*>(text->data()), text->size()}).has_value();
        });
    }
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + kSaveLimit;
    for (auto& [file, write] : files) {
        std::string failure = "it could not be written in time";
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() > 0 && run_unprivileged([&] { return write(file); }, left)) {
            const auto committed = file.commit();
            failure = committed ? "" : committed.error();
        }
        if (!failure.empty()) {
            log_server_warning(s, "PC4005 a snapshot is missing: " + failure);
        }
    }
}

bool older_children_run() {
    int generation = 0;
    int limit = 0;
    if (ap_mpm_query(AP_MPMQ_GENERATION, &generation) != APR_SUCCESS || ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &limit) != APR_SUCCESS) {
        return true;
    }
    for (int i = 0; i < limit; ++i) {
        const process_score* process = ap_get_scoreboard_process(i);
        if (process != nullptr && process->pid != 0 && process->generation != generation) {
            return true;
        }
    }
    return false;
}

void follow_predecessor(Runtime& runtime, const server_rec* s) {
    if (!runtime.predecessor) {
        return;
    }
    const bool last = !older_children_run();
    const bool merged = run_unprivileged(
        [&] { return runtime.store->merge_from(*runtime.predecessor, core::now()) && (!last || runtime.store->finish_takeover()); }, kSaveLimit);
    if (!merged) {
        log_server_warning(s, "PC4001 the sessions of the former, smaller table could not be brought over; tried again in ten seconds");
    } else if (last) {
        runtime.predecessor.reset();
    }
}

/// When the snapshot was last written, by whichever generation of the server: frequent graceful restarts must not put it off for ever.
core::UnixTime time_of_snapshot(const Runtime& runtime) {
    struct stat status {};
    return ::lstat(runtime.settings.snapshot.c_str(), &status) == 0 ? core::from_unix_seconds(status.st_mtime) : core::UnixTime{};
}

/// Runs when the configuration goes away; only at a full stop is it the end of the sessions' memory.
apr_status_t at_end_of_configuration(void* data) noexcept {
    auto* main_server = static_cast<server_rec*>(data);
    return guarded(main_server, apr_status_t{APR_SUCCESS}, [&]() -> apr_status_t {
        auto* current = runtime();
        if (current != nullptr && current->parent == ::getpid() && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING) {
            save(*current, main_server);
        }
        return APR_SUCCESS;
    });
}

}  // namespace

bool start_housekeeping(apr_pool_t* pconf, server_rec* main_server) {
    if (!register_timer(pconf, main_server)) {
        return false;
    }
    apr_pool_cleanup_register(pconf, main_server, at_end_of_configuration, apr_pool_cleanup_null);
    runtime()->last_snapshot = time_of_snapshot(*runtime());
    return true;
}

void end_calls_in_child() noexcept {
    stopping = true;
    http::CurlClient::interrupt_process();
}

void stop_in_child() noexcept {
    constexpr int kTries = 400;
    end_calls_in_child();
    auto* current = runtime();
    const auto is_busy = [&] { return timers_running > 0 || http::CurlClient::calls_under_way() > 0 || (current != nullptr && is_refreshing(*current)); };
    for (int i = 0; i < kTries && is_busy(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    if (current != nullptr) {
        for (auto& site : current->sites) {
            site->refresh.leave();
        }
    }
}

int keep_house_in_parent(apr_pool_t*, server_rec* main_server) {
    auto* current = runtime();
    if (current == nullptr || current->parent != ::getpid()) {
        return DECLINED;
    }
    follow_predecessor(*current, main_server);
    const auto now = core::now();
    if (now - current->last_snapshot >= kSnapshotInterval || now < current->last_snapshot) {
        save(*current, main_server);
    }
    return DECLINED;
}

void load_saved_sessions(Runtime& runtime, server_rec* main_server) {
    const auto& path = runtime.settings.snapshot;
    if (path.empty() || ::access(path.c_str(), F_OK) != 0) {
        return;
    }
    auto loaded = session::load_snapshot(*runtime.store, path, runtime.keys.current.snapshot, core::now());
    if (!loaded && runtime.keys.previous) {
        loaded = session::load_snapshot(*runtime.store, path, runtime.keys.previous->snapshot, core::now());
    }
    if (!loaded) {
        log_startup_warning(main_server, "PC4005 the sessions saved in " + path + " are not used, users will have to log in again: " + loaded.error().detail);
    }
}

void load_saved_providers(Runtime& runtime, server_rec* main_server) {
    if (runtime.settings.snapshot.empty()) {
        return;
    }
    for (auto& site : runtime.sites) {
        if (!site->board_is_new) {
            continue;  // it was kept through a graceful restart, and children use it
        }
        const auto path = provider_file(runtime, *site);
        const auto text = read_file(path);
        if (text.empty()) {
            continue;
        }
        // Children had the memory that the text was made from.
        const bool taken = run_unprivileged(
            [&] {
                const auto imported = oidc::import_text(*site->board, site->site->client.issuer, text, core::now());
                if (!imported) {
                    log_server_failure(main_server, imported.error());
                }
                return true;
            },
            kSaveLimit);
        if (!taken) {
            log_server_warning(main_server, "PC4005 the saved copy of the provider could not be read");
        }
    }
}

}  // namespace proconnect::httpd
