#include "core/cookie.hpp"

#include <cstring>

namespace proconnect::core {
namespace {

struct Pair {
    std::string_view whole, name, value;   ///< `whole` without surrounding blanks
};

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

[[gnu::hot]] std::string_view trim(std::string_view text) noexcept {
    const char* begin = text.data();
    const char* end = begin + text.size();
    while (begin != end && is_blank(*begin)) {
        ++begin;
    }
    while (begin != end && is_blank(end[-1])) {
        --end;
    }
    return {begin, static_cast<std::size_t>(end - begin)};
}

/// Takes the next pair off the header.
[[gnu::hot]] Pair next_pair(std::string_view& rest) noexcept {
    const auto end = rest.find(';');
    const auto whole = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto equals = whole.find('=');
    if (equals == std::string_view::npos) {
        return {.whole = whole, .name = {}, .value = {}};
    }
    return {.whole = whole, .name = trim(whole.substr(0, equals)), .value = trim(whole.substr(equals + 1))};
}

bool is_silent(const Pair& pair, const CookieNames& names) noexcept {
    return pair.name == names.silent && !names.silent.empty();
}

}  // namespace

OwnCookies scan_cookies(std::string_view header, const CookieNames& names) noexcept {
    OwnCookies found;
    std::size_t sessions = 0;
    std::size_t logins = 0;
    if (header.find(names.session) == std::string_view::npos && header.find(names.login) == std::string_view::npos) {
        found.others = !header.empty();
        return found;
    }
    while (!header.empty()) {
        const auto pair = next_pair(header);
        if (pair.name == names.session) {
            found.session = pair.value;
            ++sessions;
        } else if (pair.name == names.login) {
            found.login = pair.value;
            ++logins;
        } else if (is_silent(pair, names)) {
            found.silent = true;
        } else if (!pair.whole.empty()) {
            found.others = true;
        }
    }
    found.any = sessions + logins != 0 || found.silent;
    if (sessions != 1) {
        found.session.reset();
    }
    if (logins != 1) {
        found.login.reset();
    }
    return found;
}

std::size_t strip_cookies(std::string_view header, const CookieNames& names, char* out) noexcept {
    std::size_t used = 0;
    while (!header.empty()) {
        const auto pair = next_pair(header);
        if (pair.whole.empty() || pair.name == names.session || pair.name == names.login || is_silent(pair, names)) {
            continue;
        }
        // Separated by ";" alone: never more bytes than the header had.
        if (used != 0) {
            out[used++] = ';';
        }
        std::memcpy(out + used, pair.whole.data(), pair.whole.size());
        used += pair.whole.size();
    }
    return used;
}

}  // namespace proconnect::core
