// The directives: reading and checking of each value on its own. What values mean together is checked in site.cpp.
#include <strings.h>

#include <algorithm>
#include <charconv>

#include "access/rule.hpp"
#include "core/suggest.hpp"
#include "httpd/config.hpp"
#include "httpd/guard.hpp"
#include "httpd/pool.hpp"
#include "json/utf8.hpp"
#include "session/session.hpp"

namespace proconnect::httpd {
namespace {

Place place_of(const cmd_parms* cmd) {
    return {.directive = cmd->cmd->name, .file = cmd->directive->filename, .line = static_cast<unsigned>(cmd->directive->line_num)};
}

const char* complaint(const cmd_parms* cmd, const std::string& text) {
    return pool_copy(cmd->pool, std::string{cmd->cmd->name} + " " + text);
}

// A directive of the server inside <Location> would silently apply to the whole server.
const char* check_server_context(cmd_parms* cmd) {
    if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT)) {
        return wrong;
    }
    auto& config = server_config(cmd->server);
    if (!config.own) {
        config.own = place_of(cmd);
    }
    return nullptr;
}

template <typename T>
const char* store_once(cmd_parms* cmd, Optional<T>& setting, T value) {
    if (setting) {
        return complaint(cmd, "is given twice here; the other is " + setting->place.text());
    }
    setting = Setting<T>{std::move(value), place_of(cmd)};
    return nullptr;
}

template <typename T>
const char* store_once(cmd_parms* cmd, const Setting<T>*& setting, T value) {
    // <Limit> is for Require: what stands in it beside would hold for all methods.
    if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_LIMIT)) {
        return wrong;
    }
    if (setting != nullptr) {
        return complaint(cmd, "is given twice here; the other is " + setting->place.text());
    }
    setting = pool_make<Setting<T>>(cmd->pool, std::move(value), place_of(cmd));
    return nullptr;
}

const char* check_plain_text(cmd_parms* cmd, std::string_view text) {
    const bool printable = std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
    return text.empty() || !printable ? complaint(cmd, "needs a value without control characters") : nullptr;
}

template <auto Field>
const char* set_text(cmd_parms* cmd, void*, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        if (const char* wrong = check_plain_text(cmd, argument)) return wrong;
        return store_once<std::string>(cmd, server_config(cmd->server).*Field, argument);
    });
}

template <auto Field>
const char* set_duration(cmd_parms* cmd, void*, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        const auto duration = parse_duration(argument);
        if (!duration) {
            return complaint(cmd, "takes a number with a unit (s, m, h or d), for instance 90s or 12h; not '" + std::string{argument} + "'");
        }
        return store_once(cmd, server_config(cmd->server).*Field, *duration);
    });
}

const char* set_session_max(cmd_parms* cmd, void*, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        const std::string_view text{argument};
        long value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size() || value < 10 || value > 10'000'000) {
            return complaint(cmd, "takes a number of sessions from 10 to 10000000");
        }
        return store_once(cmd, server_config(cmd->server).session_max, value);
    });
}

const char* check_page_text(cmd_parms* cmd, std::string_view text) {
    if (const char* wrong = check_plain_text(cmd, text)) return wrong;
    return json::is_valid_utf8(text) ? nullptr : complaint(cmd, "needs a text in UTF-8");
}

const char* set_alternative(cmd_parms* cmd, void*, const char* address, const char* text) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        if (const char* wrong = check_plain_text(cmd, address)) return wrong;
        if (const char* wrong = check_page_text(cmd, text)) return wrong;
        return store_once<TextAndAddress>(cmd, server_config(cmd->server).alternative, {.text = text, .address = address});
    });
}

const char* set_conditions(cmd_parms* cmd, void* directory, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_page_text(cmd, argument)) return wrong;
        return store_once<std::string>(cmd, static_cast<DirectoryConfig*>(directory)->conditions, argument);
    });
}

const char* add_decryption_key(cmd_parms* cmd, void*, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        auto& keys = server_config(cmd->server).decryption_keys;
        if (keys.size() == 4) {
            return complaint(cmd, "is given more than four times");
        }
        keys.push_back({argument, place_of(cmd)});
        return nullptr;
    });
}

/// As httpd reads its own: On is on.
bool is_word(const char* argument, const char* word) {
    return strcasecmp(argument, word) == 0;
}

struct Word {
    const char* name;
    int value;
};

