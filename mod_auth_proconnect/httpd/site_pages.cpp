#include "httpd/site_pages.hpp"

#include <sys/stat.h>

#include <optional>

#include "httpd/secret_source.hpp"
#include "httpd/site_problem.hpp"
#include "page/html.hpp"

namespace proconnect::httpd {
namespace {

using Result = std::expected<void, ConfigProblem>;
using Kind = page::Look::Kind;

constexpr std::size_t kMaxImageBytes = 64 * 1024;

/// A web or mail address as a link, "" for anything else.
std::string link_of(const std::string& text) {
    if (text.contains("://")) {
        return core::parse_url(text) ? text : "";
    }
    return text.contains('@') && !text.contains(' ') ? "mailto:" + text : "";
}

Result names(const server_rec* s, const ServerConfig& config, Site& site) {
    site.service_name = config.service_name ? config.service_name->value : site.base_url.host;
    const std::string support = config.support ? config.support->value : s->server_admin != nullptr ? s->server_admin : "";
    site.support = !config.support && support == DEFAULT_ADMIN ? "" : link_of(support);
    if (config.support && site.support.empty()) {
        return problem(config.support->place, "takes a mail address or an http(s) URL; not '" + support + "'");
    }
    return {};
}

Result login_page(const ServerConfig& config, Site& site) {
    if (config.alternative) {
        const auto& [value, place] = *config.alternative;
        site.alternative_text = value.text;
        site.alternative_address = core::is_local_return_address(value.address) ? value.address : link_of(value.address);
        if (site.alternative_address.empty()) {
            return problem(place, "takes a path of this site, an http(s) URL or a mail address, then a text; not '" + value.address + "'");
        }
    }
    if (config.notice) {
        if (!config.notice->value.starts_with('/')) {
            return problem(config.notice->place, "takes a full path; not '" + config.notice->value + "'");
        }
        site.notice_file = config.notice->value;
    }
    return {};
}

/// By its first bytes, as browsers do; "" for what is no image of the web.
std::string_view image_type(std::string_view bytes) {
    if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
    if (bytes.starts_with("GIF8")) return "image/gif";
    if (bytes.starts_with("RIFF") && bytes.substr(0, 16).contains("WEBP")) return "image/webp";
    const auto begin = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    return begin != std::string_view::npos && bytes[begin] == '<' && bytes.contains("<svg") ? "image/svg+xml" : "";
}

Result button_image(const ServerConfig& config, Site& site) {
    if (!config.button_image) {
        return {};
    }
    const auto& [path, place] = *config.button_image;
    const auto bytes = read_secret_file(path, kMaxImageBytes);
    if (!bytes) {
        return problem(place, "'" + path + "' " + bytes.error());
    }
    const auto type = image_type(bytes->reveal());
    if (type.empty()) {
        return problem(place, "'" + path + "' is no PNG, SVG, WebP, JPEG or GIF image");
    }
    // Inside the page: it needs no address of its own, and an SVG in an <img> runs no script.
    site.look.set_button_image(page::data_uri(type, bytes->reveal()));
    return {};
}

bool exists(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0;
}

/// The file for a page in one language: KIND.LANGUAGE.html, else KIND.html; "" when neither is there.
std::string template_file(const std::string& directory, const std::string& kind, const std::string& language) {
    for (const auto& name : {kind + "." + language + ".html", kind + ".html"}) {
        if (exists(directory + "/" + name)) {
            return directory + "/" + name;
        }
    }
    return {};
}

Result templates(const ServerConfig& config, Site& site) {
    if (!config.pages) {
        return {};
    }
    const auto& [directory, place] = *config.pages;
    if (!directory.starts_with('/')) {
        return problem(place, "takes the full path of a directory; not '" + directory + "'");
    }
    struct stat about {};
    if (stat(directory.c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) {
        return problem(place, "'" + directory + "' is no directory");
    }
    for (const auto& [language, code] : {std::pair{core::Language::french, "fr"}, std::pair{core::Language::english, "en"}}) {
        const auto page_file = template_file(directory, "page", code);
        if (page_file.empty()) {
            return problem(place, "'" + directory + "' has neither page.html nor page." + code + ".html");
        }
        const auto login_file = template_file(directory, "login", code);
        for (const auto& [kind, file] : {std::pair{Kind::page, page_file}, std::pair{Kind::login, login_file.empty() ? page_file : login_file}}) {
            const auto text = read_secret_file(file, page::Template::kMaxBytes);
            if (!text) {
                return problem(place, "'" + file + "' " + text.error());
            }
            const auto own = page::Template::parse(text->reveal());
            if (!own) {
                return problem(place, "'" + file + "' " + own.error());
            }
            site.look.replace(kind, language, *own);
        }
    }
    return {};
}

}  // namespace

Result resolve_pages(const server_rec* s, const ServerConfig& config, Site& site) {
    if (auto done = names(s, config, site); !done) return done;
    if (auto done = login_page(config, site); !done) return done;
    if (auto done = button_image(config, site); !done) return done;
    return templates(config, site);
}

}  // namespace proconnect::httpd
