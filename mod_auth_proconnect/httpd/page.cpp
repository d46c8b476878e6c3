#include "httpd/page.hpp"

#include <algorithm>
#include <charconv>

#include <http_protocol.h>

#include "access/request_kind.hpp"
#include "core/url.hpp"
#include "crypto/digest.hpp"
#include "core/base64url.hpp"
#include "httpd/audit.hpp"
#include "httpd/log.hpp"
#include "httpd/pool.hpp"
#include "json/document.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::string_view kRetryAfterSeconds = "30";

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#161616;--paper:#fff;--blue:#000091;--on-blue:#fff;--grey:#666}"
    "@media(prefers-color-scheme:dark){:root{--ink:#fff;--paper:#161616;--blue:#8585f6;--on-blue:#000;--grey:#bbb}}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.6 Marianne,Arial,sans-serif}"
    "header{border-bottom:1px solid var(--grey);padding:1rem 1.5rem;font-weight:bold}"
    "main{max-width:40rem;margin:0 auto;padding:2rem 1.5rem}"
    "h1{font-size:1.75rem;line-height:1.25}"
    ".button{display:inline-block;border:0;background:var(--blue);color:var(--on-blue);font:inherit;padding:.75rem 1.5rem;text-decoration:none;cursor:pointer}"
    ".button:focus-visible,a:focus-visible{outline:3px solid #0a76f6;outline-offset:2px}"
    "a{color:var(--blue)}.button{color:var(--on-blue)}.reference{color:var(--grey);font-size:1rem}";

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

/// The hash source of our one style element, CSP level 3 section 2.3.1; ordinary base64.
std::string style_source() {
    const auto digest = crypto::sha256(kStyle);
    if (!digest) {
        return "'none'";
    }
    std::string text = core::base64url_encode(*digest) + "=";
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    return "'sha256-" + text + "'";
}

/// @param names_origin  the page's own form must carry its origin, which is how older browsers prove where it comes from
void set_page_headers(request_rec* r, bool names_origin = false) {
    static const std::string policy = "default-src 'none'; style-src " + style_source() + "; base-uri 'none'; frame-ancestors 'none'";
    const std::pair<const char*, const char*> headers[] = {
        {"Cache-Control", "no-store"},       {"Content-Security-Policy", policy.c_str()}, {"X-Frame-Options", "DENY"},
        {"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", names_origin ? "same-origin" : "no-referrer"},          {"Vary", "Accept-Language"}};
    for (const auto& [name, value] : headers) {
        apr_table_setn(r->err_headers_out, name, value);
    }
}

void write(request_rec* r, int status, const char* content_type, std::string_view body) {
    r->status = status;   // first: with a failure's status, no "100 Continue" invites a body that nobody reads
    r->status_line = nullptr;
    if (status >= HTTP_BAD_REQUEST && (!header(r, "Content-Length").empty() || !header(r, "Transfer-Encoding").empty())) {
        r->connection->keepalive = AP_CONN_CLOSE;   // rather than read it to its end
    } else {
        // What the client still sends would otherwise be taken for its next request.
        ap_discard_request_body(r);
    }
    ap_set_content_type(r, content_type);
    ap_set_content_length(r, static_cast<apr_off_t>(body.size()));
    if (!r->header_only) {
        ap_rwrite(body.data(), static_cast<int>(body.size()), r);
    }
}

bool wants_json(const request_rec* r) {
    const auto accept = header(r, "Accept");
    return accept.contains("application/json") || accept.contains("application/problem+json");
}

double quality_of(std::string_view languages, std::string_view wanted) {
    double best = -1;
    while (!languages.empty()) {
        const auto end = languages.find(',');
        auto item = languages.substr(0, end);
        languages = end == std::string_view::npos ? std::string_view{} : languages.substr(end + 1);
        while (item.starts_with(' ')) item.remove_prefix(1);
        if (item.size() < 2 || (item[0] | 0x20) != wanted[0] || (item[1] | 0x20) != wanted[1] || (item.size() > 2 && item[2] != '-' && item[2] != ';' && item[2] != ' ')) {
            continue;
        }
        double quality = 1;
        if (const auto mark = item.find("q="); mark != std::string_view::npos) {
            std::from_chars(item.data() + mark + 2, item.data() + item.size(), quality);
        }
        best = std::max(best, quality);
    }
    return best;
}

