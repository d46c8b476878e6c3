#include "httpd/request.hpp"

#include <strings.h>

#include <cstring>

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "access/request_kind.hpp"
#include "httpd/connection_session.hpp"
#include "httpd/form_handler.hpp"
#include "httpd/log.hpp"
#include "httpd/log_redaction.hpp"
#include "httpd/pool.hpp"

namespace proconnect::httpd {
namespace {

// ---- what must not come from the client

char normalized(char c) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\0';
    return is_upper ? static_cast<char>(c | 0x20) : is_plain ? c : '-';
}

bool starts_like(const char* name, std::string_view prefix) {
    for (const char c : prefix) {
        if (normalized(*name) != c) {
            return false;
        }
        ++name;
    }
    return true;
}

/// CGI and other gateways fold '-', '_' and other signs together, so every spelling counts.
[[gnu::hot]] bool imitates_ours(const char* name) {
    const char first = normalized(name[0]);
    return (first == 'x' && starts_like(name, "x-proconnect-")) || (first == 'p' && starts_like(name, "proconnect-")) ||
           (first == 'r' && starts_like(name, "remote-user") && name[11] == '\0');
}

void remove_imitations(request_rec* r) {
    const auto* entries = apr_table_elts(r->headers_in);
    const auto* entry = reinterpret_cast<const apr_table_entry_t*>(entries->elts);
    for (int i = 0; i < entries->nelts; ++i) {
        if (entry[i].key != nullptr && imitates_ours(entry[i].key)) {
            apr_table_unset(r->headers_in, entry[i].key);
            i = -1;  // the table moved its entries together
        }
    }
}

/// A header that is named in Connection is dropped on the way to a back end (RFC 9110 section 7.6.1): nobody may drop ours that way.
void keep_ours_end_to_end(request_rec* r) {
    const char* connection = apr_table_get(r->headers_in, "Connection");
    if (connection == nullptr) {
        return;
    }
    const auto next_token = [](const char*& rest) {
        while (*rest == ',' || *rest == ' ' || *rest == '\t') ++rest;
        const char* begin = rest;
        while (*rest != '\0' && *rest != ',') ++rest;
        const char* end = rest;
        while (end != begin && (end[-1] == ' ' || end[-1] == '\t')) --end;
        return std::string_view{begin, static_cast<std::size_t>(end - begin)};
    };
    bool imitates = false;
    for (const char* rest = connection; !imitates && *rest != '\0';) {
        const auto token = next_token(rest);
        imitates = !token.empty() && imitates_ours(apr_pstrmemdup(r->pool, token.data(), token.size()));
    }
    if (!imitates) {
        return;
    }
    const char* kept = "";
    for (const char* rest = connection; *rest != '\0';) {
        const auto token = next_token(rest);
        const char* text = apr_pstrmemdup(r->pool, token.data(), token.size());
        if (!token.empty() && !imitates_ours(text)) {
            kept = apr_pstrcat(r->pool, kept, *kept != '\0' ? ", " : "", text, nullptr);
        }
    }
    if (*kept == '\0') {
        apr_table_unset(r->headers_in, "Connection");
    } else {
        apr_table_setn(r->headers_in, "Connection", kept);
    }
}

// ---- our cookies

void read_cookies(request_rec* r, RequestState& state) {
    const char* header = apr_table_get(r->headers_in, "Cookie");
    if (header == nullptr) {
        return;
    }
    const auto& site = *state.site->site;
    const std::string_view text{header};
    const core::CookieNames names{.session = site.cookie_name, .login = site.login_cookie_name, .silent = site.silent_cookie_name};
    state.cookies = core::scan_cookies(text, names);
    if (!state.cookies.any) {
        return;
    }
    if (state.cookies.login) {
        const auto halves = session::split_login_cookie(*state.cookies.login);
        state.cookies.login = halves.binding;
        state.login_mark = halves.mark;
    }
    // Neither the application nor a back end has any use for them, and a log of headers shall not hold them.
    if (!state.cookies.others) {
        apr_table_unset(r->headers_in, "Cookie");
        return;
    }
    char* rest = static_cast<char*>(apr_palloc(r->pool, text.size() + 1));
    const auto length = core::strip_cookies(text, names, rest);
    if (length == 0) {
        apr_table_unset(r->headers_in, "Cookie");
    } else {
        rest[length] = '\0';
        apr_table_setn(r->headers_in, "Cookie", rest);
    }
}

// ---- our own pages

Endpoint endpoint_of(const Site& site, std::string_view path) {
    if (path == site.callback_path) {
        return Endpoint::callback;
    }
    if (path == site.logged_out_path) {
        return Endpoint::logged_out;
    }
    if (!path.starts_with(site.prefix) || path.size() <= site.prefix.size() || path[site.prefix.size()] != '/') {
        return Endpoint::none;
    }
    const auto name = path.substr(site.prefix.size() + 1);
    if (name == "login") {
        return Endpoint::login;
    }
    if (name == "logout") {
        return Endpoint::logout;
    }
    if (name == "session") {
        return Endpoint::session;
    }
    if (name == "form") {
        return Endpoint::form;
    }
    if (name == "jwks") {
        return Endpoint::jwks;
    }
    return Endpoint::unknown;
}

/// Copies a record into the request's pool.
class PoolBuffer final : public session::RecordBuffer {
public:
    explicit PoolBuffer(apr_pool_t* pool) noexcept : pool_(pool) {}
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override {
        auto* memory = static_cast<std::uint8_t*>(apr_palloc(pool_, size));
        return {memory, memory == nullptr ? 0 : size};
    }

private:
    apr_pool_t* pool_;
};

}  // namespace

