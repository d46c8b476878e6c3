#include "session/login_ticket.hpp"

#include <algorithm>
#include <cstring>

#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/random.hpp"
#include "crypto/sealed_box.hpp"

namespace proconnect::session {
namespace {

using core::Error;
using core::ErrorCode;

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxStateChars = 8000;   // a request line of httpd holds 8190
constexpr std::size_t kMaxAcrValues = 16;
constexpr std::size_t kMaxAcrBytes = 255;
constexpr std::uint8_t kFlagSilent = 1;
constexpr std::uint8_t kFlagReauthenticate = 2;
constexpr std::uint8_t kFlagStepUp = 4;

// Length-prefixed, so that no two contexts have the same bytes.
std::string associated_data(const TicketContext& context) {
    std::string data = "login ticket 1";
    for (const auto part : {context.issuer, context.client_id, context.redirect_uri}) {
        data += '\n' + std::to_string(part.size()) + ':';
        data += part;
    }
    return data;
}

void put_u16(std::string& out, std::size_t value) {
    out += static_cast<char>(value >> 8 & 0xff);
    out += static_cast<char>(value & 0xff);
}

void put_string(std::string& out, std::string_view text) {
    put_u16(out, text.size());
    out += text;
}

/// Reads a ticket's fields one after the other; any read beyond the end makes all further ones fail.
class Reader {
public:
    explicit Reader(std::string_view data) : rest_(data) {}
    std::string_view bytes(std::size_t count) {
        if (rest_.size() < count) {
            failed_ = true;
            rest_ = {};
            return {};
        }
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::uint64_t number(std::size_t width) {
        std::uint64_t value = 0;
        for (const char byte : bytes(width)) {
            value = value << 8 | static_cast<std::uint8_t>(byte);
        }
        return value;
    }
    std::string string(std::size_t limit) {
        const auto size = static_cast<std::size_t>(number(2));
        if (size > limit) {
            failed_ = true;
            return {};
        }
        return std::string{bytes(size)};
    }
    [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    std::string_view rest_;
    bool failed_ = false;
};

std::string encode(const LoginTicket& ticket) {
    std::string out;
    out += static_cast<char>(kVersion);
    out.append(reinterpret_cast<const char*>(ticket.id.data()), ticket.id.size());
    const auto issued = static_cast<std::uint64_t>(core::to_unix_seconds(ticket.issued));
    for (int shift = 56; shift >= 0; shift -= 8) {
        out += static_cast<char>(issued >> shift & 0xff);
    }
    out += static_cast<char>((ticket.silent ? kFlagSilent : 0) | (ticket.reauthenticate ? kFlagReauthenticate : 0) | (ticket.step_up ? kFlagStepUp : 0));
    out += static_cast<char>(ticket.attempt);
    out += ticket.browser;
    put_string(out, ticket.return_address);
    put_u16(out, ticket.acr_values.size());
    for (const auto& acr : ticket.acr_values) {
        put_string(out, acr);
    }
    return out;
}

std::optional<LoginTicket> decode(std::string_view data) {
    Reader reader{data};
    if (reader.number(1) != kVersion) {
        return std::nullopt;
    }
    LoginTicket ticket;
    const auto id = reader.bytes(ticket.id.size());
    if (reader.failed()) {
        return std::nullopt;
    }
    std::memcpy(ticket.id.data(), id.data(), id.size());
    ticket.issued = core::from_unix_seconds(static_cast<std::int64_t>(reader.number(8)));
    const auto flags = reader.number(1);
    ticket.silent = (flags & kFlagSilent) != 0;
    ticket.reauthenticate = (flags & kFlagReauthenticate) != 0;
    ticket.step_up = (flags & kFlagStepUp) != 0;
    ticket.attempt = static_cast<std::uint8_t>(reader.number(1));
    ticket.browser = std::string{reader.bytes(32)};
    ticket.return_address = reader.string(core::kMaxReturnBytes);
    const auto count = reader.number(2);
    if (count > kMaxAcrValues) {
        return std::nullopt;
    }
    for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) {
        ticket.acr_values.push_back(reader.string(kMaxAcrBytes));
    }
    if (!reader.complete()) {
        return std::nullopt;
    }
    return ticket;
}

std::expected<core::Secret, Error> derive_text(const crypto::Key256& key, std::string_view message) {
    auto mac = crypto::hmac_sha256(key, message);
    if (!mac) {
        return std::unexpected(std::move(mac.error()));
    }
    return core::Secret{core::base64url_encode(*mac)};
}

}  // namespace

std::expected<BrowserBinding, Error> BrowserBinding::make_random() {
    std::string bytes(kBytes, '\0');
    if (auto filled = crypto::fill_random({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}); !filled) {
        return std::unexpected(std::move(filled.error()));
    }
    return BrowserBinding{core::Secret{std::move(bytes)}};
}

std::optional<BrowserBinding> BrowserBinding::parse(std::string_view cookie) {
    if (cookie.size() != kCookieChars) {
        return std::nullopt;
    }
    auto bytes = core::base64url_decode(cookie);
    if (!bytes || bytes->size() != kBytes) {
        return std::nullopt;
    }
    return BrowserBinding{core::Secret{std::move(*bytes)}};
}

std::string BrowserBinding::cookie_value() const {
    return core::base64url_encode(bytes.reveal());
}

std::expected<std::string, Error> BrowserBinding::fingerprint() const {
    auto digest = crypto::sha256(bytes.reveal());
    if (!digest) {
        return std::unexpected(std::move(digest.error()));
    }
    return std::string{reinterpret_cast<const char*>(digest->data()), digest->size()};
}

std::expected<std::string, Error> seal_ticket(const LoginTicket& ticket, const TicketContext& context, const ServerKey& key) {
    const bool fits = ticket.browser.size() == 32 && ticket.return_address.size() <= core::kMaxReturnBytes && ticket.acr_values.size() <= kMaxAcrValues &&
                      std::ranges::all_of(ticket.acr_values, [](const std::string& acr) { return acr.size() <= kMaxAcrBytes; });
    if (!fits) {
        return std::unexpected(Error{ErrorCode::internal_error, "login ticket: a field is beyond its limit"});
    }
    auto box = crypto::seal(key.login_ticket, associated_data(context), encode(ticket));
    if (!box) {
        return std::unexpected(std::move(box.error()));
    }
    auto state = core::base64url_encode(*box);
    if (state.size() > kMaxStateChars) {
        return std::unexpected(Error{ErrorCode::internal_error, "login ticket: its fields are too long together"});
    }
    return state;
}

std::expected<OpenedTicket, Error> open_ticket(std::string_view state, const TicketContext& context, const ServerKeys& keys) {
    const auto unreadable = [](const char* why) { return std::unexpected(Error{ErrorCode::state_unreadable, why}); };
    if (state.size() > kMaxStateChars) {
        return unreadable("state: too long");
    }
    const auto box = core::base64url_decode(state);
    if (!box) {
        return unreadable("state: not base64url");
    }
    const auto associated = associated_data(context);
    const ServerKey* key = &keys.current;
    auto plaintext = crypto::open_sealed(key->login_ticket, associated, *box);
    if (!plaintext && keys.previous) {
        key = &*keys.previous;
        plaintext = crypto::open_sealed(key->login_ticket, associated, *box);
    }
    if (!plaintext) {
        return unreadable("state: not sealed by this server for this client");
    }
    auto ticket = decode(*plaintext);
    if (!ticket) {
        return unreadable("state: of another version");
    }
    return OpenedTicket{std::move(*ticket), key};
}

std::expected<std::string, Error> derive_session_name(const LoginTicket& ticket, const ServerKey& key) {
    const auto mac = crypto::hmac_sha256(key.session_name, {reinterpret_cast<const char*>(ticket.id.data()), ticket.id.size()});
    if (!mac) {
        return std::unexpected(mac.error());
    }
    return core::base64url_encode(std::span{*mac}.first(16));
}

std::expected<LoginSecrets, Error> derive_login_secrets(const LoginTicket& ticket, const BrowserBinding& binding, const ServerKey& key) {
    std::string message{binding.bytes.reveal()};
    message.append(reinterpret_cast<const char*>(ticket.id.data()), ticket.id.size());
    auto nonce = derive_text(key.nonce, message);
    auto verifier = derive_text(key.code_verifier, message);
    core::wipe(message.data(), message.size());
    if (!nonce) {
        return std::unexpected(std::move(nonce.error()));
    }
    if (!verifier) {
        return std::unexpected(std::move(verifier.error()));
    }
    return LoginSecrets{.nonce = std::move(*nonce), .code_verifier = std::move(*verifier)};
}

}  // namespace proconnect::session
