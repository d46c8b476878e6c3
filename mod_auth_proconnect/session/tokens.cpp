#include <array>
#include <cstring>
#include <limits>

#include "core/base64url.hpp"
#include "session/session.hpp"

// The token block: version (1) | expiry of the access token (8) | id_token | access_token | refresh_token, each as
//
//   0 (1) | length (4) | text                     or
//   number of parts (1) | per part: length (2) | bytes
//
// A JWT is base64url text with dots, and so are many opaque tokens without any: their parts are kept decoded, a quarter smaller. Decoding
// is strict, so that one byte string has one spelling, and the text comes back byte for byte.

namespace proconnect::session {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kAsText = 0;
constexpr std::size_t kMaxParts = 5;  ///< of a JWE

/// Parts of a token, wiped when done with.
struct DecodedToken {
    std::array<std::string, kMaxParts> parts;
    std::uint8_t count = 0;

    DecodedToken() = default;
    DecodedToken(const DecodedToken&) = delete;
    DecodedToken& operator=(const DecodedToken&) = delete;
    ~DecodedToken() {
        for (std::string& part : parts) {
            core::wipe(part.data(), part.capacity());
        }
    }
};

/// @return false when the token cannot be kept in parts
bool decode_parts(std::string_view token, DecodedToken& decoded) {
    if (token.empty()) {
        return false;
    }
    for (std::size_t begin = 0; begin <= token.size();) {
        const std::size_t end = std::min(token.find('.', begin), token.size());
        auto part = core::base64url_decode(token.substr(begin, end - begin));
        if (!part || decoded.count == kMaxParts || part->size() > std::numeric_limits<std::uint16_t>::max()) {
            return false;
        }
        decoded.parts[decoded.count++] = std::move(*part);
        begin = end + 1;
    }
    return true;
}

template <typename Number>
void append_number(std::string& block, Number number) {
    block.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void append_token(std::string& block, std::string_view token) {
    DecodedToken decoded;
    if (!decode_parts(token, decoded)) {
        append_number(block, kAsText);
        append_number(block, static_cast<std::uint32_t>(token.size()));
        block.append(token);
        return;
    }
    append_number(block, decoded.count);
    for (std::size_t i = 0; i < decoded.count; ++i) {
        append_number(block, static_cast<std::uint16_t>(decoded.parts[i].size()));
        block.append(decoded.parts[i]);
    }
}

/// Takes numbers and texts off the front; once something is missing everything is.
class Reader {
public:
    explicit Reader(std::span<const std::uint8_t> block) noexcept
        : rest_(reinterpret_cast<const char*>(block.data()), block.size()) {}

    template <typename Number>
    Number number() noexcept {
        Number value{};
        const std::string_view bytes = text(sizeof(value));
        if (bytes.size() == sizeof(value)) {
            std::memcpy(&value, bytes.data(), sizeof(value));
        }
        return value;
    }
    std::string_view text(std::size_t bytes) noexcept {
        if (bytes > rest_.size()) {
            complete_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, bytes);
        rest_.remove_prefix(bytes);
        return taken;
    }
    void refuse() noexcept { complete_ = false; }
    [[nodiscard]] bool is_complete() const noexcept { return complete_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool complete_ = true;
};

core::Secret take_token(Reader& reader) {
    const auto count = reader.number<std::uint8_t>();
    if (count == kAsText) {
        return core::Secret{std::string{reader.text(reader.number<std::uint32_t>())}};
    }
    if (count > kMaxParts) {
        reader.refuse();
        return core::Secret{};
    }
    std::array<std::string_view, kMaxParts> parts;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
        parts[i] = reader.text(reader.number<std::uint16_t>());
        bytes += parts[i].size() * 4 / 3 + 3;
    }
    std::string token;
    token.reserve(bytes);  // one allocation: growing would leave copies behind
    for (std::size_t i = 0; i < count; ++i) {
        const core::Secret text{core::base64url_encode(parts[i])};
        token.append(i == 0 ? "" : ".").append(text.reveal());
    }
    return core::Secret{std::move(token)};
}

}  // namespace

core::Secret encode_tokens(const SessionTokens& tokens) {
    std::string block;
    constexpr std::size_t kOverhead = sizeof(kVersion) + sizeof(std::int64_t) + 3 * (1 + kMaxParts * sizeof(std::uint16_t));
    block.reserve(kOverhead + tokens.id_token.size() + tokens.access_token.size() + tokens.refresh_token.size());
    append_number(block, kVersion);
    append_number(block, core::to_unix_seconds(tokens.access_token_expires));
    append_token(block, tokens.id_token.reveal());
    append_token(block, tokens.access_token.reveal());
    append_token(block, tokens.refresh_token.reveal());
    return core::Secret{std::move(block)};
}

std::optional<SessionTokens> decode_tokens(std::span<const std::uint8_t> block) {
    Reader reader{block};
    if (reader.number<std::uint8_t>() != kVersion) {
        return std::nullopt;
    }
    SessionTokens tokens;
    tokens.access_token_expires = core::from_unix_seconds(reader.number<std::int64_t>());
    tokens.id_token = take_token(reader);
    tokens.access_token = take_token(reader);
    tokens.refresh_token = take_token(reader);
    if (!reader.is_complete()) {
        return std::nullopt;
    }
    return tokens;
}

}  // namespace proconnect::session
