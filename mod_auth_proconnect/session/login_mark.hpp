#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "session/server_key.hpp"
#include "session/session_store.hpp"

namespace proconnect::session {

/// What a browser remembers of its own logins, beside its binding and in the same cookie, so that no login goes round in circles and no
/// finished one is taken for a new one. It counts only with the server's signature, since it lets a browser have its forms kept.
struct LoginMark {
    std::uint8_t attempts = 0;       ///< logins begun in a row without the user doing anything and without a page shown
    core::UnixTime when{};           ///< of the last of them, or of the last login finished
    bool finished = false;           ///< `when` is that of a finished login
    std::string session_name;        ///< derive_session_name() of the last login finished; "" = none since the last logout
    std::string subject;             ///< its user, a SubjectTag as base64url; "" = none since the last logout

    [[nodiscard]] std::string text() const;
    /// Nothing for whatever text() did not make.
    [[nodiscard]] static std::optional<LoginMark> parse(std::string_view text);
};

/// The tag as it stands in a mark.
[[nodiscard]] std::string tag_text(const SubjectTag& tag);

/// MARK~MAC: HMAC-SHA-256 over BINDING~MARK under the key for marks, its first 16 bytes as base64url.
[[nodiscard]] std::expected<std::string, core::Error> sign_mark(std::string_view binding, const LoginMark& mark, const ServerKey& key);
/// The mark this server wrote for this binding, under its current or its previous key. Anything else is an empty mark.
[[nodiscard]] LoginMark verified_mark(std::string_view binding, std::string_view signed_mark, const ServerKeys& keys);

/// The two halves of the login cookie: BINDING or BINDING~MARK~MAC. Views; no check of either.
inline constexpr char kLoginCookieHalves = '~';   ///< neither part of base64url nor special in a cookie
struct LoginCookie {
    std::string_view binding, mark;
};
[[nodiscard]] LoginCookie split_login_cookie(std::string_view cookie) noexcept;

}  // namespace proconnect::session
