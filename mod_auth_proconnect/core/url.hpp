#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace proconnect::core {

/// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3.
[[nodiscard]] std::string percent_encode(std::string_view text);
/// Decodes %XX and, as in forms, `+`. Nothing when an escape is incomplete, or for NUL, escaped or not.
[[nodiscard]] std::optional<std::string> form_decode(std::string_view text);

/// Parameters of a query string or of an application/x-www-form-urlencoded body, RFC 6749 sections 3.1 and 4.1.2.
class Parameters {
public:
    static constexpr std::size_t kMaxCount = 64;
    static constexpr std::size_t kMaxBytes = 16384;

    /// Refuses more than kMaxBytes, more than kMaxCount, a name that occurs twice, a broken escape, an empty name.
    static std::expected<Parameters, Error> parse(std::string_view text);

    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;

private:
    std::vector<std::pair<std::string, std::string>> items_;
};

/// Builds `a=1&b=2` with everything percent-encoded; the same form serves a query and a body.
class ParameterList {
public:
    ParameterList& add(std::string_view name, std::string_view value);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] std::string take() noexcept { return std::move(text_); }
    ~ParameterList();
    ParameterList() = default;
    ParameterList(const ParameterList&) = delete;
    ParameterList& operator=(const ParameterList&) = delete;

private:
    std::string text_;  ///< wiped at the end: it may hold the client's secret
};

/// An absolute http or https URL in its parts; what configuration and discovery may contain.
struct Url {
    std::string scheme;       ///< "http" or "https", lower case
    std::string host;         ///< lower case; an IPv6 address keeps its brackets
    std::uint16_t port = 0;   ///< explicit or the scheme's default
    std::string path;         ///< begins with '/' or is empty
    std::string query;        ///< without '?'; empty when absent

    [[nodiscard]] bool is_https() const noexcept { return scheme == "https"; }
    /// localhost, 127.0.0.0/8 or [::1]: the only hosts plain http is accepted for
    [[nodiscard]] bool is_loopback() const noexcept;
    /// scheme://host[:port], the port only when it is not the default one; RFC 6454 section 6.2
    [[nodiscard]] std::string origin() const;
};

/// Refuses other schemes, userinfo, fragments, white space, control characters, backslashes, an empty host, port 0 or an empty
/// port, broken escapes and whatever else RFC 3986 section 3 does not allow, non-ASCII included.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

/// Whether a return address is a path of this very site as every browser reads it (WHATWG URL): one leading '/',
/// then no second '/' or '\', no backslash, control character, space, DEL or non-ASCII byte anywhere, no fragment, at
/// most `kMaxReturnBytes`, and in its path no ".." segment and no %-escape of a control character, none of a slash or backslash
/// directly after the first slash.
inline constexpr std::size_t kMaxReturnBytes = 4096;
[[nodiscard]] bool is_local_return_address(std::string_view path_and_query) noexcept;

}  // namespace proconnect::core
