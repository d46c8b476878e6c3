#include "session/login_mark.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base64url.hpp"

namespace proconnect::session {
namespace {

constexpr char kFields = '.';
constexpr std::size_t kNameChars = 22;   ///< 16 bytes as base64url
constexpr std::size_t kMaxChars = 80;
constexpr std::uint8_t kMaxAttempts = 9;

bool is_name(std::string_view text) {
    std::array<std::uint8_t, 16> bytes{};
    return text.empty() || (text.size() == kNameChars && core::base64url_decode_exactly(text, bytes));
}

}  // namespace

std::string LoginMark::text() const {
    std::string out(1, static_cast<char>('0' + std::min(attempts, kMaxAttempts)));
    out += finished ? 'f' : 'b';
    out += std::to_string(core::to_unix_seconds(when));
    for (const auto& field : {session_name, subject}) {
        out += kFields;
        out += field;
    }
    return out;
}

std::optional<LoginMark> LoginMark::parse(std::string_view text) {
    const auto first = text.find(kFields);
    const auto second = first == std::string_view::npos ? first : text.find(kFields, first + 1);
    if (text.size() > kMaxChars || second == std::string_view::npos || first < 3 || text[0] < '0' || text[0] > '9' || (text[1] != 'f' && text[1] != 'b')) {
        return std::nullopt;
    }
    LoginMark mark;
    mark.attempts = static_cast<std::uint8_t>(text[0] - '0');
    mark.finished = text[1] == 'f';
    std::int64_t seconds = 0;
    const auto digits = text.substr(2, first - 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    const auto name = text.substr(first + 1, second - first - 1);
    const auto subject = text.substr(second + 1);
    if (error != std::errc{} || end != digits.data() + digits.size() || !is_name(name) || !is_name(subject)) {
        return std::nullopt;
    }
    mark.when = core::from_unix_seconds(seconds);
    mark.session_name = name;
    mark.subject = subject;
    return mark;
}

std::string tag_text(const SubjectTag& tag) {
    return core::base64url_encode(std::span<const std::uint8_t>{tag});
}

LoginCookie split_login_cookie(std::string_view cookie) noexcept {
    const auto at = cookie.find(kLoginCookieHalves);
    return at == std::string_view::npos ? LoginCookie{.binding = cookie, .mark = {}} : LoginCookie{.binding = cookie.substr(0, at), .mark = cookie.substr(at + 1)};
}

}  // namespace proconnect::session
