#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <httpd.h>
#include <http_config.h>
#include <ap_expr.h>

/// The one symbol the module exports: httpd looks it up by name, everything else is hidden.
extern "C" __attribute__((visibility("default"))) module auth_proconnect_module;

namespace proconnect::httpd {

/// Where a directive stands, for messages.
struct Place {
    const char* directive = nullptr;
    const char* file = nullptr;
    unsigned line = 0;

    [[nodiscard]] std::string text() const;   ///< "ProConnectScope at /etc/apache2/…:12"
};

template <typename T>
struct Setting {
    T value{};
    Place place;
};

template <typename T>
using Optional = std::optional<Setting<T>>;

/// A link.
struct TextAndAddress {
    std::string text, address;
};

struct SiteRuntime;

/// What stands in one server or virtual host; merged field by field, the virtual host's own wins; but see
/// inherit_credentials().
struct ServerConfig {
    Optional<std::string> platform, client_id, client_secret, client_key, token_endpoint_auth;
    Optional<std::string> base_url, prefix, redirect_uri, post_logout_redirect_uri, scope;
    Optional<std::string> signing_algorithm, userinfo_algorithm;
    std::vector<Setting<std::string>> decryption_keys;
    Optional<std::chrono::seconds> clock_skew, timeout, session_idle, session_lifetime;
    Optional<std::string> ca_file, proxy, session_store, session_snapshot, server_key, cookie_name, service_name, support, audit_log;
    Optional<std::string> notice, button_image, pages;
    Optional<TextAndAddress> alternative;
    Optional<long> session_max;
    Optional<bool> logout_local;
    Optional<std::size_t> keep_post_memory;
    Optional<std::vector<std::string>> logout_cookies, logout_clear;

    std::optional<Place> credentials_of_another;   ///< those of the main server, not taken over: this is another client
    bool inherits_base_url = false;
    const server_rec* owner = nullptr;        ///< httpd lets a virtual host without a directive of ours share the main server's object
    std::optional<Place> own;                 ///< the first directive of ours in this very server
    struct SiteRuntime* site = nullptr;       ///< set at start where logins are possible
};

enum class Unauthenticated { login, page, silent, deny, pass };
enum class HeaderEncoding { percent, base64url, utf8 };

/// A value that is fixed text or an expression evaluated for each request.
struct TextOrExpression {
    std::string text;
    const ap_expr_info_t* expression = nullptr;
};

/// A claim, and the variable it is found under in a session.
struct ClaimName {
    std::string claim, variable;
};

/// What stands in one <Location>, <Directory>, <If> or .htaccess. Pointers only (null: not given), into the pool of the configuration: httpd merges
/// these for each request, which must neither allocate nor copy texts.
struct DirectoryConfig {
    const Setting<Unauthenticated>* unauthenticated = nullptr;
    const Setting<ClaimName>* remote_user = nullptr;
    const Setting<std::vector<std::string>>* headers = nullptr;    ///< variables to pass; empty = off, "*" = all
    const Setting<HeaderEncoding>* header_encoding = nullptr;
    const Setting<TextOrExpression>* idp_hint = nullptr;
    const Setting<TextOrExpression>* login_hint = nullptr;
    const Setting<TextOrExpression>* siret_hint = nullptr;
    const Setting<bool>* prompt_login = nullptr;
    const Setting<bool>* extend_session = nullptr;
    const Setting<std::size_t>* keep_post = nullptr;               ///< bytes; 0 = off
    const Setting<std::string>* refusal = nullptr;                 ///< what a refused user is told instead of the rule's own sentence
    const Setting<std::string>* conditions = nullptr;
};

/// Of a form that is kept while its user logs in again.
inline constexpr std::size_t kDefaultKeepPostBytes = 64 * 1024;

ServerConfig& server_config(const server_rec* s);
const DirectoryConfig& directory_config(const request_rec* r);

// The configuration callbacks of the module record, all noexcept.
void* create_server_config(apr_pool_t* pool, server_rec* s) noexcept;
void* merge_server_config(apr_pool_t* pool, void* base, void* overriding) noexcept;
void* create_directory_config(apr_pool_t* pool, char* directory) noexcept;
void* merge_directory_config(apr_pool_t* pool, void* base, void* overriding) noexcept;

extern const command_rec kDirectives[];

/// "90s", "15m", "1h", "2d"; nothing for anything else, zero, or more than a year.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace proconnect::httpd
