// A Cookie header: scan_cookies(), strip_cookies(), and the two values of ours. Accepted is a header with a session handle.
#include <memory>
#include <vector>

#include "core/cookie.hpp"
#include "fuzz/fuzz.hpp"
#include "session/login_ticket.hpp"
#include "session/session.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

constexpr std::string_view kSession = "__Host-proconnect";
constexpr std::string_view kLogin = "__Host-proconnect-login";
constexpr std::string_view kSilent = "__Host-proconnect-silent";
constexpr core::CookieNames kNames{.session = kSession, .login = kLogin, .silent = kSilent};

struct Pair {
    std::string text, name;
};

/// A second reading of a Cookie header, by RFC 6265 section 4.2.1 and as leniently as servers do.
std::vector<Pair> read_header(std::string_view header) {
    const auto trim = [](std::string_view text) {
        const auto first = text.find_first_not_of(" \t");
        return first == std::string_view::npos ? std::string{} : std::string{text.substr(first, text.find_last_not_of(" \t") - first + 1)};
    };
    std::vector<Pair> pairs;
    while (!header.empty()) {
        const auto end = header.find(';');
        const auto text = trim(header.substr(0, end));
        const auto equals = text.find('=');
        if (!text.empty()) {
            pairs.push_back({text, equals == std::string::npos ? "" : trim(text.substr(0, equals))});
        }
        header = end == std::string_view::npos ? std::string_view{} : header.substr(end + 1);
    }
    return pairs;
}

bool is_subsequence(std::string_view part, std::string_view whole) {
    for (const char c : whole) {
        if (!part.empty() && part.front() == c) {
            part.remove_prefix(1);
        }
    }
    return part.empty();
}

std::string strip(std::string_view header) {
    const auto out = std::make_unique<char[]>(header.size());
    const auto written = core::strip_cookies(header, kNames, out.get());
    require(written <= header.size(), "never more bytes than the header had");
    return {out.get(), written};
}

Verdict judge(std::string_view input) {
    const auto found = core::scan_cookies(input, kNames);
    const auto stripped = strip(input);
    require(is_subsequence(stripped, input), "what is left was there before");
    require(!core::scan_cookies(stripped, kNames).any, "no cookie of ours is left");
    require(strip(stripped) == stripped, "there is nothing to strip twice");
    std::string others;
    std::size_t sessions = 0;
    std::size_t logins = 0;
    bool silent = false;
    for (const auto& pair : read_header(input)) {
        sessions += pair.name == kSession ? 1 : 0;
        logins += pair.name == kLogin ? 1 : 0;
        silent = silent || pair.name == kSilent;
        if (pair.name != kSession && pair.name != kLogin && pair.name != kSilent) {
            others += (others.empty() ? "" : ";") + pair.text;
        }
    }
    require(stripped == others, "the cookies of others are all there, in their order");
    require(found.any == (sessions + logins != 0 || silent) && found.silent == silent, "ours are seen");
    require(found.session.has_value() == (sessions == 1) && found.login.has_value() == (logins == 1), "a repeated cookie counts as absent");

    if (const auto binding = session::BrowserBinding::parse(found.login.value_or(""))) {
        require(binding->cookie_value() == found.login, "a login cookie has one spelling");
    }
    const auto handle = session::SessionHandle::parse(found.session.value_or(""));
    require(!handle || handle->cookie_value() == found.session, "a session cookie has one spelling");
    return handle ? Verdict::accepted : Verdict::refused;
}

const Registration kTarget{"cookie", judge};

}  // namespace
