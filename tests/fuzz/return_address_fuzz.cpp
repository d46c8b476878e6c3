// is_local_return_address(): what it accepts is read again here as browsers read a Location header, WHATWG URL section 4.4.
#include <vector>

#include "core/url.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

bool is_blank_or_control(char c) {
    return static_cast<unsigned char>(c) <= 0x20;
}

/// The parser's preparation: blanks and control characters go at both ends, tabs and line ends everywhere.
std::string prepare(std::string_view text) {
    while (!text.empty() && is_blank_or_control(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank_or_control(text.back())) {
        text.remove_suffix(1);
    }
    std::string prepared;
    for (const char c : text) {
        if (c != '\t' && c != '\n' && c != '\r') {
            prepared += c;
        }
    }
    return prepared;
}

bool has_scheme(std::string_view text) {
    const auto is_alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.empty() || !is_alpha(text.front())) {
        return false;
    }
    for (const char c : text) {
        if (c == ':') {
            return true;
        }
        if (!is_alpha(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') {
            return false;
        }
    }
    return false;
}

bool is_dots(std::string segment, std::size_t count) {
    for (const std::string_view escaped : {"%2e", "%2E"}) {
        for (auto at = segment.find(escaped); at != std::string::npos; at = segment.find(escaped)) {
            segment.replace(at, escaped.size(), ".");
        }
    }
    return segment == std::string(count, '.');
}

/// The path a browser asks this site for, or nothing when it goes elsewhere. `base` is the page /dir/page.
bool stays_here(std::string_view address, std::string& path) {
    const auto text = prepare(address);
    const auto is_slash = [&](std::size_t i) { return i < text.size() && (text[i] == '/' || text[i] == '\\'); };
    if (has_scheme(text) || (is_slash(0) && is_slash(1))) {
        return false;
    }
    std::vector<std::string> segments;
    std::string segment;
    std::size_t i = is_slash(0) ? 1 : 0;
    for (;; ++i) {
        const bool end = i >= text.size() || text[i] == '?' || text[i] == '#';
        if (!end && !is_slash(i)) {
            segment += text[i];
            continue;
        }
        if (is_dots(segment, 2)) {
            if (!segments.empty()) {
                segments.pop_back();
            }
        } else if (!is_dots(segment, 1)) {
            segments.push_back(segment);
        }
        segment.clear();
        if (end) {
            break;
        }
    }
    path = "";
    for (const auto& part : segments) {
        path += '/' + part;
    }
    return true;
}

Verdict judge(std::string_view input) {
    if (!core::is_local_return_address(input)) {
        return Verdict::refused;
    }
    require(!input.empty() && input.size() <= core::kMaxReturnBytes, "an address is bounded");
    std::string path;
    require(stays_here(input, path), "a browser stays on this site");
    require(!path.starts_with("//") && !path.starts_with("/\\"), "nor does the path, without its dots, look like a host");
    for (const char c : input) {
        require(c > ' ' && c < '\x7f', "no character can split a header or a page");
    }
    // What httpd, or a page that adds it to its own address, decodes once.
    const auto decoded = core::form_decode(input.substr(0, input.find('?')));
    if (decoded) {
        require(!decoded->starts_with("//") && !decoded->starts_with("/\\"), "decoded once it is no other host either");
        require(decoded->find_first_of("\r\n") == std::string::npos, "decoded once it has no line end");
    }
    return Verdict::accepted;
}

const Registration kTarget{"return_address", judge};

}  // namespace
