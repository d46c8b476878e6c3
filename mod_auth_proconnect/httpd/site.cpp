#include "httpd/site.hpp"

#include <strings.h>

#include <algorithm>

#include "crypto/digest.hpp"
#include "httpd/audit.hpp"
#include "httpd/log.hpp"
#include "httpd/secret_source.hpp"
#include "httpd/site_credentials.hpp"
#include "httpd/site_pages.hpp"
#include "httpd/site_problem.hpp"
#include "oidc/platform.hpp"

namespace proconnect::httpd {
namespace {

bool is_off(const Setting<std::string>& setting) {
    return strcasecmp(setting.value.c_str(), "off") == 0;
}

constexpr std::string_view kDefaultScope = "openid given_name usual_name email uid siret idp_id organization_label roles";

/// Fills a Site step by step; each step returns a problem or nothing.
class Resolver {
public:
    Resolver(server_rec* s, const ServerConfig& config, bool run_programs) : server_(s), config_(config), run_programs_(run_programs) {}

    std::expected<std::unique_ptr<Site>, ConfigProblem> run() {
        using Step = std::expected<void, ConfigProblem> (Resolver::*)();
        for (const Step step : {&Resolver::platform, &Resolver::client_id, &Resolver::base_url, &Resolver::addresses, &Resolver::scope, &Resolver::algorithms,
                                &Resolver::credentials, &Resolver::network, &Resolver::session, &Resolver::cookies, &Resolver::logout, &Resolver::pages, &Resolver::audit}) {
            if (auto done = (this->*step)(); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        return std::move(site_);
    }

private:
    using Result = std::expected<void, ConfigProblem>;

    Result platform() {
        if (!config_.platform) {
            return missing("ProConnectPlatform", "write for instance 'ProConnectPlatform integration'");
        }
        auto issuer = oidc::issuer_of_platform(config_.platform->value);
        if (!issuer) {
            return problem(config_.platform->place, issuer.error());
        }
        site_->client.issuer = std::move(*issuer);
        return {};
    }

    Result client_id() {
        if (!config_.client_id) {
            return missing("ProConnectClientID", "write the client_id that ProConnect gave you");
        }
        const auto& [value, place] = *config_.client_id;
        if (value.size() > 255 || !std::ranges::all_of(value, [](unsigned char c) { return c > 0x20 && c < 0x7f; })) {
            return problem(place, "a client_id has no spaces and at most 255 ASCII characters");
        }
        site_->client.client_id = value;
        return {};
    }

    Result base_url() {
        std::string text;
        if (config_.base_url) {
            text = config_.base_url->value;
        } else {
            if (server_->server_hostname == nullptr || *server_->server_hostname == '\0') {
                return missing("ServerName", "write it, or 'ProConnectBaseURL https://your.site'");
            }
            text = std::string{"https://"} + server_->server_hostname;
            if (server_->port != 0 && server_->port != 443 && server_->port != 80) {
                text += ":" + std::to_string(server_->port);
            }
        }
        const Place place = config_.base_url ? config_.base_url->place : config_.platform->place;
        auto url = core::parse_url(text);
        if (!url || !url->query.empty() || !(url->path.empty() || url->path == "/")) {
            return problem(place, "the address of the site must look like https://app.gouv.fr, without a path; not '" + text + "'");
        }
        if (!url->is_https() && !url->is_loopback()) {
            return problem(place, "the address of the site must begin with https:// (http is for tests on this very machine only); not '" + text + "'");
        }
        const bool inherits = config_.inherits_base_url || (server_->is_virtual && config_.owner != server_ && config_.base_url);
        if (inherits && server_->server_hostname != nullptr && strcasecmp(url->host.c_str(), server_->server_hostname) != 0) {
            log_startup_warning(server_, place.text() + ": " + name() + " inherits " + url->origin() + ", where its logins will end; write a ProConnectBaseURL in it");
        }
        site_->origin = url->origin();
        site_->base_url = std::move(*url);
        return {};
    }

    /// A path or URL of this site, as URL in `out` and path in `path_out`.
    Result address(const Optional<std::string>& setting, std::string_view default_path, std::string& out, std::string& path_out) {
        if (!setting) {
            path_out = site_->prefix + std::string{default_path};
            out = site_->origin + path_out;
            return {};
        }
        const auto& [value, place] = *setting;
        if (core::is_local_return_address(value) && !value.contains('?') && value != "/") {
            path_out = value;
            out = site_->origin + value;
            return {};
        }
        const auto url = core::parse_url(value);
        if (!url || !url->query.empty() || url->path.empty() || url->path == "/") {
            return problem(place, "takes a path or a URL of this site, for instance " + site_->prefix + std::string{default_path} + "; not '" + value + "'");
        }
        if (url->origin() != site_->origin) {
            return problem(place, "'" + value + "' is outside the site " + site_->origin + "; write a path, or correct ProConnectBaseURL");
        }
        path_out = url->path;
        out = value;
        return {};
    }

    Result addresses() {
        site_->prefix = config_.prefix ? config_.prefix->value : "/proconnect";
        const auto plain = [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/'; };
        if (config_.prefix && (!site_->prefix.starts_with('/') || site_->prefix.ends_with('/') || site_->prefix.contains("//") || site_->prefix.contains("/.") ||
                               !std::ranges::all_of(site_->prefix, plain))) {
            return problem(config_.prefix->place, "takes a path like /proconnect, without a final slash; not '" + site_->prefix + "'");
        }
        if (auto done = address(config_.redirect_uri, "/callback", site_->client.redirect_uri, site_->callback_path); !done) {
            return done;
        }
        if (auto done = address(config_.post_logout_redirect_uri, "/logged-out", site_->client.post_logout_redirect_uri, site_->logged_out_path); !done) {
            return done;
        }
        for (const char* page : {"/login", "/logout", "/session", "/form", "/jwks"}) {
            if (site_->callback_path == site_->prefix + page || site_->logged_out_path == site_->prefix + page) {
                return problem(config_.redirect_uri ? config_.redirect_uri->place : config_.post_logout_redirect_uri->place,
                               site_->prefix + page + " is a page of its own; take another path");
            }
        }
        if (site_->callback_path == site_->logged_out_path) {
            return problem(config_.redirect_uri ? config_.redirect_uri->place : config_.post_logout_redirect_uri->place,
                           "the redirect URI and the post-logout redirect URI must differ");
        }
        return {};
    }

    Result scope() {
        site_->client.scope = config_.scope ? config_.scope->value : std::string{kDefaultScope};
        const std::string padded = " " + site_->client.scope + " ";
        if (!padded.contains(" openid ")) {
            return problem(config_.scope->place, "must contain openid: write \"openid " + site_->client.scope + "\"");
        }
        return {};
    }

    Result algorithms() {
        auto& client = site_->client;
        const std::string id_token = config_.signing_algorithm ? config_.signing_algorithm->value : "asymmetric";
        auto policy = algorithm_policy(id_token);
        if (!policy) {
            return problem(config_.signing_algorithm->place, "takes asymmetric, ES256, RS256 or HS256; not '" + id_token + "'");
        }
        client.id_token_algorithms = *policy;
        const std::string userinfo = config_.userinfo_algorithm ? config_.userinfo_algorithm->value : "any";
        if (userinfo == "any") {
            // With decryption keys a plain answer must be agreed upon in so many words.
            client.userinfo = {.signed_with = {true, true, true}, .plain_json = config_.decryption_keys.empty()};
        } else if (userinfo == "none") {
            client.userinfo = {.signed_with = {}, .plain_json = true};
        } else if (policy = algorithm_policy(userinfo); policy) {
            client.userinfo = {.signed_with = *policy, .plain_json = false};
        } else {
            return problem(config_.userinfo_algorithm->place, "takes any, asymmetric, ES256, RS256, HS256 or none; not '" + userinfo + "'");
        }
        return {};
    }

    static std::optional<oidc::AlgorithmPolicy> algorithm_policy(std::string_view word) {
        if (word == "asymmetric") {
            return oidc::AlgorithmPolicy::asymmetric();
        }
        const auto algorithm = crypto::parse_signature_algorithm(word);
        if (!algorithm) {
            return std::nullopt;
        }
        using enum crypto::SignatureAlgorithm;
        return oidc::AlgorithmPolicy{.es256 = *algorithm == es256, .rs256 = *algorithm == rs256, .hs256 = *algorithm == hs256};
    }

    Result credentials() { return resolve_credentials(server_, config_, run_programs_, *site_); }

    Result network() {
        if (config_.ca_file) {
            site_->ca_file = config_.ca_file->value;
            if (const auto content = read_secret_file(site_->ca_file, 4 * 1024 * 1024); !content) {
                return problem(config_.ca_file->place, "'" + site_->ca_file + "' " + content.error());
            } else if (!content->reveal().contains("-----BEGIN CERTIFICATE-----")) {
                return problem(config_.ca_file->place, "'" + site_->ca_file + "' holds no certificate in PEM form");
            }
        }
        if (config_.proxy) {
            site_->proxy = config_.proxy->value;
            const auto scheme_end = site_->proxy.find("://");
            const auto scheme = site_->proxy.substr(0, scheme_end == std::string::npos ? 0 : scheme_end);
            if (scheme != "http" && scheme != "https" && scheme != "socks5h") {
                return problem(config_.proxy->place, "takes a URL like http://proxy.example.fr:3128");   // not repeated: it may hold a password
            }
        }
        site_->timeout = config_.timeout ? config_.timeout->value : std::chrono::seconds{10};
        if (site_->timeout > std::chrono::minutes{2}) {
            return problem(config_.timeout->place, "takes at most 2m: each waiting login holds a worker of the server");
        }
        site_->client.clock_skew = config_.clock_skew ? config_.clock_skew->value : std::chrono::seconds{60};
        if (site_->client.clock_skew > std::chrono::minutes{10}) {
            return problem(config_.clock_skew->place, "takes at most 10m; set the clock of the server instead");
        }
        return {};
    }

    Result session() {
        if (config_.session_store && config_.session_store->value != "shm") {
            return problem(config_.session_store->place, "takes shm");   // not repeated: it may hold a password
        }
        site_->session_lifetime = config_.session_lifetime ? config_.session_lifetime->value : std::chrono::hours{12};
        site_->session_idle = config_.session_idle ? config_.session_idle->value : std::min<std::chrono::seconds>(std::chrono::hours{1}, site_->session_lifetime);
        if (site_->session_idle > site_->session_lifetime) {
            return problem(config_.session_idle->place, "is longer than ProConnectSessionLifetime; a session never lasts longer than that");
        }
        const auto digest = crypto::sha256("realm 1\n" + std::to_string(site_->client.issuer.size()) + ':' + site_->client.issuer + '\n' + site_->client.client_id);
        if (!digest) {
            return Problem{{"OpenSSL cannot compute SHA-256: " + digest.error().detail}};
        }
        std::copy_n(digest->begin(), site_->realm.size(), site_->realm.begin());
        return {};
    }

    Result cookies() {
        site_->secure_cookies = site_->base_url.is_https();
        site_->cookie_name = config_.cookie_name ? config_.cookie_name->value : site_->secure_cookies ? "__Host-proconnect" : "proconnect";
        const auto is_token = [](unsigned char c) { return (c > 0x20 && c < 0x7f) && std::string_view{"()<>@,;:\\\"/[]?={}"}.find(static_cast<char>(c)) == std::string_view::npos; };
        if (site_->cookie_name.size() > 64 || !std::ranges::all_of(site_->cookie_name, is_token)) {
            return problem(config_.cookie_name->place, "takes a cookie name: letters, digits, - and _");
        }
        if (!site_->secure_cookies && site_->cookie_name.starts_with("__")) {
            return problem(config_.cookie_name->place, "browsers accept the prefix __Host- on https only");
        }
        if (site_->secure_cookies && !site_->cookie_name.starts_with("__Host-")) {
            log_startup_warning(server_, config_.cookie_name->place.text() + ": without the prefix __Host- another site of the same domain can plant this cookie; "
                                                                             "write '__Host-" + site_->cookie_name + "'");
        }
        site_->login_cookie_name = site_->cookie_name + "-login";
        site_->silent_cookie_name = site_->cookie_name + "-silent";
        return {};
    }

    Result logout() {
        site_->local_logout = config_.logout_local && config_.logout_local->value;
        if (config_.logout_cookies) {
            site_->logout_cookies = config_.logout_cookies->value;
            for (const auto& cookie : site_->logout_cookies) {
                const auto name = cookie.substr(0, cookie.find('@'));
                if (name == site_->cookie_name || name == site_->login_cookie_name || name == site_->silent_cookie_name) {
                    return problem(config_.logout_cookies->place, "names '" + name + "', which is the module's own and cleared anyway; leave it out");
                }
            }
        }
        for (const auto& word : config_.logout_clear ? config_.logout_clear->value : std::vector<std::string>{"cache"}) {
            site_->clear_site_data += (site_->clear_site_data.empty() ? "\"" : ", \"") + word + '"';
        }
        return {};
    }

    Result pages() { return resolve_pages(server_, config_, *site_); }

    Result audit() {
        if (!config_.audit_log || is_off(*config_.audit_log)) {
            return {};
        }
        if (auto wrong = check_audit_destination(config_.audit_log->value); !wrong.empty()) {
            return problem(config_.audit_log->place, wrong);
        }
        site_->audit_log = config_.audit_log->value;
        return {};
    }

    /// Something that stands nowhere is missed beside the first directive that is there.
    [[nodiscard]] Problem missing(const std::string& directive, const std::string& advice) const { return missing_directive(server_, config_, directive, advice); }
    [[nodiscard]] std::string name() const { return name_of(server_); }

    server_rec* server_;
    const ServerConfig& config_;
    bool run_programs_;
    std::unique_ptr<Site> site_ = std::make_unique<Site>();
};

}  // namespace

std::expected<std::unique_ptr<Site>, ConfigProblem> resolve_site(server_rec* s, const ServerConfig& config, bool run_programs) {
    return Resolver{s, config, run_programs}.run();
}

std::expected<StoreSettings, ConfigProblem> resolve_store(server_rec* main_server) {
    StoreSettings settings;
    const Setting<std::string>* snapshot = nullptr;
    const Setting<std::string>* server_key = nullptr;
    // One table serves all virtual hosts: the largest size is taken, and a file may be named only once or always alike.
    const auto same = [](const Setting<std::string>*& known, const Optional<std::string>& next) {
        if (next && known == nullptr) {
            known = &*next;
        }
        return !next || known->value == next->value;
    };
    bool first_size = true;
    bool first_memory = true;
    for (const server_rec* s = main_server; s != nullptr; s = s->next) {
        const auto& config = server_config(s);
        if (config.session_max) {
            const auto size = static_cast<std::size_t>(config.session_max->value);
            settings.session_max = first_size ? size : std::max(settings.session_max, size);
            first_size = false;
        }
        if (config.keep_post_memory) {
            settings.keep_post_memory = first_memory ? config.keep_post_memory->value : std::max(settings.keep_post_memory, config.keep_post_memory->value);
            first_memory = false;
        }
        if (!same(snapshot, config.session_snapshot)) {
            return problem(config.session_snapshot->place, "another file is named by " + snapshot->place.text() + "; one file serves all virtual hosts");
        }
        if (!same(server_key, config.server_key)) {
            return problem(config.server_key->place, "another file is named by " + server_key->place.text() + "; one key serves all virtual hosts");
        }
    }
    for (const auto* setting : {snapshot, server_key}) {
        if (setting != nullptr && !(setting == snapshot && is_off(*snapshot)) && !setting->value.starts_with('/')) {
            return problem(setting->place, "takes a full path; not '" + setting->value + "'");
        }
    }
    if (snapshot != nullptr) {
        settings.snapshot = is_off(*snapshot) ? "" : snapshot->value;
    }
    if (server_key != nullptr) {
        settings.server_key = server_key->value;
        settings.server_key_place = server_key->place.text();
    }
    return settings;
}

}  // namespace proconnect::httpd
