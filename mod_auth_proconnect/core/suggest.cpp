#include "core/suggest.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace proconnect::core {
namespace {

constexpr std::size_t kMaxLength = 64;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<std::size_t, kMaxLength + 1> row{};
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view written, std::span<const std::string_view> known) {
    // The word itself, but for its case; then what was begun well is completed: "prod" is nearer to "production" than its letters say.
    for (const auto word : known) {
        if (std::ranges::equal(word, written, {}, lower, lower)) {
            return word;
        }
    }
    for (const auto word : known) {
        if (written.size() >= 3 && word.size() > written.size() && std::ranges::equal(word.substr(0, written.size()), written, {}, lower, lower)) {
            return word;
        }
    }
    std::string_view best;
    std::size_t best_distance = kMaxLength;
    for (const auto word : known) {
        if (written.size() > kMaxLength || word.size() > kMaxLength) {
            continue;
        }
        const auto distance = edit_distance(written, word);
        if (distance < best_distance && distance * 3 <= word.size() + 2) {
            best = word;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace proconnect::core