void keep_trailers_apart(server_rec* main_server) {
    for (auto* s = main_server; s != nullptr; s = s->next) {
        auto* core = static_cast<core_server_config*>(ap_get_core_module_config(s->module_config));
        if (core->merge_trailers == AP_MERGE_TRAILERS_ENABLE) {
            core->merge_trailers = AP_MERGE_TRAILERS_DISABLE;
            log_startup_warning(s, "MergeTrailers On does not hold on a server that uses ProConnect: what comes behind a body would be taken for headers that were looked at before it");
        }
    }
}

[[gnu::hot]] bool is_ours(const request_rec* r) {
    const char* type = ap_auth_type(const_cast<request_rec*>(r));
    return type != nullptr && strcasecmp(type, "ProConnect") == 0;
}

bool comes_from_here(const request_rec* r, const Site& site) {
    return access::is_same_origin({.sec_fetch_site = header(r, "Sec-Fetch-Site"), .origin = header(r, "Origin"), .referer = header(r, "Referer")}, site.origin);
}

int read_request(request_rec* r) {
    if (runtime() == nullptr) {
        return DECLINED;
    }
    cap_log_level(r);
    keep_ours_end_to_end(r);
    remove_imitations(r);   // on every virtual host: an application may be reached through several
    auto* site = site_of(r->server);
    if (site == nullptr || (r->prev != nullptr && state_of(r->prev) != nullptr)) {
        return DECLINED;    // an internal redirect passes here too, its cookies are taken out already
    }
    auto* state = pool_make<RequestState>(r->pool);
    ap_set_module_config(r->request_config, &auth_proconnect_module, state);
    state->site = site;
    state->now = core::UnixTime{std::chrono::seconds{apr_time_sec(r->request_time)}};
    read_cookies(r, *state);
    state->endpoint = r->uri != nullptr ? endpoint_of(*site->site, r->uri) : Endpoint::none;
    if (state->endpoint == Endpoint::callback || state->endpoint == Endpoint::logged_out || state->endpoint == Endpoint::logout ||
        state->endpoint == Endpoint::form) {
        state->query = take_query(r);
    }
    if (state->endpoint == Endpoint::form) {
        become_confirmed_form(r, *state);
    }
    return DECLINED;
}

int note_admitted(request_rec* r) {
    if (auto* state = r->main == nullptr ? state_of(r) : nullptr) {
        state->admitted = r;
    }
    return DECLINED;
}

[[gnu::hot]] RequestState* state_of(const request_rec* r) {
    while (r != nullptr) {
        if (auto* state = static_cast<RequestState*>(ap_get_module_config(r->request_config, &auth_proconnect_module))) {
            return state;
        }
        r = r->main != nullptr ? r->main : r->prev;
    }
    return nullptr;
}

