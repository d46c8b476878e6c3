#include "session/login_mark.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base64url.hpp"
#include "core/secret.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/digest.hpp"

namespace proconnect::session {
namespace {

constexpr char kFields = '.';
constexpr std::size_t kNameChars = 22;   ///< 16 bytes as base64url
constexpr std::size_t kMaxChars = 80;
constexpr std::size_t kMacBytes = 16;
constexpr std::uint8_t kMaxAttempts = 9;

bool is_name(std::string_view text) {
    std::array<std::uint8_t, 16> bytes{};
    return text.empty() || (text.size() == kNameChars && core::base64url_decode_exactly(text, bytes));
}

std::expected<std::string, core::Error> mac_of(std::string_view binding, std::string_view mark, const ServerKey& key) {
    std::string message{binding};
    message += kLoginCookieHalves;
    message += mark;
    const auto mac = crypto::hmac_sha256(key.login_mark, message);
    core::wipe(message.data(), message.size());
    if (!mac) {
        return std::unexpected(mac.error());
    }
    return core::base64url_encode(std::span{*mac}.first(kMacBytes));
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

std::expected<std::string, core::Error> sign_mark(std::string_view binding, const LoginMark& mark, const ServerKey& key) {
    auto text = mark.text();
    const auto mac = mac_of(binding, text, key);
    if (!mac) {
        return std::unexpected(mac.error());
    }
    return text + kLoginCookieHalves + *mac;
}

LoginMark verified_mark(std::string_view binding, std::string_view signed_mark, const ServerKeys& keys) {
    const auto at = signed_mark.rfind(kLoginCookieHalves);
    if (at == std::string_view::npos || at > kMaxChars) {
        return {};
    }
    const auto text = signed_mark.substr(0, at);
    const auto is_signed = [&](const ServerKey& key) {
        const auto mac = mac_of(binding, text, key);
        return mac && crypto::equal_constant_time(*mac, signed_mark.substr(at + 1));
    };
    return is_signed(keys.current) || (keys.previous && is_signed(*keys.previous)) ? LoginMark::parse(text).value_or(LoginMark{}) : LoginMark{};
}

LoginCookie split_login_cookie(std::string_view cookie) noexcept {
    const auto at = cookie.find(kLoginCookieHalves);
    return at == std::string_view::npos ? LoginCookie{.binding = cookie, .mark = {}} : LoginCookie{.binding = cookie.substr(0, at), .mark = cookie.substr(at + 1)};
}

}  // namespace proconnect::session
