#include "httpd/config.hpp"

#include "httpd/guard.hpp"
#include "httpd/pool.hpp"

namespace proconnect::httpd {
namespace {

template <typename T>
void inherit(std::optional<T>& own, const std::optional<T>& base) {
    if (!own) {
        own = base;
    }
}

/// Not another than the main server's: left out there or here, or the same.
bool is_same(const Optional<std::string>& own, const Optional<std::string>& base) {
    return !own || !base || own->value == base->value;
}

/// What proves who we are goes to the provider it was made for, in the name of the client that has it, and nowhere else. A secret or key of the virtual
/// host's own stands in for both.
void inherit_credentials(ServerConfig& merged, const ServerConfig& base, const ServerConfig& own) {
    const bool same_client = is_same(own.platform, base.platform) && is_same(own.client_id, base.client_id);
    const bool has_own = own.client_secret || own.client_key;
    if (!same_client) {
        const auto& elsewhere = base.client_secret ? base.client_secret : base.client_key;
        merged.credentials_of_another = elsewhere ? std::optional{elsewhere->place} : std::nullopt;
    } else if (!has_own) {
        merged.client_secret = base.client_secret;
        merged.client_key = base.client_key;
        merged.credentials_of_another = base.credentials_of_another;
    }
    if (same_client && own.decryption_keys.empty()) {
        merged.decryption_keys = base.decryption_keys;
    }
    // A way that they do not serve is no wish for them.
    const bool serves = base.token_endpoint_auth && (base.token_endpoint_auth->value == "private_key_jwt" ? merged.client_key : merged.client_secret);
    if (!own.token_endpoint_auth && serves) {
        merged.token_endpoint_auth = base.token_endpoint_auth;
    }
}

ServerConfig* merged_server_config(apr_pool_t* pool, const ServerConfig& base, const ServerConfig& own) {
    auto* merged = pool_make<ServerConfig>(pool, own);
    for (const auto field : {&ServerConfig::platform, &ServerConfig::client_id, &ServerConfig::base_url, &ServerConfig::prefix, &ServerConfig::redirect_uri,
                             &ServerConfig::post_logout_redirect_uri, &ServerConfig::scope, &ServerConfig::signing_algorithm,
                             &ServerConfig::userinfo_algorithm, &ServerConfig::ca_file, &ServerConfig::proxy, &ServerConfig::session_store,
                             &ServerConfig::session_snapshot, &ServerConfig::server_key, &ServerConfig::cookie_name, &ServerConfig::service_name,
                             &ServerConfig::support, &ServerConfig::notice, &ServerConfig::button_image, &ServerConfig::pages,
                             &ServerConfig::audit_log}) {
        inherit(merged->*field, base.*field);
    }
    for (const auto field : {&ServerConfig::clock_skew, &ServerConfig::timeout, &ServerConfig::session_idle, &ServerConfig::session_lifetime}) {
        inherit(merged->*field, base.*field);
    }
    inherit(merged->session_max, base.session_max);
    inherit(merged->logout_local, base.logout_local);
    inherit(merged->keep_post_memory, base.keep_post_memory);
    inherit(merged->logout_cookies, base.logout_cookies);
    inherit(merged->logout_clear, base.logout_clear);
    inherit(merged->alternative, base.alternative);
    inherit_credentials(*merged, base, own);
    merged->inherits_base_url = !own.base_url && base.base_url;
    return merged;
}

}  // namespace

std::string Place::text() const {
    return std::string{directive} + " at " + (file != nullptr ? file : "the command line") + ":" + std::to_string(line);
}

ServerConfig& server_config(const server_rec* s) {
    return *static_cast<ServerConfig*>(ap_get_module_config(s->module_config, &auth_proconnect_module));
}

const DirectoryConfig& directory_config(const request_rec* r) {
    return *static_cast<const DirectoryConfig*>(ap_get_module_config(r->per_dir_config, &auth_proconnect_module));
}

void* create_server_config(apr_pool_t* pool, server_rec* s) noexcept {
    return guarded_configuration(pool, [&] {
        auto* config = pool_make<ServerConfig>(pool);
        config->owner = s;
        return config;
    });
}

void* merge_server_config(apr_pool_t* pool, void* base_config, void* own_config) noexcept {
    return guarded_configuration(
        pool, [&] { return merged_server_config(pool, *static_cast<const ServerConfig*>(base_config), *static_cast<const ServerConfig*>(own_config)); });
}

void* create_directory_config(apr_pool_t* pool, char*) noexcept {
    return guarded_configuration(pool, [&] { return pool_make<DirectoryConfig>(pool); });
}

void* merge_directory_config(apr_pool_t* pool, void* base_config, void* own_config) noexcept {
    const auto& base = *static_cast<const DirectoryConfig*>(base_config);
    auto* merged = static_cast<DirectoryConfig*>(
        guarded_configuration(pool, [&] { return pool_make<DirectoryConfig>(pool, *static_cast<const DirectoryConfig*>(own_config)); }));
    const auto inherit_from_base = [&](auto... fields) { ((merged->*fields = merged->*fields != nullptr ? merged->*fields : base.*fields), ...); };
    inherit_from_base(&DirectoryConfig::unauthenticated, &DirectoryConfig::remote_user, &DirectoryConfig::headers, &DirectoryConfig::header_encoding,
                      &DirectoryConfig::idp_hint, &DirectoryConfig::login_hint, &DirectoryConfig::siret_hint, &DirectoryConfig::prompt_login,
                      &DirectoryConfig::extend_session, &DirectoryConfig::keep_post, &DirectoryConfig::refusal,
                      &DirectoryConfig::conditions);
    return merged;
}

}  // namespace proconnect::httpd