namespace {

/// The request that this one is a part of, or became of: the whole family shares one state, so what that points to lives in the first one's pool.
request_rec* first_of_family(request_rec* r) {
    while (r->main != nullptr || r->prev != nullptr) {
        r = r->main != nullptr ? r->main : r->prev;
    }
    return r;
}

std::expected<std::optional<SignedIn>, core::Error> look_up(request_rec* first, RequestState& state, session::Touch touch) {
    auto& store = *runtime()->store;
    const auto& realm = state.site->site->realm;
    if (auto remembered = remembered_session(first, *state.cookies.session, realm)) {
        const auto head = remembered->look(store, state.now, touch);
        if (!head) {
            return std::unexpected(head.error());
        }
        if (*head) {
            const auto& attributes = remembered->attributes();
            return SignedIn{.head = **head, .attributes = attributes, .remembered = std::move(remembered)};
        }
        forget_session(first);
    }
    const auto handle = state.handle();
    if (!handle) {
        return std::nullopt;
    }
    PoolBuffer buffer{first->pool};
    const auto opened = session::open_session(store, *handle, realm, session::Part::attributes, buffer, state.now, touch);
    if (!opened) {
        return std::unexpected(opened.error());
    }
    const auto block = *opened ? session::AttributeBlock::parse((*opened)->plaintext) : std::nullopt;
    if (!block) {
        return std::nullopt;
    }
    remember_session(first, *handle, **opened);
    return SignedIn{.head = (*opened)->head, .attributes = *block, .remembered = nullptr};
}

}  // namespace

session::Touch touch_of(const DirectoryConfig& config) noexcept {
    return !config.extend_session || config.extend_session->value ? session::Touch::yes : session::Touch::no;
}

[[gnu::hot]] std::expected<const SignedIn*, core::Error> signed_in(request_rec* r, RequestState& state, session::Touch touch) {
    if (!state.looked_up && state.cookies.session) {
        auto user = look_up(first_of_family(r), state, touch);
        if (!user) {
            return std::unexpected(user.error());
        }
        state.user = std::move(*user);
    }
    state.looked_up = true;
    return state.user ? &*state.user : nullptr;
}

std::string_view header(const request_rec* r, const char* name) {
    const char* value = apr_table_get(r->headers_in, name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

namespace {

/// Takes back what this very answer would have set.
void drop_cookie_line(request_rec* r, const std::string& name) {
    const auto* entries = apr_table_elts(r->err_headers_out);
    const auto* entry = reinterpret_cast<const apr_table_entry_t*>(entries->elts);
    apr_array_header_t* kept = apr_array_make(r->pool, 4, sizeof(const char*));
    bool found = false;
    for (int i = 0; i < entries->nelts; ++i) {
        if (entry[i].key == nullptr || strcasecmp(entry[i].key, "Set-Cookie") != 0) {
            continue;
        }
        if (std::string_view{entry[i].val}.starts_with(name + '=')) {
            found = true;
        } else {
            *static_cast<const char**>(apr_array_push(kept)) = entry[i].val;
        }
    }
    if (!found) {
        return;
    }
    apr_table_unset(r->err_headers_out, "Set-Cookie");
    for (int i = 0; i < kept->nelts; ++i) {
        apr_table_addn(r->err_headers_out, "Set-Cookie", reinterpret_cast<const char**>(kept->elts)[i]);
    }
}

void add_cookie(request_rec* r, const Site& site, const std::string& name, std::string_view value, const char* age) {
    std::string line = name + '=' + std::string{value} + "; Path=/; HttpOnly; SameSite=Lax" + age;
    if (site.secure_cookies) {
        line += "; Secure";
    }
    // err_headers_out goes out with errors and redirects too.
    apr_table_addn(r->err_headers_out, "Set-Cookie", pool_copy(r->pool, line));
    core::wipe(line.data(), line.size());
}

}  // namespace

void set_cookie(request_rec* r, const Site& site, const std::string& name, std::string_view value) {
    add_cookie(r, site, name, value, "");
}

void set_login_cookie(request_rec* r, const Site& site, std::string_view binding, const session::LoginMark& mark) {
    std::string value{binding};
    if (const auto signed_mark = session::sign_mark(binding, mark, runtime()->keys.current)) {   // without it the logins go on, only uncounted
        value += session::kLoginCookieHalves;
        value += *signed_mark;
    }
    // One line for one cookie: the last word of a request counts.
    drop_cookie_line(r, site.login_cookie_name);
    set_cookie(r, site, site.login_cookie_name, value);
    core::wipe(value.data(), value.size());
}

void set_passing_cookie(request_rec* r, const Site& site, const std::string& name, std::string_view value, std::chrono::seconds age) {
    add_cookie(r, site, name, value, ("; Max-Age=" + std::to_string(age.count())).c_str());
}

void clear_cookie(request_rec* r, const Site& site, const std::string& name) {
    add_cookie(r, site, name, "", "; Max-Age=0");
}

int redirect(request_rec* r, int status, std::string_view location) {
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Location", pool_copy(r->pool, location));
    // Answered here, not by httpd: an ErrorDocument for redirects would be shown instead.
    r->status = status;
    ap_discard_request_body(r);
    ap_set_content_length(r, 0);
    return OK;
}

}  // namespace proconnect::httpd
