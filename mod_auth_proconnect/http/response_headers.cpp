#include "http/response_headers.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace proconnect::http {
namespace {

/// The values of one header of the final answer; trailers and interim answers do not count.
std::vector<std::string_view> header_values(CURL* handle, const char* name) {
    std::vector<std::string_view> values;
    curl_header* header = nullptr;
    for (std::size_t index = 0; curl_easy_header(handle, name, index, CURLH_HEADER, -1, &header) == CURLHE_OK; ++index) {
        values.emplace_back(header->value);
    }
    return values;
}

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view kBlanks = " \t";
    const std::size_t first = text.find_first_not_of(kBlanks);
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return result;
}

std::optional<std::chrono::seconds> parse_max_age(std::string_view directive) {
    constexpr std::string_view kName = "max-age=";
    if (!directive.starts_with(kName)) {
        return std::nullopt;
    }
    directive.remove_prefix(kName.size());
    if (directive.size() >= 2 && directive.front() == '"' && directive.back() == '"') {
        directive = directive.substr(1, directive.size() - 2);
    }
    // 31 bits are 68 years; RFC 9111 section 1.2.2 lets a larger number mean that much.
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(directive.data(), directive.data() + directive.size(), seconds);
    if (end != directive.data() + directive.size() || directive.empty()) {
        return std::nullopt;
    }
    constexpr std::uint32_t kMost = 0x7FFF'FFFF;
    return std::chrono::seconds{error == std::errc::result_out_of_range ? kMost : std::min(seconds, kMost)};
}

}  // namespace

std::chrono::seconds max_age_of(CURL* handle) {
    std::chrono::seconds shortest{-1};
    const auto shorten = [&](std::chrono::seconds age) { shortest = shortest.count() < 0 ? age : std::min(shortest, age); };
    for (const std::string_view value : header_values(handle, "Cache-Control")) {
        const std::string directives = lower_case(value);
        for (std::string_view rest = directives; !rest.empty();) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            const std::string_view directive = trimmed(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            if (directive == "no-store" || directive == "no-cache") {
                shorten(std::chrono::seconds{0});
            } else if (const auto age = parse_max_age(directive)) {
                shorten(*age);
            }
        }
    }
    return shortest;
}

std::int64_t date_of(CURL* handle) {
    const std::vector<std::string_view> values = header_values(handle, "Date");
    if (values.size() != 1) {
        return 0;
    }
    return std::max<std::int64_t>(curl_getdate(std::string(values.front()).c_str(), nullptr), 0);
}

std::string content_type_of(CURL* handle) {
    const std::vector<std::string_view> values = header_values(handle, "Content-Type");
    if (values.size() != 1) {
        return {};
    }
    return lower_case(trimmed(values.front().substr(0, values.front().find(';'))));
}

}  // namespace proconnect::http
