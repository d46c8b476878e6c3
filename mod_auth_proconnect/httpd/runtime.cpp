#include "httpd/runtime.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>

#include <ap_mpm.h>
#include <http_config.h>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "httpd/audit.hpp"
#include "httpd/housekeeping.hpp"
#include "httpd/log.hpp"
#include "httpd/log_redaction.hpp"
#include "httpd/pool.hpp"
#include "httpd/request.hpp"
#include "httpd/secret_source.hpp"
#include "httpd/server_key_file.hpp"
#include "httpd/shared_memory.hpp"
#include "httpd/signals.hpp"
#include "httpd/unprivileged.hpp"

namespace proconnect::httpd {
namespace {

/// For a walk through the whole table at a restart.
constexpr std::chrono::seconds kTableLimit{30};

// Belongs to the configuration's pool and goes with it.
Runtime* current_runtime = nullptr;

/// `AuthType ProConnect` in the configuration files, and the virtual host it stands in (null: outside of all).
struct AuthTypeUse {
    const ap_directive_t* directive;
    const ap_directive_t* virtual_host;
};

void collect_auth_types(const ap_directive_t* node, const ap_directive_t* virtual_host, std::vector<AuthTypeUse>& found) {
    for (; node != nullptr; node = node->next) {
        if (strcasecmp(node->directive, "AuthType") == 0 && node->args != nullptr) {
            std::string_view argument{node->args};
            while (!argument.empty() && (argument.front() == '"' || argument.front() == ' ')) argument.remove_prefix(1);
            while (!argument.empty() && (argument.back() == '"' || argument.back() == ' ')) argument.remove_suffix(1);
            if (argument.size() == 10 && strncasecmp(argument.data(), "ProConnect", 10) == 0) {
                found.push_back({node, virtual_host});
            }
        }
        if (node->first_child != nullptr) {
            const bool is_host = strcasecmp(node->directive, "<VirtualHost") == 0;
            collect_auth_types(node->first_child, is_host ? node : virtual_host, found);
        }
    }
}

bool is_host_of(const server_rec* s, const ap_directive_t* virtual_host) {
    if (virtual_host == nullptr) {
        return !s->is_virtual;
    }
    return s->is_virtual && s->defn_name != nullptr && strcmp(s->defn_name, virtual_host->filename) == 0 &&
           s->defn_line_number == static_cast<unsigned>(virtual_host->line_num);
}

/// AuthType ProConnect where no ProConnectPlatform applies would refuse everybody at run time.
std::expected<void, ConfigProblem> check_auth_types(server_rec* main_server, const std::vector<AuthTypeUse>& uses) {
    for (const auto& use : uses) {
        bool served = false;
        for (const server_rec* s = main_server; s != nullptr; s = s->next) {
            // Outside of all virtual hosts it is inherited by all of them: one with a platform is enough.
            const bool applies = use.virtual_host == nullptr || is_host_of(s, use.virtual_host);
            served = served || (applies && server_config(s).platform);
        }
        if (!served) {
            const Place place{.directive = "AuthType ProConnect", .file = use.directive->filename, .line = static_cast<unsigned>(use.directive->line_num)};
            return std::unexpected(ConfigProblem{place.text() + ": no ProConnectPlatform applies here; write for instance 'ProConnectPlatform integration' "
                                                                "in the same virtual host"});
        }
    }
    return {};
}

bool uses_in(const server_rec* s, const std::vector<AuthTypeUse>& uses) {
    return std::ranges::any_of(uses, [&](const AuthTypeUse& use) { return is_host_of(s, use.virtual_host); });
}

bool wants_site(const server_rec* s, const std::vector<AuthTypeUse>& uses) {
    if (uses_in(s, uses)) {
        return true;
    }
    const auto& config = server_config(s);
    return config.owner == s && config.own;
}

/// Adds the site to `sites`. Never inlined: g++ 12 would warn of paths through std::expected that do not exist.
[[gnu::noinline]] std::expected<void, ConfigProblem> add_site(server_rec* s, bool run_programs, std::vector<std::unique_ptr<SiteRuntime>>& sites) {
    auto site = resolve_site(s, server_config(s), run_programs);
    if (!site) {
        return std::unexpected(std::move(site.error()));
    }
    auto& added = sites.emplace_back(std::make_unique<SiteRuntime>());
    added->site = std::move(*site);
    added->server = s;
    return {};
}

std::expected<std::vector<std::unique_ptr<SiteRuntime>>, ConfigProblem> resolve_all(server_rec* main_server, bool run_programs) {
    std::vector<AuthTypeUse> uses;
    collect_auth_types(ap_conftree, nullptr, uses);
    if (auto checked = check_auth_types(main_server, uses); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    std::vector<std::unique_ptr<SiteRuntime>> sites;
    for (server_rec* s = main_server; s != nullptr; s = s->next) {
        const auto& config = server_config(s);
        // Defaults for the virtual hosts may stand in the main server, which then need not be a site itself.
        const bool only_defaults = !s->is_virtual && !config.client_id && main_server->next != nullptr && !uses_in(s, uses);
        if (only_defaults || (!wants_site(s, uses) && !config.platform)) {
            continue;
        }
        const auto added = add_site(s, run_programs, sites);
        if (!added && wants_site(s, uses)) {
            return std::unexpected(added.error());
        }
        // Otherwise it merely inherits, and needs no login; unless AuthType is inherited too.
        if (!added && uses_in(main_server, uses)) {
            log_startup_warning(main_server, "nobody can log in to a virtual host that inherits ProConnectPlatform: " + added.error().sentence);
        }
    }
    return sites;
}

std::string short_hash(std::string_view text) {
    const auto digest = crypto::sha256(text);
    return digest ? core::base64url_encode(std::span{*digest}.first(12)) : std::string{"unhashed"};
}

std::expected<void, std::string> open_boards(Runtime& runtime, server_rec* main_server) {
    std::map<std::string, oidc::ProviderBoard> boards;
    for (auto& site : runtime.sites) {
        const auto& issuer = site->site->client.issuer;
        const auto way = provider_way(*site->site);
        if (const auto known = boards.find(way); known != boards.end()) {
            site->board = known->second;
            continue;
        }
        const auto name = "provider-" + short_hash(way);
        auto segment = shared_segment(main_server, name, oidc::ProviderBoard::bytes_needed());
        site->board_is_new = segment.is_new;
        auto board = segment.is_new ? oidc::ProviderBoard::create(segment.bytes, issuer) : oidc::ProviderBoard::attach(segment.bytes, issuer);
        if (!board) {
            segment = shared_segment(main_server, name, oidc::ProviderBoard::bytes_needed(), true);
            site->board_is_new = true;
            board = oidc::ProviderBoard::create(segment.bytes, issuer);
        }
        if (!board) {
            return std::unexpected("no shared memory for what is known of " + issuer);
        }
        boards.emplace(way, *board);
        site->board = *board;
    }
    return {};
}

/// A quarter of all workers may wait for ProConnect at once, and half of those of one process; the rest serves pages.
std::expected<void, std::string> open_wait_slots(Runtime& runtime, server_rec* main_server) {
    int daemons = 0;
    int threads = 0;
    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    const auto workers = static_cast<std::size_t>(std::max(daemons, 1)) * static_cast<std::size_t>(std::max(threads, 1));
    const auto count = std::clamp<std::size_t>(workers / 4, 2, http::WaitSlots::kMaxCount);
    const auto most_here = static_cast<std::size_t>(std::max(threads / 2, 1));
    const auto name = "wait-slots-" + std::to_string(count);
    const auto segment = shared_segment(main_server, name, http::WaitSlots::bytes_needed(count));
    runtime.wait_slots = segment.is_new ? http::WaitSlots::create(segment.bytes, count, most_here) : http::WaitSlots::attach(segment.bytes, count, most_here);
    if (!runtime.wait_slots) {
        const auto fresh = shared_segment(main_server, name, http::WaitSlots::bytes_needed(count), true);
        runtime.wait_slots = http::WaitSlots::create(fresh.bytes, count, most_here);
    }
    if (!runtime.wait_slots) {
        return std::unexpected("no shared memory for the limit on waiting logins");
    }
    return {};
}

/// Forms go on without it: they are then told to be lost.
void open_kept_forms(Runtime& runtime, server_rec* main_server) {
    const auto arena = runtime.settings.keep_post_memory;
    const auto name = "kept-forms-" + std::to_string(arena);
    auto segment = shared_segment(main_server, name, session::KeptForms::bytes_needed(arena));
    if (!segment.is_new) {
        runtime.kept_forms = session::KeptForms::attach(segment.bytes, arena);
        if (!runtime.kept_forms) {
            segment = shared_segment(main_server, name, session::KeptForms::bytes_needed(arena), true);
        }
    }
    if (!runtime.kept_forms) {
        runtime.kept_forms = session::KeptForms::create(segment.bytes, arena);
    }
    if (!runtime.kept_forms) {
        log_startup_warning(main_server, "no shared memory for forms whose session has expired (ProConnectKeepPostMemory); they are not kept");
    }
}

/// The table of an earlier generation, set to this one's capacity. Nothing when there is none that can be used so.
std::optional<session::ShmStore> kept_store(std::span<std::byte> bytes, std::uint64_t capacity, server_rec* main_server) {
    auto opened = session::ShmStore::open(bytes);
    if (opened && run_unprivileged([&] { return opened->set_capacity(capacity).value_or(false); }, kTableLimit)) {
        return std::move(*opened);
    }
    log_server_warning(main_server, opened ? "PC4001 the session table kept through this restart cannot be used as it is; its sessions are moved to a new one"
                                           : "PC4001 the session table kept through this restart is of another version (" + opened.error().detail +
                                                 "); the sessions of the last snapshot are used");
    return std::nullopt;
}

/// A new table takes over from the one before. That one may itself still be taking over from another, which nobody looks at any more afterwards.
void take_over(Runtime& runtime, session::ShmStore old, std::span<std::byte> bytes_before_it, server_rec* main_server) {
    runtime.predecessor = std::move(old);
    auto before_it = session::ShmStore::open(bytes_before_it);
    const auto move_sessions = [&] {
        if (before_it && runtime.predecessor->is_taking_over() && !runtime.predecessor->merge_from(*before_it, core::now())) {
            return false;
        }
        return runtime.store->copy_from(*runtime.predecessor, core::now()).has_value();
    };
    if (!run_unprivileged(move_sessions, kTableLimit)) {
        log_server_warning(main_server, "PC4001 not every session could be moved to the larger table; some users will have to log in again");
    }
}

/// The table of an earlier generation when there is one; a larger one when more sessions must fit.
std::expected<void, std::string> open_store(Runtime& runtime, server_rec* main_server) {
    const auto capacity = runtime.settings.session_max;
    const auto bytes = session::ShmStore::required_bytes(capacity);
    const auto replaced_earlier = replaced_segment("sessions");
    auto segment = shared_segment(main_server, "sessions", bytes);
    if (!segment.is_new && !segment.bytes.empty()) {
        if (auto kept = kept_store(segment.bytes, capacity, main_server)) {
            runtime.store = std::move(*kept);
            // The children of two restarts ago may still use the table that this one takes over from.
            if (auto old = session::ShmStore::open(replaced_earlier); old && runtime.store->is_taking_over()) {
                runtime.predecessor = std::move(*old);
            }
            return {};
        }
        segment = shared_segment(main_server, "sessions", bytes, true);
    }
    auto made = segment.bytes.empty() ? std::unexpected(core::Error{core::ErrorCode::session_store_unavailable, "no memory"})
                                      : session::ShmStore::create(segment.bytes, capacity);
    if (!made) {
        return std::unexpected("the table of " + std::to_string(capacity) + " sessions cannot be made (" + made.error().detail + "); lower ProConnectSessionMax");
    }
    runtime.store = std::move(*made);
    if (auto old = session::ShmStore::open(replaced_segment("sessions"))) {
        take_over(runtime, std::move(*old), replaced_earlier, main_server);
    } else {
        load_saved_sessions(runtime, main_server);
    }
    return {};
}

}  // namespace

Runtime::Runtime() = default;
Runtime::~Runtime() = default;

Runtime* runtime() noexcept {
    return current_runtime;
}

int check_configuration(apr_pool_t* pconf, server_rec* main_server) {
    // The thread of the parent outlives this configuration and, with it, the module that knows the contexts.
    apr_pool_cleanup_register(
        pconf, nullptr,
        [](void*) noexcept -> apr_status_t {
            crypto::release_thread_contexts();
            return APR_SUCCESS;
        },
        apr_pool_cleanup_null);
    if (const auto ready = crypto::initialize(); !ready) {
        log_startup_error(main_server, "PC9002 OpenSSL cannot be used: " + ready.error().detail);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    const auto sites = resolve_all(main_server, false);
    const auto settings = resolve_store(main_server);
    if (!sites || !settings) {
        log_startup_error(main_server, "PC5001 " + (sites ? settings.error().sentence : sites.error().sentence));
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!sites->empty()) {
        if (const auto checked = check_server_keys(settings->server_key); !checked) {
            log_startup_error(main_server, "PC5002 " + settings->server_key_place + ": " + checked.error());
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

int start(apr_pool_t* pconf, server_rec* main_server) {
    current_runtime = nullptr;
    auto sites = resolve_all(main_server, true);
    auto settings = resolve_store(main_server);
    if (!sites || !settings) {
        log_startup_error(main_server, "PC5001 " + (sites ? settings.error().sentence : sites.error().sentence));
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (sites->empty()) {
        return OK;
    }
    auto* runtime = pool_make<Runtime>(pconf);
    runtime->settings = std::move(*settings);
    runtime->sites = std::move(*sites);
    runtime->parent = ::getpid();
    auto keys = load_server_keys(runtime->settings.server_key);
    if (!keys) {
        log_startup_error(main_server, "PC5002 " + runtime->settings.server_key_place + ": " + keys.error());
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    runtime->keys = std::move(*keys);
    for (const auto step : {&open_boards, &open_wait_slots, &open_store}) {
        if (const auto done = step(*runtime, main_server); !done) {
            log_startup_error(main_server, "PC4001 " + done.error());
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    open_kept_forms(*runtime, main_server);
    if (const auto opened = open_audit_logs(pconf, *runtime); !opened) {
        log_startup_error(main_server, "PC5010 " + opened.error());
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (auto& site : runtime->sites) {
        // A copy of its own: the object may be shared with virtual hosts that have no site.
        auto* config = pool_make<ServerConfig>(pconf, server_config(site->server));
        config->site = site.get();
        ap_set_module_config(site->server->module_config, &auth_proconnect_module, config);
    }
    load_saved_providers(*runtime, main_server);
    prepare_log_redaction(pconf, main_server);
    keep_trailers_apart(main_server);
    current_runtime = runtime;
    // Registered first, so that it runs after the last snapshot is written.
    apr_pool_cleanup_register(
        pconf, nullptr,
        [](void*) noexcept -> apr_status_t {
            current_runtime = nullptr;
            return APR_SUCCESS;
        },
        apr_pool_cleanup_null);
    if (!start_housekeeping(pconf, main_server)) {
        log_startup_error(main_server, "PC5001 mod_watchdog is needed, which renews ProConnect's keys before they age: write 'LoadModule watchdog_module modules/mod_watchdog.so'");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

void start_child(apr_pool_t* pchild, server_rec* main_server) {
    if (current_runtime == nullptr) {
        return;
    }
    // httpd's handler of SIGTERM calls exit() wherever the signal finds a child that starts; inside an initialization that would crash.
    const auto blocked = SignalsBlocked::only(SIGTERM);
    if (const auto ready = http::CurlClient::initialize_process(); !ready) {
        log_server_failure(main_server, ready.error());
        return;
    }
    // exit() takes OpenSSL down; a thread that is still inside a call would crash. Before the pool's other cleanups, which take down what it uses.
    apr_pool_pre_cleanup_register(pchild, nullptr, [](void*) noexcept -> apr_status_t {
        stop_in_child();
        return APR_SUCCESS;
    });
    if (current_runtime->predecessor) {
        current_runtime->store->set_predecessor(&*current_runtime->predecessor);
    }
    for (auto& site : current_runtime->sites) {
        const auto& settings = *site->site;
        const auto client = [&](std::chrono::seconds timeout) {
            return std::make_unique<http::CurlClient>(
                http::CurlSettings{.timeout = timeout, .ca_file = settings.ca_file, .proxy = settings.proxy, .user_agent = "mod_auth_proconnect"});
        };
        site->http = client(settings.timeout);
        site->background_http = client(std::min(settings.timeout, kRevocationTimeout));
        site->provider = std::make_unique<oidc::ProviderCache>(*site->board, *site->http, settings.client.issuer, settings.timeout);
    }
}

}  // namespace proconnect::httpd