template <typename T, auto Field, const auto& Words>
const char* set_word(cmd_parms* cmd, void* directory, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        std::string known;
        for (const auto& [name, value] : Words) {
            if (is_word(argument, name)) {
                return store_once(cmd, static_cast<DirectoryConfig*>(directory)->*Field, static_cast<T>(value));
            }
            known += (known.empty() ? "" : ", ") + std::string{name};
        }
        return complaint(cmd, "takes one of " + known + "; not '" + argument + "'");
    });
}

constexpr Word kUnauthenticatedWords[] = {{"login", static_cast<int>(Unauthenticated::login)},
                                          {"page", static_cast<int>(Unauthenticated::page)},
                                          {"silent", static_cast<int>(Unauthenticated::silent)},
                                          {"deny", static_cast<int>(Unauthenticated::deny)},
                                          {"pass", static_cast<int>(Unauthenticated::pass)}};
constexpr Word kEncodingWords[] = {{"percent", static_cast<int>(HeaderEncoding::percent)},
                                   {"base64url", static_cast<int>(HeaderEncoding::base64url)},
                                   {"utf8", static_cast<int>(HeaderEncoding::utf8)}};
constexpr Word kPromptWords[] = {{"login", 1}, {"off", 0}};
constexpr Word kOnOffWords[] = {{"on", 1}, {"off", 0}};

template <auto Field>
const char* set_text_or_expression(cmd_parms* cmd, void* directory, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        TextOrExpression value;
        const std::string_view text{argument};
        if (strncasecmp(argument, "expr=", 5) == 0) {
            const char* error = nullptr;
            value.expression = ap_expr_parse_cmd_mi(cmd, argument + 5, AP_EXPR_FLAG_STRING_RESULT | AP_EXPR_FLAG_RESTRICTED, &error, nullptr, auth_proconnect_module.module_index);
            if (error != nullptr) {
                return complaint(cmd, "has an expression that cannot be read: " + std::string{error});
            }
        } else {
            if (const char* wrong = check_plain_text(cmd, text)) return wrong;
            value.text = text;
        }
        return store_once(cmd, static_cast<DirectoryConfig*>(directory)->*Field, std::move(value));
    });
}

const char* check_claim_name(cmd_parms* cmd, std::string_view name) {
    const auto allowed = [](unsigned char c) { return (c > 0x20 && c < 0x7f) && c != '"' && c != '\\' && c != ';' && c != ','; };
    return name.empty() || !std::ranges::all_of(name, allowed) ? complaint(cmd, "takes names of claims, for instance email or custom.service") : nullptr;
}

/// One that nothing will ever be found under, most likely: the provider may know more claims than this module.
void warn_of_unknown_claim(const cmd_parms* cmd, std::string_view name) {
    const auto known = access::known_claims();
    if (name.starts_with("custom.") || std::ranges::find(known, name) != known.end()) {
        return;
    }
    const auto nearest = core::nearest_word(name, known);
    log_startup_warning(cmd->server, place_of(cmd).text() + ": " + printable(name) + " is no claim that ProConnect is known to give" +
                                         (nearest.empty() ? "" : "; did you mean " + std::string{nearest} + "?"));
}

const char* set_remote_user(cmd_parms* cmd, void* directory, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_claim_name(cmd, argument)) return wrong;
        warn_of_unknown_claim(cmd, argument);
        if (std::string_view{argument} != "sub") {
            log_startup_warning(cmd->server, place_of(cmd).text() + ": " + printable(argument) + " may change or pass to somebody else; only sub stays one person's");
        }
        return store_once<ClaimName>(cmd, static_cast<DirectoryConfig*>(directory)->remote_user, {argument, session::variable_name(argument)});
    });
}

const char* set_headers(cmd_parms* cmd, void* directory, int count, char* const arguments[]) noexcept {
    return guarded_setter([&]() -> const char* {
        if (count == 0) {
            return complaint(cmd, "takes on, off or a list of claims");
        }
        std::vector<std::string> names;
        for (int i = 0; i < count; ++i) {
            const char* const name = arguments[i];
            const bool on = is_word(name, "on");
            const bool off = is_word(name, "off");
            if ((on || off) && count > 1) {
                return complaint(cmd, "takes on, off or a list of claims, not both");
            }
            if (on) {
                names.emplace_back("*");
            } else if (!off) {
                if (const char* wrong = check_claim_name(cmd, name)) return wrong;
                warn_of_unknown_claim(cmd, name);
                names.push_back(session::variable_name(name));
            }
        }
        return store_once(cmd, static_cast<DirectoryConfig*>(directory)->headers, std::move(names));
    });
}

