#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "session/server_key.hpp"

namespace proconnect::session {

/// The one cookie a browser holds for all its logins under way: 32 random bytes. Ties each ticket to the browser that began it
/// (RFC 9700 section 4.7), and is the secret half of each login's nonce and PKCE verifier.
struct BrowserBinding {
    static constexpr std::size_t kBytes = 32;
    static constexpr std::size_t kCookieChars = 43;  ///< base64url
    core::Secret bytes;

    static std::expected<BrowserBinding, core::Error> make_random();
    /// Nothing unless the text is the canonical encoding of exactly kBytes.
    static std::optional<BrowserBinding> parse(std::string_view cookie);
    [[nodiscard]] std::string cookie_value() const;
    [[nodiscard]] std::expected<std::string, core::Error> fingerprint() const;  ///< SHA-256, 32 raw bytes; what tickets hold
};

/// A login under way. All of it travels inside `state`, sealed; the server keeps nothing.
struct LoginTicket {
    std::array<std::uint8_t, 16> id{};      ///< random; with the binding it yields nonce and PKCE verifier
    core::UnixTime issued{};
    std::string browser;                    ///< BrowserBinding::fingerprint()
    std::string return_address;             ///< path and query of the page asked for; checked again when used
    std::vector<std::string> acr_values;    ///< levels asked for as essential; the answer must be one of them
    bool silent = false;                    ///< prompt=none
    bool reauthenticate = false;            ///< prompt=login: auth_time must not be older than the ticket
    bool step_up = false;                   ///< somebody was signed in, at too low a level
    std::uint8_t attempt = 1;               ///< how many logins in a row were begun without the user doing anything
};

/// Between begin and finish; longer because enrolling a second factor at the provider takes its time.
inline constexpr std::chrono::seconds kTicketLifetime = std::chrono::hours{1};

/// For which client a ticket was made: authenticated with the seal, so that a ticket of one client, issuer or redirect URI does not open for another.
struct TicketContext {
    std::string_view issuer, client_id, redirect_uri;
};

/// Seals a ticket as the `state` parameter: base64url, 150 to about 6 000 characters, bound by the length of the return address.
std::expected<std::string, core::Error> seal_ticket(const LoginTicket& ticket, const TicketContext& context, const ServerKey& key);

/// A ticket and the key it was sealed under, which also derives its secrets (another one after a key change).
struct OpenedTicket {
    LoginTicket ticket;
    const ServerKey* key;  ///< one of the `keys` given to open_ticket()
};

/// Opens a `state` under the current or the previous key; PC1002 for everything that is not a ticket of this context.
/// Neither age nor browser is checked here: an old ticket still tells where the user wanted to go.
std::expected<OpenedTicket, core::Error> open_ticket(std::string_view state, const TicketContext& context, const ServerKeys& keys);

/// `nonce` (Core 3.1.2.1) and `code_verifier` (RFC 7636 section 4.1) of a login: HMAC-SHA-256 of binding and ticket id, 43 base64url characters each.
struct LoginSecrets {
    core::Secret nonce, code_verifier;
};
std::expected<LoginSecrets, core::Error> derive_login_secrets(const LoginTicket& ticket, const BrowserBinding& binding, const ServerKey& key);

/// The opaque name of the session that a login leads to (PROCONNECT_SESSION): another one at each login, and the same again when a finished
/// login's callback comes back, which is how a reload is recognised. 22 base64url characters.
std::expected<std::string, core::Error> derive_session_name(const LoginTicket& ticket, const ServerKey& key);

}  // namespace proconnect::session
