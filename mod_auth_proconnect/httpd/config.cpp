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

ServerConfig* merged_server_config(apr_pool_t* pool, const ServerConfig& base, const ServerConfig& own) {
    auto* merged = pool_make<ServerConfig>(pool, own);
    for (const auto field : {&ServerConfig::platform, &ServerConfig::client_id, &ServerConfig::client_secret, &ServerConfig::client_key,
                             &ServerConfig::token_endpoint_auth, &ServerConfig::base_url, &ServerConfig::prefix, &ServerConfig::redirect_uri,
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
    if (merged->decryption_keys.empty()) {
        merged->decryption_keys = base.decryption_keys;
    }
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