const char* set_refusal(cmd_parms* cmd, void* directory, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_plain_text(cmd, argument)) return wrong;
        return store_once<std::string>(cmd, static_cast<DirectoryConfig*>(directory)->refusal, argument);
    });
}

/// "64k", "5m" or bytes.
std::optional<std::size_t> parse_size(std::string_view text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit{end, text.data() + text.size()};
    const std::size_t factor = unit.empty() ? 1 : unit == "k" || unit == "K" ? 1024 : unit == "m" || unit == "M" ? 1024 * 1024 : 0;
    constexpr std::size_t kMost = std::size_t{1} << 30;
    return error != std::errc{} || factor == 0 || number == 0 || number > kMost / factor ? std::nullopt : std::optional{number * factor};
}

const char* set_keep_post(cmd_parms* cmd, void* directory, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        const std::string_view text{argument};
        const auto size = is_word(argument, "off") ? std::optional<std::size_t>{0} : parse_size(text);
        if (!size || *size > 16 * 1024 * 1024) {
            return complaint(cmd, "takes off, or the largest form that is kept, at most 16m, for instance 64k; not '" + std::string{text} + "'");
        }
        return store_once(cmd, static_cast<DirectoryConfig*>(directory)->keep_post, *size);
    });
}

const char* set_keep_post_memory(cmd_parms* cmd, void*, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        const auto size = parse_size(argument);
        if (!size || *size < 64 * 1024) {
            return complaint(cmd, "takes the memory for all kept forms, from 64k to 1024m, for instance 16m; not '" + std::string{argument} + "'");
        }
        return store_once(cmd, server_config(cmd->server).keep_post_memory, *size);
    });
}

const char* set_logout(cmd_parms* cmd, void*, const char* argument) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        const bool local = is_word(argument, "local");
        if (!local && !is_word(argument, "proconnect")) {
            return complaint(cmd, "takes one of proconnect, local; not '" + std::string{argument} + "'");
        }
        return store_once(cmd, server_config(cmd->server).logout_local, local);
    });
}

/// NAME or NAME@/path.
bool is_cookie_to_clear(std::string_view text) {
    const auto at = text.find('@');
    const auto name = text.substr(0, at);
    const auto path = at == std::string_view::npos ? std::string_view{"/"} : text.substr(at + 1);
    const auto is_token = [](unsigned char c) { return c > 0x20 && c < 0x7f && std::string_view{"()<>@,;:\\\"/[]?={}"}.find(static_cast<char>(c)) == std::string_view::npos; };
    const auto is_path = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ';' && c != ','; };
    return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, is_token) && path.starts_with('/') && path.size() <= 256 && std::ranges::all_of(path, is_path);
}

const char* set_logout_cookies(cmd_parms* cmd, void*, int count, char* const arguments[]) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        const std::vector<std::string> names(arguments, arguments + count);
        if (names.empty() || names.size() > 16 || !std::ranges::all_of(names, is_cookie_to_clear)) {
            return complaint(cmd, "takes up to 16 names of cookies of the application, each with @/path where it is not /, for instance PHPSESSID or JSESSIONID@/app");
        }
        return store_once(cmd, server_config(cmd->server).logout_cookies, names);
    });
}