std::string page_html(const RequestState& state, const Page& page, core::Language language) {
    const auto& site = *state.site->site;
    const bool french = language == core::Language::french;
    std::string html = "<!DOCTYPE html>\n<html lang=\"";
    html += french ? "fr" : "en";
    html += "\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>";
    html += escape_html(page.title) + " – " + escape_html(site.service_name) + "</title><style>" + std::string{kStyle} + "</style></head>\n<body><header>";
    html += escape_html(site.service_name) + "</header><main><h1>" + escape_html(page.title) + "</h1>\n<p>" + escape_html(page.text) + "</p>\n";
    if (!page.button.empty()) {
        const auto label = escape_html(page.button);
        const auto target = escape_html(page.action);
        html += page.post ? "<form method=\"post\" action=\"" + target + "\"><button class=\"button\" type=\"submit\">" + label + "</button></form>\n"
                          : "<p><a class=\"button\" href=\"" + target + "\">" + label + "</a></p>\n";
    }
    if (!site.support.empty()) {
        html += std::string{"<p>"} + (french ? "Besoin d’aide ? " : "Need help? ") + "<a href=\"" + escape_html(site.support) + "\">" +
                (french ? "Contacter le support" : "Contact support") + "</a></p>\n";
    }
    if (!page.reference.empty()) {
        html += std::string{"<p class=\"reference\">"} + (french ? "Référence : " : "Reference: ") + escape_html(page.reference) + "</p>\n";
    }
    return html + "</main></body></html>\n";
}

}  // namespace

core::Language language_of(const request_rec* r) {
    const auto languages = header(r, "Accept-Language");
    const double english = quality_of(languages, "en");
    return english > 0 && english > quality_of(languages, "fr") ? core::Language::english : core::Language::french;
}

int send_page(request_rec* r, const RequestState& state, const Page& page) {
    set_page_headers(r, page.post);
    if (page.retry_later) {
        apr_table_setn(r->err_headers_out, "Retry-After", pool_copy(r->pool, kRetryAfterSeconds));
    }
    if ((page.for_machine || wants_json(r)) && page.status >= 400) {
        json::Writer body;
        body.begin_object().key("title").string(page.title).key("status").number(page.status).key("detail").string(page.text);
        body.key("reference").string(page.reference).end_object();
        write(r, page.status, "application/problem+json", body.take());
    } else {
        write(r, page.status, "text/html; charset=utf-8", page_html(state, page, language_of(r)));
    }
    return OK;
}

int send_failure(request_rec* r, const RequestState& state, const core::Error& error, std::string_view return_address) {
    const auto& entry = core::catalogue_entry(error.code);
    const auto reference = make_reference();
    log_failure(r, error, reference);
    if (state.endpoint == Endpoint::callback) {
        audit_failed_login(r, state, error, reference);
    }

    const bool french = language_of(r) == core::Language::french;
    const auto& message = french ? entry.french : entry.english;
    Page page{.status = entry.http_status,
              .title = std::string{message.title},
              .text = std::string{message.text},
              .button = {},
              .action = {},
              .reference = core::code_text(error.code) + " · " + reference,
              .retry_later = entry.http_status == HTTP_SERVICE_UNAVAILABLE};
    switch (entry.next_step) {
        case core::NextStep::retry_login:
            page.button = french ? "Réessayer" : "Try again";
            page.action = state.site->site->prefix + "/login";
            if (core::is_local_return_address(return_address)) {
                page.action += "?return=" + core::percent_encode(return_address);
            }
            break;
        case core::NextStep::site_start:
        case core::NextStep::support_only:
            page.button = french ? "Accueil du service" : "Start of the service";
            page.action = "/";
            break;
    }
    return send_page(r, state, page);
}

int send_login_required(request_rec* r, const RequestState& state) {
    const auto& site = *state.site->site;
    set_page_headers(r);
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", pool_copy(r->pool, "ProConnect realm=\"" + site.base_url.host + "\""));
    json::Writer body;
    body.begin_object()
        .key("error").string("login_required")
        .key("code").string(core::code_text(core::ErrorCode::login_required_machine))
        .key("login_url").string(site.origin + site.prefix + "/login")
        .end_object();
    write(r, HTTP_UNAUTHORIZED, "application/json", body.take());
    return OK;
}

}  // namespace proconnect::httpd
