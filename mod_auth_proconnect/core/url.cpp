#include "core/url.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/secret.hpp"

namespace proconnect::core {
namespace {

// Not the functions of <cctype>: those depend on the locale of the process.
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_unreserved(char c) noexcept {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Visible ASCII: no control character, space, DEL or byte above 0x7F.
constexpr bool is_visible(char c) noexcept { return c > ' ' && c < '\x7f'; }

constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) {
        return c - '0';
    }
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte that text[at..at+2] escapes, or -1 when this is no complete escape.
int escaped_byte(std::string_view text, std::size_t at) noexcept {
    if (text.size() - at < 3 || text[at] != '%') {
        return -1;
    }
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::size_t encoded_size(std::string_view text) noexcept {
    const auto plain = static_cast<std::size_t>(std::ranges::count_if(text, is_unreserved));
    return plain + (text.size() - plain) * 3;
}

void append_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c)) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back('%');
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 0x0F]);
        }
    }
}

std::unexpected<Error> malformed(const char* detail) {
    return std::unexpected(Error{ErrorCode::parameters_malformed, detail});
}

/// The characters of RFC 3986 sections 3.3 and 3.4 with complete escapes only.
bool is_path_or_query(std::string_view text) noexcept {
    constexpr std::string_view kOthers = "!$&'()*+,;=:@/?";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (escaped_byte(text, i) < 0) {
                return false;
            }
        } else if (!is_unreserved(text[i]) && !kOthers.contains(text[i])) {
            return false;
        }
    }
    return true;
}

/// Reads `host` or `[IPv6]` off the front of the authority. @return the text, or empty when it is neither
std::string_view take_host(std::string_view& authority) {
    std::size_t length = 0;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) {
            return {};
        }
        in6_addr address{};
        const std::string inside{authority.substr(1, end - 1)};
        if (inside.contains('\0') || ::inet_pton(AF_INET6, inside.c_str(), &address) != 1) {
            return {};
        }
        length = end + 1;
    } else {
        while (length < authority.size() && (is_unreserved(authority[length]) && authority[length] != '~')) {
            ++length;
        }
    }
    const auto host = authority.substr(0, length);
    authority.remove_prefix(length);
    return host;
}

/// `rest` is what follows the host in the authority: nothing, or ':' and a port.
std::optional<std::uint16_t> parse_port(std::string_view rest, std::uint16_t default_port) noexcept {
    if (rest.empty()) {
        return default_port;
    }
    if (rest.front() != ':') {
        return std::nullopt;
    }
    rest.remove_prefix(1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
    if (error != std::errc{} || end != rest.data() + rest.size() || port == 0) {
        return std::nullopt;
    }
    return port;
}

}  // namespace

std::string percent_encode(std::string_view text) {
    std::string out;
    out.reserve(encoded_size(text));
    append_encoded(out, text);
    return out;
}

std::optional<std::string> form_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int byte = escaped_byte(text, i);
            if (byte <= 0) {
                return std::nullopt;
            }
            out.push_back(static_cast<char>(byte));
            i += 2;
        } else if (text[i] == '\0') {
            return std::nullopt;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

std::expected<Parameters, Error> Parameters::parse(std::string_view text) {
    Parameters parameters;
    if (text.size() > kMaxBytes) {
        return malformed("parameters are too long");
    }
    while (!text.empty()) {
        const auto end = text.find('&');
        const auto item = text.substr(0, end);
        // "a=1&" ends in an item without a name, refused below like any other.
        const bool last = end == std::string_view::npos;
        text = last ? std::string_view{} : text.substr(end + 1);
        const auto equals = item.find('=');
        auto name = form_decode(item.substr(0, equals));
        auto value = form_decode(equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1));
        if (!name || !value) {
            return malformed("a parameter has a broken escape");
        }
        if (name->empty() || (!last && text.empty())) {
            return malformed("a parameter has no name");
        }
        if (parameters.find(*name)) {
            return malformed("a parameter is repeated");
        }
        if (parameters.items_.size() == kMaxCount) {
            return malformed("too many parameters");
        }
        parameters.items_.emplace_back(std::move(*name), std::move(*value));
    }
    return parameters;
}

