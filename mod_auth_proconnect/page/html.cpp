#include "page/html.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"

namespace proconnect::page {
namespace {

/// Ordinary base64 with padding, RFC 4648 section 4.
std::string base64(std::span<const std::uint8_t> bytes) {
    std::string text = core::base64url_encode(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

bool is_language(std::string_view item, std::string_view wanted) {
    return item.size() >= 2 && (item[0] | 0x20) == wanted[0] && (item[1] | 0x20) == wanted[1] &&
           (item.size() == 2 || item[2] == '-' || item[2] == ';' || item[2] == ' ');
}

/// The highest weight of a language in the header; -1 when it is not there.
double weight_of(std::string_view languages, std::string_view wanted) {
    double best = -1;
    while (!languages.empty()) {
        const auto end = languages.find(',');
        auto item = languages.substr(0, end);
        languages = end == std::string_view::npos ? std::string_view{} : languages.substr(end + 1);
        while (item.starts_with(' ')) {
            item.remove_prefix(1);
        }
        if (!is_language(item, wanted)) {
            continue;
        }
        double weight = 1;
        if (const auto mark = item.find("q="); mark != std::string_view::npos) {
            std::from_chars(item.data() + mark + 2, item.data() + item.size(), weight);
        }
        best = std::max(best, weight);
    }
    return best;
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size());
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

std::string paragraphs(std::string_view text) {
    std::string out;
    bool open = false;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t')) {
            line.remove_suffix(1);
        }
        if (line.empty()) {
            out += open ? "</p>\n" : "";
            open = false;
        } else {
            out += open ? "<br>" : "<p>";
            out += escape_html(line);
            open = true;
        }
    }
    return open ? out + "</p>\n" : out;
}

std::string style_hash_source(std::string_view style) {
    const auto digest = crypto::sha256(style);
    return digest ? "'sha256-" + base64(*digest) + "'" : "'none'";
}

std::string data_uri(std::string_view type, std::string_view bytes) {
    return "data:" + std::string{type} + ";base64," + base64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

core::Language preferred_language(std::string_view accept_language) {
    const double english = weight_of(accept_language, "en");
    return english > 0 && english > weight_of(accept_language, "fr") ? core::Language::english : core::Language::french;
}

}  // namespace proconnect::page
