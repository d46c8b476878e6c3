#include "httpd/page.hpp"

#include <http_protocol.h>

#include "core/url.hpp"
#include "httpd/audit.hpp"
#include "httpd/log.hpp"
#include "httpd/notice.hpp"
#include "httpd/pool.hpp"
#include "json/document.hpp"
#include "page/html.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::string_view kRetryAfterSeconds = "30";
constexpr std::string_view kNoContent = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// @param names_origin  the page's own form must carry its origin, which is how older browsers prove where it comes from
void set_page_headers(request_rec* r, std::string_view policy, bool names_origin = false) {
    const std::pair<const char*, const char*> headers[] = {
        {"Cache-Control", "no-store"},         {"Content-Security-Policy", pool_copy(r->pool, policy)},           {"X-Frame-Options", "DENY"},
        {"X-Content-Type-Options", "nosniff"}, {"Referrer-Policy", names_origin ? "same-origin" : "no-referrer"}, {"Vary", "Accept-Language"}};
    for (const auto& [name, value] : headers) {
        apr_table_setn(r->err_headers_out, name, value);
    }
}

/// RFC 9110 section 11.6.1: a 401 names a way to authenticate. Browsers do not know this one and show the page.
void name_login(request_rec* r, const Site& site) {
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", pool_copy(r->pool, "ProConnect realm=\"" + site.base_url.host + "\""));
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

page::Content content_of(request_rec* r, const Site& site, const Page& page) {
    page::Content content;
    content.language = language_of(r);
    content.service = site.service_name;
    content.title = page.title;
    content.text = page.text;
    content.button = {.label = page.button, .address = page.action, .post = page.post, .fields = page.fields};
    content.blocks = page.blocks;
    content.support = site.support;
    content.reference = page.reference;
    content.proconnect_button = page.proconnect_button;
    if (page.proconnect_button || page.retry_later) {
        content.notice = read_notice(r->server, site.notice_file);
    }
    if (page.proconnect_button) {
        const auto& config = directory_config(r);
        content.conditions = config.conditions != nullptr ? config.conditions->value : "";
        content.alternative = {site.alternative_text, site.alternative_address};
    }
    return content;
}

void put_next_step(Page& page, core::NextStep step, const Site& site, std::string_view return_address, bool french) {
    switch (step) {
        case core::NextStep::retry_login:
            page.button = french ? "Réessayer" : "Try again";
            page.action = login_address(site, return_address);
            break;
        case core::NextStep::login:
            page.proconnect_button = true;
            page.action = login_address(site, return_address);
            break;
        case core::NextStep::support_only:
            if (!site.support.empty()) {
                page.button = french ? "Contacter le support" : "Contact support";
                page.action = site.support;
                break;
            }
            [[fallthrough]];
        case core::NextStep::site_start:
            page.button = french ? "Accueil du service" : "Start of the service";
            page.action = "/";
            break;
    }
}

}  // namespace

core::Language language_of(const request_rec* r) {
    return page::preferred_language(header(r, "Accept-Language"));
}

std::string login_address(const Site& site, std::string_view return_address) {
    const std::string address = site.prefix + "/login";
    return core::is_local_return_address(return_address) ? address + "?return=" + core::percent_encode(return_address) : address;
}

int send_page(request_rec* r, const RequestState& state, const Page& page) {
    const auto& site = *state.site->site;
    if (page.retry_later) {
        apr_table_setn(r->err_headers_out, "Retry-After", pool_copy(r->pool, kRetryAfterSeconds));
    }
    if (page.status == HTTP_UNAUTHORIZED) {
        name_login(r, site);
    }
    if ((page.for_machine || wants_json(r)) && page.status >= 400) {
        set_page_headers(r, kNoContent);
        json::Writer body;
        body.begin_object().key("title").string(page.title).key("status").number(page.status).key("detail").string(page.text);
        body.key("reference").string(page.reference).end_object();
        write(r, page.status, "application/problem+json", body.take());
    } else {
        const auto content = content_of(r, site, page);
        set_page_headers(r, site.look.policy(content), page.post);
        write(r, page.status, "text/html; charset=utf-8", site.look.render(content));
    }
    return OK;
}

int send_failure(request_rec* r, const RequestState& state, const core::Error& error, std::string_view return_address, const std::string& reference) {
    const auto& entry = core::catalogue_entry(error.code);
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
    put_next_step(page, entry.next_step, *state.site->site, return_address, french);
    return send_page(r, state, page);
}

int send_login_required(request_rec* r, const RequestState& state) {
    const auto& site = *state.site->site;
    set_page_headers(r, kNoContent);
    name_login(r, site);
    json::Writer body;
    body.begin_object()
        .key("error").string("login_required")
        .key("code").string(core::code_text(core::ErrorCode::login_required_machine))
        .key("login_url").string(site.origin + site.prefix + "/login")
        .end_object();
    write(r, HTTP_UNAUTHORIZED, "application/json", body.take());
    return OK;
}

int send_login_page(request_rec* r, const RequestState& state, std::string_view return_address) {
    const auto& site = *state.site->site;
    const bool french = language_of(r) == core::Language::french;
    return send_page(r, state,
                     {.status = HTTP_UNAUTHORIZED,
                      .title = french ? "Se connecter" : "Sign in",
                      .text = french ? "Cette page est réservée aux personnes connectées. Identifiez-vous avec ProConnect, vous y reviendrez aussitôt."
                                     : "This page is for people who are signed in. Sign in with ProConnect and you will come straight back to it.",
                      .button = {},
                      .action = login_address(site, return_address),
                      .reference = {},
                      .proconnect_button = true});
}

}  // namespace proconnect::httpd