std::optional<std::string_view> Parameters::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(items_, name, &std::pair<std::string, std::string>::first);
    if (found == items_.end()) {
        return std::nullopt;
    }
    return found->second;
}

ParameterList& ParameterList::add(std::string_view name, std::string_view value) {
    const std::size_t needed = text_.size() + 2 + encoded_size(name) + encoded_size(value);
    if (needed > text_.capacity()) {
        // Grown by hand, because std::string frees its old buffer without wiping it.
        std::string larger;
        larger.reserve(std::max(needed, text_.capacity() * 2));
        larger = text_;
        text_.swap(larger);
        wipe(larger.data(), larger.capacity());
    }
    if (!text_.empty()) {
        text_.push_back('&');
    }
    append_encoded(text_, name);
    text_.push_back('=');
    append_encoded(text_, value);
    return *this;
}

ParameterList::~ParameterList() {
    wipe(text_.data(), text_.capacity());
}

bool Url::is_loopback() const noexcept {
    if (host == "localhost") {
        return true;
    }
    in_addr v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    in6_addr v6{};
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (host.size() < 2 || host.size() - 2 >= text.size() || host.front() != '[') {
        return false;
    }
    std::ranges::copy(std::string_view{host}.substr(1, host.size() - 2), text.begin());
    return ::inet_pton(AF_INET6, text.data(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string Url::origin() const {
    const std::uint16_t default_port = is_https() ? 443 : 80;
    return scheme + "://" + host + (port == default_port ? std::string{} : ':' + std::to_string(port));
}

std::optional<Url> parse_url(std::string_view text) {
    Url url;
    const auto colon = text.find("://");
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    url.scheme = text.substr(0, colon);
    std::ranges::transform(url.scheme, url.scheme.begin(), to_lower);
    if (url.scheme != "https" && url.scheme != "http") {
        return std::nullopt;
    }
    text.remove_prefix(colon + 3);

    auto authority = text.substr(0, text.find_first_of("/?"));
    const auto rest = text.substr(authority.size());
    // Userinfo, a fragment, a backslash or a second '@' leave something behind the host that is no port.
    const auto host = take_host(authority);
    const auto port = parse_port(authority, url.is_https() ? 443 : 80);
    if (host.empty() || !port || !is_path_or_query(rest)) {
        return std::nullopt;
    }
    url.host = host;
    std::ranges::transform(url.host, url.host.begin(), to_lower);
    url.port = *port;
    const auto question = rest.find('?');
    url.path = rest.substr(0, question);
    url.query = question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
    return url;
}

namespace {

/// A segment ".." in any spelling: browsers and proxies take it out before they send, so a page that was really asked for has none.
bool has_dot_dot_segment(std::string_view path) noexcept {
    const auto take_dot = [](std::string_view& rest) {
        const std::size_t length = rest.starts_with('.') ? 1 : rest.size() >= 3 && rest[0] == '%' && rest[1] == '2' && (rest[2] | 0x20) == 'e' ? 3 : 0;
        rest.remove_prefix(length);
        return length != 0;
    };
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
        auto rest = path.substr(at + 1);
        if (take_dot(rest) && take_dot(rest) && (rest.empty() || rest.front() == '/')) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool is_local_return_address(std::string_view path_and_query) noexcept {
    if (path_and_query.empty() || path_and_query.size() > kMaxReturnBytes || path_and_query.front() != '/') {
        return false;
    }
    if (path_and_query.substr(1).starts_with('/')) {
        return false;
    }
    const std::size_t query = std::min(path_and_query.find('?'), path_and_query.size());
    if (has_dot_dot_segment(path_and_query.substr(0, query))) {
        return false;
    }
    for (std::size_t i = 0; i < path_and_query.size(); ++i) {
        const char c = path_and_query[i];
        if (!is_visible(c) || c == '\\' || c == '#') {
            return false;
        }
        if (const int byte = escaped_byte(path_and_query, i); byte >= 0) {
            const bool is_slash = byte == '/' || byte == '\\';
            const bool is_control = byte < 0x20 || byte == 0x7F;
            if ((is_control && i < query) || (i == 1 && is_slash)) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace proconnect::core
