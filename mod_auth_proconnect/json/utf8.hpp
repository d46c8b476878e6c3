#pragma once
#include <cstddef>
#include <string_view>

namespace proconnect::json {

/// Length of the well-formed UTF-8 sequence that `text` begins with, Unicode table 3-7; 0 when there is none. Overlong
/// forms, surrogates and values above U+10FFFF are not well-formed.
[[nodiscard]] constexpr std::size_t utf8_sequence_length(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte(i) >= low && byte(i) <= high;
    };
    const unsigned first = byte(0);
    if (text.empty() || (first >= 0x80 && first < 0xC2) || first > 0xF4) {
        return 0;
    }
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xE0) {
        return continues(1) ? 2 : 0;
    }
    if (first < 0xF0) {
        const unsigned low = first == 0xE0 ? 0xA0U : 0x80U;
        const unsigned high = first == 0xED ? 0x9FU : 0xBFU;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    const unsigned low = first == 0xF0 ? 0x90U : 0x80U;
    const unsigned high = first == 0xF4 ? 0x8FU : 0xBFU;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
}

[[nodiscard]] constexpr bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace proconnect::json
