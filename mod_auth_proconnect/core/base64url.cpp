#include "core/base64url.hpp"

#include <array>

namespace proconnect::core {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kInvalid = 0xFF;
constexpr std::uint8_t kInvalidMark = 0xC0;  // no value of six bits has it

constexpr std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(kInvalid);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}
constexpr auto kValues = make_values();

/// The six bits of one character, or kInvalid.
std::uint8_t value_of(char c) noexcept {
    return kValues[static_cast<unsigned char>(c)];
}

/// Bytes that a text of this length decodes to; nothing for lengths that no byte string has.
std::optional<std::size_t> decoded_size(std::size_t length) noexcept {
    const std::size_t rest = length % 4;
    if (rest == 1) {
        return std::nullopt;
    }
    return length / 4 * 3 + (rest == 0 ? 0 : rest - 1);
}

/// @param out  holds decoded_size(text.size()) bytes
bool decode(std::string_view text, std::uint8_t* out) noexcept {
    // Four characters at a time; the marks of bad ones are gathered and looked at once, so that every text of a length costs the same.
    std::uint8_t seen = 0;
    std::size_t i = 0;
    for (; i + 4 <= text.size(); i += 4) {
        const std::uint8_t a = value_of(text[i]);
        const std::uint8_t b = value_of(text[i + 1]);
        const std::uint8_t c = value_of(text[i + 2]);
        const std::uint8_t d = value_of(text[i + 3]);
        seen = static_cast<std::uint8_t>(seen | a | b | c | d);
        *out++ = static_cast<std::uint8_t>(a << 2 | b >> 4);
        *out++ = static_cast<std::uint8_t>(b << 4 | c >> 2);
        *out++ = static_cast<std::uint8_t>(c << 6 | d);
    }
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (; i < text.size(); ++i) {
        const std::uint8_t value = value_of(text[i]);
        seen = static_cast<std::uint8_t>(seen | value);
        bits = (bits << 6) | (value & 0x3FU);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = static_cast<std::uint8_t>(bits >> count);
            bits &= (1U << count) - 1;
        }
    }
    return (seen & kInvalidMark) == 0 && bits == 0;  // what is left over are the unused bits
}

}  // namespace

std::string base64url_encode(std::span<const std::uint8_t> bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = (bits << 8) | byte;
        count += 8;
        while (count >= 6) {
            count -= 6;
            text.push_back(kAlphabet[(bits >> count) & 0x3F]);
        }
        bits &= (1U << count) - 1;
    }
    if (count > 0) {
        text.push_back(kAlphabet[(bits << (6 - count)) & 0x3F]);
    }
    return text;
}

std::string base64url_encode(std::string_view bytes) {
    return base64url_encode(std::span{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::optional<std::string> base64url_decode(std::string_view text) {
    const auto size = decoded_size(text.size());
    if (!size) {
        return std::nullopt;
    }
    std::string bytes(*size, '\0');
    if (!decode(text, reinterpret_cast<std::uint8_t*>(bytes.data()))) {
        return std::nullopt;
    }
    return bytes;
}

bool base64url_decode_exactly(std::string_view text, std::span<std::uint8_t> out) noexcept {
    return decoded_size(text.size()) == out.size() && decode(text, out.data());
}

}  // namespace proconnect::core
