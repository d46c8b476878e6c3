#pragma once
#include <span>
#include <string_view>

namespace proconnect::core {

/// The known word nearest to what was written, one it begins, or else by edit distance over at most 64 characters; "" when none is near (more than a third of its letters differ).
[[nodiscard]] std::string_view nearest_word(std::string_view written, std::span<const std::string_view> known);

}  // namespace proconnect::core
