#pragma once
#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include <httpd.h>

#include "core/url.hpp"
#include "httpd/config.hpp"
#include "oidc/relying_party.hpp"
#include "page/layout.hpp"
#include "session/session_store.hpp"

namespace proconnect::httpd {

/// A mistake in the configuration: one sentence that says which directive, where, and what to write instead.
struct ConfigProblem {
    std::string sentence;
};

/// What the directives of one virtual host mean together: checked, with defaults filled in. Made at start, immutable.
struct Site {
    oidc::RelyingParty client;
    core::Url base_url;
    std::string origin;                       ///< scheme://host[:port] of the base URL
    std::string prefix;                       ///< "/proconnect"
    std::string callback_path, logged_out_path;
    std::string cookie_name, login_cookie_name, silent_cookie_name;
    bool secure_cookies = true;
    std::string service_name, support;        ///< support: "mailto:…", a URL, or ""
    std::string alternative_text, alternative_address;   ///< for people who cannot use ProConnect; "" = none
    std::string notice_file;                  ///< "" = none
    page::Look look;
    std::string ca_file, proxy;
    std::chrono::seconds timeout{10}, session_idle{3600}, session_lifetime{12 * 3600};
    session::RealmTag realm{};
    bool local_logout = false;                ///< ProConnect's own session is left alone
    std::vector<std::string> logout_cookies;  ///< NAME or NAME@/path
    std::string clear_site_data;              ///< value of the header, "" = none
    std::string public_jwks;                  ///< RFC 7517: the public halves of our keys, for the registration; "" when we have none
    std::string audit_log;                    ///< destination; "" = off
    bool client_secret_in_config = false;     ///< for the warning about readable configuration files
};

/// Reads secrets and keys too. exec: programs run only when `run_programs` (at a real start, not at configtest).
std::expected<std::unique_ptr<Site>, ConfigProblem> resolve_site(server_rec* s, const ServerConfig& config, bool run_programs);

/// Values of the whole server, from the main server or the only virtual host that gives them.
struct StoreSettings {
    std::size_t session_max = 100'000;
    std::size_t keep_post_memory = 16 * 1024 * 1024;                 ///< touched only as forms come
    std::string snapshot = "/var/lib/apache2/proconnect/sessions";   ///< "" = off
    std::string server_key = "/var/lib/apache2/proconnect/server.key";
    std::string server_key_place = "ProConnectServerKey (its default)";
};
std::expected<StoreSettings, ConfigProblem> resolve_store(server_rec* main_server);

}  // namespace proconnect::httpd