const char* set_logout_clear(cmd_parms* cmd, void*, int count, char* const arguments[]) noexcept {
    return guarded_setter([&]() -> const char* {
        if (const char* wrong = check_server_context(cmd)) return wrong;
        std::vector<std::string> words(arguments, arguments + count);
        for (auto& word : words) {
            std::ranges::transform(word, word.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
        }
        const bool off = words == std::vector<std::string>{"off"};
        if (words.empty() || (!off && !std::ranges::all_of(words, [](const std::string& word) { return word == "cache" || word == "storage"; }))) {
            return complaint(cmd, "takes off, or cache and storage: what the browser is asked to forget of this site");
        }
        if (off) {
            words.clear();
        }
        return store_once(cmd, server_config(cmd->server).logout_clear, std::move(words));
    });
}

constexpr int kServer = RSRC_CONF;
constexpr int kAnywhere = RSRC_CONF | OR_AUTHCFG;

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end + 1 != text.data() + text.size() || number <= 0) {
        return std::nullopt;
    }
    long unit = 0;
    switch (*end) {
        case 's': unit = 1; break;
        case 'm': unit = 60; break;
        case 'h': unit = 3600; break;
        case 'd': unit = 86400; break;
        default: return std::nullopt;
    }
    constexpr long kYear = 365 * 86400;
    if (number > kYear / unit) {
        return std::nullopt;
    }
    return std::chrono::seconds{number * unit};
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"  // httpd's table macros use designated initializers of a C union
const command_rec kDirectives[] = {
    AP_INIT_TAKE1("ProConnectPlatform", set_text<&ServerConfig::platform>, nullptr, kServer,
                  "production, integration, rie-production, rie-integration, or an issuer URL"),
    AP_INIT_TAKE1("ProConnectClientID", set_text<&ServerConfig::client_id>, nullptr, kServer, "client_id given by ProConnect"),
    AP_INIT_TAKE1("ProConnectClientSecret", set_text<&ServerConfig::client_secret>, nullptr, kServer, "file:PATH, exec:PROGRAM, env:NAME or the secret itself"),
    AP_INIT_TAKE1("ProConnectClientKey", set_text<&ServerConfig::client_key>, nullptr, kServer, "PEM file of the private key for private_key_jwt"),
    AP_INIT_TAKE1("ProConnectTokenEndpointAuth", set_text<&ServerConfig::token_endpoint_auth>, nullptr, kServer,
                  "client_secret_post, private_key_jwt or client_secret_basic"),
    AP_INIT_TAKE1("ProConnectBaseURL", set_text<&ServerConfig::base_url>, nullptr, kServer, "public address of the site, for instance https://app.gouv.fr"),
    AP_INIT_TAKE1("ProConnectPrefix", set_text<&ServerConfig::prefix>, nullptr, kServer, "path under which the module's own pages live"),
    AP_INIT_TAKE1("ProConnectRedirectURI", set_text<&ServerConfig::redirect_uri>, nullptr, kServer, "path or URL, exactly as registered"),
    AP_INIT_TAKE1("ProConnectPostLogoutRedirectURI", set_text<&ServerConfig::post_logout_redirect_uri>, nullptr, kServer, "path or URL, exactly as registered"),
    AP_INIT_TAKE1("ProConnectScope", set_text<&ServerConfig::scope>, nullptr, kServer, "scopes separated by spaces, in quotes; openid among them"),
    AP_INIT_TAKE1("ProConnectSigningAlgorithm", set_text<&ServerConfig::signing_algorithm>, nullptr, kServer, "asymmetric, ES256, RS256 or HS256"),
    AP_INIT_TAKE1("ProConnectUserInfoAlgorithm", set_text<&ServerConfig::userinfo_algorithm>, nullptr, kServer, "any, asymmetric, ES256, RS256, HS256 or none"),
    AP_INIT_TAKE1("ProConnectDecryptionKey", add_decryption_key, nullptr, kServer, "PEM file of a private key for encrypted tokens; repeatable"),
    AP_INIT_TAKE1("ProConnectClockSkew", set_duration<&ServerConfig::clock_skew>, nullptr, kServer, "tolerance on the dates in tokens, for instance 60s"),
    AP_INIT_TAKE1("ProConnectCAFile", set_text<&ServerConfig::ca_file>, nullptr, kServer, "PEM file of the authorities for calls to ProConnect"),
    AP_INIT_TAKE1("ProConnectProxy", set_text<&ServerConfig::proxy>, nullptr, kServer, "proxy for calls to ProConnect, for instance http://proxy:3128"),
    AP_INIT_TAKE1("ProConnectTimeout", set_duration<&ServerConfig::timeout>, nullptr, kServer, "time-out of each call to ProConnect, for instance 10s"),
    AP_INIT_TAKE1("ProConnectSessionStore", set_text<&ServerConfig::session_store>, nullptr, kServer, "shm"),
    AP_INIT_TAKE1("ProConnectSessionMax", set_session_max, nullptr, kServer, "number of sessions the shared memory has room for"),
    AP_INIT_TAKE1("ProConnectSessionIdle", set_duration<&ServerConfig::session_idle>, nullptr, kServer, "a session unused this long ends, for instance 1h"),
    AP_INIT_TAKE1("ProConnectSessionLifetime", set_duration<&ServerConfig::session_lifetime>, nullptr, kServer, "a session ends after this long, for instance 12h"),
    AP_INIT_TAKE1("ProConnectSessionSnapshot", set_text<&ServerConfig::session_snapshot>, nullptr, kServer, "file where sessions wait during a full stop, or off"),
    AP_INIT_TAKE1("ProConnectServerKey", set_text<&ServerConfig::server_key>, nullptr, kServer, "file of 32 random bytes"),
    AP_INIT_TAKE1("ProConnectCookieName", set_text<&ServerConfig::cookie_name>, nullptr, kServer, "name of the session cookie"),
    AP_INIT_TAKE1("ProConnectKeepPost", set_keep_post, nullptr, kAnywhere, "largest form that is kept when its session has expired, or off"),
    AP_INIT_TAKE1("ProConnectKeepPostMemory", set_keep_post_memory, nullptr, kServer, "memory for all kept forms"),
    AP_INIT_TAKE1("ProConnectLogout", set_logout, nullptr, kServer, "proconnect: also at ProConnect, or local"),
    AP_INIT_TAKE_ARGV("ProConnectLogoutCookies", set_logout_cookies, nullptr, kServer, "cookies of the application that a logout clears, NAME or NAME@/path"),
    AP_INIT_TAKE_ARGV("ProConnectLogoutClear", set_logout_clear, nullptr, kServer, "what a logout makes the browser forget: cache, storage or off"),
    AP_INIT_TAKE1("ProConnectServiceName", set_text<&ServerConfig::service_name>, nullptr, kServer, "name of the service on the pages"),
    AP_INIT_TAKE1("ProConnectSupport", set_text<&ServerConfig::support>, nullptr, kServer, "mail address or URL for people who are stuck"),
    AP_INIT_TAKE1("ProConnectAuditLog", set_text<&ServerConfig::audit_log>, nullptr, kServer, "file, |program, syslog: or off: one JSON line an event"),
    AP_INIT_TAKE1("ProConnectPages", set_text<&ServerConfig::pages>, nullptr, kServer, "directory with templates of your own"),
    AP_INIT_TAKE1("ProConnectButtonImage", set_text<&ServerConfig::button_image>, nullptr, kServer, "image file shown in place of the drawn ProConnect button"),
    AP_INIT_TAKE1("ProConnectNotice", set_text<&ServerConfig::notice>, nullptr, kServer, "text file shown on the login page, for instance of a planned outage"),
    AP_INIT_TAKE2("ProConnectAlternative", set_alternative, nullptr, kServer, "address and text of a link for people who cannot use ProConnect"),
    AP_INIT_TAKE1("ProConnectConditions", set_conditions, nullptr, kAnywhere, "who may enter, in words for the login page"),
    AP_INIT_TAKE1("ProConnectUnauthenticated", (set_word<Unauthenticated, &DirectoryConfig::unauthenticated, kUnauthenticatedWords>), nullptr, kAnywhere,
                  "login, page, silent, deny or pass"),
    AP_INIT_TAKE1("ProConnectRemoteUser", set_remote_user, nullptr, kAnywhere, "claim that becomes REMOTE_USER"),
    AP_INIT_TAKE_ARGV("ProConnectHeaders", set_headers, nullptr, kAnywhere, "on, off or a list of claims to pass as X-ProConnect-* request headers"),
    AP_INIT_TAKE1("ProConnectHeaderEncoding", (set_word<HeaderEncoding, &DirectoryConfig::header_encoding, kEncodingWords>), nullptr, kAnywhere,
                  "percent, base64url or utf8"),
    AP_INIT_TAKE1("ProConnectIdpHint", set_text_or_expression<&DirectoryConfig::idp_hint>, nullptr, kAnywhere, "idp_id, or expr=…"),
    AP_INIT_TAKE1("ProConnectLoginHint", set_text_or_expression<&DirectoryConfig::login_hint>, nullptr, kAnywhere, "e-mail address, or expr=…"),
    AP_INIT_TAKE1("ProConnectSiretHint", set_text_or_expression<&DirectoryConfig::siret_hint>, nullptr, kAnywhere, "14 digits, or expr=…"),
    AP_INIT_TAKE1("ProConnectPrompt", (set_word<bool, &DirectoryConfig::prompt_login, kPromptWords>), nullptr, kAnywhere, "login or off"),
    AP_INIT_TAKE1("ProConnectExtendSession", (set_word<bool, &DirectoryConfig::extend_session, kOnOffWords>), nullptr, kAnywhere, "on or off"),
    AP_INIT_TAKE1("ProConnectRefusal", set_refusal, nullptr, kAnywhere, "what a refused user is told, in quotes"),
    {nullptr, {nullptr}, nullptr, 0, RAW_ARGS, nullptr},
};
#pragma GCC diagnostic pop

}  // namespace proconnect::httpd
