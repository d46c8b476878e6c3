#pragma once
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <httpd.h>

#include "http/curl_client.hpp"
#include "http/wait_slots.hpp"
#include "httpd/provider_refresh.hpp"
#include "httpd/site.hpp"
#include "oidc/provider_board.hpp"
#include "oidc/provider_cache.hpp"
#include "session/kept_forms.hpp"
#include "session/server_key.hpp"
#include "session/shm_store.hpp"

namespace proconnect::httpd {

class AuditLog;

/// Of a call that nobody waits for.
inline constexpr std::chrono::seconds kRevocationTimeout{3};

/// One virtual host that logs people in, while httpd runs.
struct SiteRuntime {
    std::unique_ptr<Site> site;
    server_rec* server = nullptr;
    std::optional<oidc::ProviderBoard> board;              ///< shared by all processes and by the sites of one issuer
    bool board_is_new = false;                             ///< no child knows it yet
    // Made in each child after the fork:
    std::unique_ptr<http::CurlClient> http;
    std::unique_ptr<http::CurlClient> background_http;     ///< for calls nobody waits for: a shorter time-out
    std::unique_ptr<oidc::ProviderCache> provider;
    AuditLog* audit = nullptr;                       ///< one of the runtime's; null = off
    bool provider_failing = false;                         ///< known to the background, for its log lines
    ProviderRefresh refresh;                               ///< the last member, so that its thread goes first
};

/// What all sites share. Made once per configuration generation, in the parent; children inherit it.
struct Runtime {
    StoreSettings settings;
    session::ServerKeys keys;
    std::optional<session::ShmStore> store;
    std::optional<session::ShmStore> predecessor;          ///< a smaller table that older children still use
    std::optional<http::WaitSlots> wait_slots;
    std::optional<session::KeptForms> kept_forms;          ///< nothing when there is no memory for them
    std::vector<std::unique_ptr<SiteRuntime>> sites;
    std::map<std::string, std::unique_ptr<AuditLog>> audit_logs;   ///< by destination
    pid_t parent = 0;
    core::UnixTime last_snapshot{};
    Runtime();
    ~Runtime();
};

/// What decides which answers of the provider a site believes: sites share what is known of it only when they ask the same issuer, trust the same
/// authorities and go through the same proxy.
inline std::string provider_way(const Site& site) {
    return site.client.issuer + '\n' + site.ca_file + '\n' + site.proxy;
}

/// The runtime of this generation; null while httpd only tests its configuration, or when no site uses ProConnect.
Runtime* runtime() noexcept;

/// The site of a virtual host, or null.
inline SiteRuntime* site_of(const server_rec* s) {
    return server_config(s).site;
}

// Hook bodies; see mod_auth_proconnect.cpp.

/// Resolves every virtual host and says the first mistake on the terminal: `apachectl configtest`.
int check_configuration(apr_pool_t* pconf, server_rec* main_server);
/// Reads keys, attaches or makes the shared memory, loads the snapshot.
int start(apr_pool_t* pconf, server_rec* main_server);
/// Makes what must not be shared across a fork.
void start_child(apr_pool_t* pchild, server_rec* main_server);

}  // namespace proconnect::httpd
