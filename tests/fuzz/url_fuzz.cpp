// parse_url().
#include "core/url.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

void check_same(const core::Url& a, const std::optional<core::Url>& b) {
    require(b && a.scheme == b->scheme && a.host == b->host && a.port == b->port && a.path == b->path && a.query == b->query,
            "a URL is written as it is read");
}

Verdict judge(std::string_view input) {
    const auto url = core::parse_url(input);
    if (!url) {
        return Verdict::refused;
    }
    require(url->scheme == "https" || url->scheme == "http", "the scheme is http or https");
    require(url->is_https() == (url->scheme == "https"), "https is https");
    require(!url->host.empty() && url->port != 0, "there is a host and a port");
    constexpr std::string_view kHostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-._[]:";
    require(url->host.find_first_not_of(kHostCharacters) == std::string::npos, "the host is a name or an address");
    require(url->path.empty() || url->path.starts_with('/'), "a path begins with a slash");
    for (const char c : input) {
        require(c > ' ' && c < '\x7f' && c != '\\' && c != '#' && c != '"' && c != '<' && c != '>', "no character can split a header or a page");
    }
    require(url->path.find('@') != std::string::npos || url->query.find('@') != std::string::npos || input.find('@') == std::string_view::npos,
            "there is no user name");
    const auto origin = core::parse_url(url->origin());
    require(origin && origin->origin() == url->origin() && origin->path.empty(), "an origin is a URL of its own");
    check_same(*url, core::parse_url(url->scheme + "://" + url->host + ':' + std::to_string(url->port) + url->path +
                                     (input.contains('?') ? '?' + url->query : std::string{})));
    const bool looks_local = url->host == "localhost" || url->host.starts_with("127.") || url->host.starts_with('[');
    require(!url->is_loopback() || looks_local, "only this machine is loopback");
    return Verdict::accepted;
}

const Registration kTarget{"url", judge};

}  // namespace
