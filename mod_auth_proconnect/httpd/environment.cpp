#include "httpd/environment.hpp"

#include <cstring>

#include <apr_strings.h>

#include "core/base64url.hpp"
#include "httpd/pool.hpp"

namespace proconnect::httpd {
namespace {

using session::AttributeBlock;

constexpr std::string_view kVariablePrefix = "PROCONNECT_";
constexpr std::string_view kHeaderPrefix = "X-ProConnect-";

/// "X-ProConnect-Given-Name" from "PROCONNECT_GIVEN_NAME".
char* header_name(apr_pool_t* pool, std::string_view variable) {
    variable.remove_prefix(kVariablePrefix.size());
    auto* name = static_cast<char*>(apr_palloc(pool, kHeaderPrefix.size() + variable.size() + 1));
    char* out = std::copy(kHeaderPrefix.begin(), kHeaderPrefix.end(), name);
    bool word_start = true;
    for (const char c : variable) {
        *out++ = c == '_' ? '-' : word_start || c < 'A' || c > 'Z' ? c : static_cast<char>(c | 0x20);
        word_start = c == '_';
    }
    *out = '\0';
    return name;
}

/// Readable as it is where it can be: only '%', spaces and what is not printable ASCII is escaped, so that an e-mail address stays one.
std::string percent_encode_header(std::string_view value) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f && c != '%') {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

char* encoded(apr_pool_t* pool, std::string_view value, HeaderEncoding encoding) {
    switch (encoding) {
        case HeaderEncoding::percent: return pool_copy(pool, percent_encode_header(value));
        case HeaderEncoding::base64url: return pool_copy(pool, core::base64url_encode(value));
        case HeaderEncoding::utf8: return pool_copy(pool, value);   // without control characters since login
    }
    return pool_copy(pool, "");
}

bool is_listed(const std::vector<std::string>& names, std::string_view variable) {
    for (const auto& name : names) {
        if (name == "*" || name == variable) {
            return true;
        }
    }
    return false;
}

void set_headers(request_rec* r, const AttributeBlock& attributes, const DirectoryConfig& config) {
    if (!config.headers || config.headers->value.empty()) {
        return;
    }
    const auto encoding = config.header_encoding ? config.header_encoding->value : HeaderEncoding::percent;
    attributes.for_each([&](const AttributeBlock::Item& item) {
        if (item.variable_view != kStepUpVariable && is_listed(config.headers->value, item.variable_view)) {
            apr_table_setn(r->headers_in, header_name(r->pool, item.variable_view), encoded(r->pool, item.value_view, encoding));
        }
    });
}

const char* claims_json(apr_pool_t* pool, const SignedIn& user) {
    if (user.remembered != nullptr) {
        return user.remembered->claims_json();
    }
    const auto bytes = user.attributes.claims_json_bytes();
    auto* json = static_cast<char*>(apr_palloc(pool, bytes + 1));
    user.attributes.write_claims_json({json, bytes});
    json[bytes] = '\0';
    return json;
}

[[gnu::hot]] void remove_entries(apr_table_t* table, std::string_view prefix) {
    const auto* entries = apr_table_elts(table);
    const auto* entry = reinterpret_cast<const apr_table_entry_t*>(entries->elts);
    for (int i = 0; i < entries->nelts; ++i) {
        const char* key = entry[i].key;
        if (key != nullptr && key[0] == prefix[0] && std::strncmp(key, prefix.data(), prefix.size()) == 0) {
            apr_table_unset(table, key);
            i = -1;  // the table moved its entries together
        }
    }
}

[[gnu::hot]] void keep_private(request_rec* r) {
    r->no_cache = 1;
    const char* said = apr_is_empty_table(r->err_headers_out) != 0 ? nullptr : apr_table_get(r->err_headers_out, "Cache-Control");
    if (said == nullptr) {
        apr_table_addn(r->err_headers_out, "Cache-Control", "private");
    } else if (std::strcmp(said, "private") != 0) {
        apr_table_mergen(r->err_headers_out, "Cache-Control", "private");
    }
}

}  // namespace

void clear_environment(request_rec* r) {
    remove_entries(r->subprocess_env, kVariablePrefix);
}

[[gnu::hot]] std::expected<void, core::Error> set_environment(request_rec* r, const SignedIn& user) {
    const auto& config = directory_config(r);
    clear_environment(r);
    const char* remote_user = nullptr;
    const std::string_view wanted = config.remote_user ? std::string_view{config.remote_user->value.variable} : "PROCONNECT_SUB";
    // add, not set: the names of one block are different, and set would compare each with all others.
    user.attributes.for_each([&](const AttributeBlock::Item& item) {
        if (item.variable_view == kStepUpVariable) [[unlikely]] {
            return;
        }
        apr_table_addn(r->subprocess_env, item.variable, item.value);
        if (item.variable_view == wanted && !item.value_view.empty()) {
            remote_user = item.value;
        }
    });
    if (remote_user == nullptr) {
        return std::unexpected(core::Error{core::ErrorCode::access_denied, "the user has no " + (config.remote_user ? config.remote_user->value.claim : "sub") + ", which becomes REMOTE_USER"});
    }
    apr_table_addn(r->subprocess_env, "PROCONNECT_CLAIMS", claims_json(r->pool, user));
    apr_table_addn(r->subprocess_env, "PROCONNECT_EXPIRES", apr_ltoa(r->pool, core::to_unix_seconds(user.head.expires)));
    r->user = const_cast<char*>(remote_user);
    r->ap_auth_type = const_cast<char*>("ProConnect");
    set_headers(r, user.attributes, config);
    // The answer is for this user alone. A shared cache must not keep it, here (mod_cache asks for no_cache) or on the way.
    keep_private(r);
    // So is a page that this is a part of (mod_include), as far as its headers are not sent yet.
    for (auto* whole = r->main; whole != nullptr; whole = whole->main) {
        keep_private(whole);
    }
    return {};
}

}  // namespace proconnect::httpd
