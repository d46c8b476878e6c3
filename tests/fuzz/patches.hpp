#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace proconnect::fuzz {

/// Damages memory as the input says: patches of area (1 byte), offset (2 bytes, little end first), length (1 byte) and as many bytes. The areas are
/// the places where something of interest stands, so that small numbers reach all of them; area and offset wrap round.
inline void apply_patches(std::string_view patches, std::span<const std::span<std::byte>> areas) {
    constexpr std::size_t kHeaderBytes = 4;
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<std::uint8_t>(patches[i])); };
    while (patches.size() >= kHeaderBytes) {
        const auto area = areas[byte(0) % areas.size()];
        const auto target = area.subspan((byte(1) | byte(2) << 8) % area.size());
        const auto length = std::min({byte(3), target.size(), patches.size() - kHeaderBytes});
        std::memcpy(target.data(), patches.data() + kHeaderBytes, length);
        patches.remove_prefix(kHeaderBytes + length);
    }
}

}  // namespace proconnect::fuzz
