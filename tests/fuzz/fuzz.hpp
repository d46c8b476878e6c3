#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace proconnect::fuzz {

/// What the code under test made of an input. The name of each seed begins with the one it must get.
enum class Verdict { accepted, refused };

/// One parser or reader, and the properties that hold for every input it is given.
struct Target {
    std::string_view name;
    Verdict (*judge)(std::string_view input);
};

/// All targets linked into this executable: one for libFuzzer, all of them for the replay of the seeds.
inline std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}

struct Registration {
    Registration(std::string_view name, Verdict (*judge)(std::string_view)) { targets().push_back({name, judge}); }
};

/// Aborts when a property does not hold: libFuzzer keeps the input, the replay has named it.
inline void require(bool holds, const char* property) {
    if (!holds) {
        std::fprintf(stderr, "property violated: %s\n", property);
        std::abort();
    }
}

/// The parts of an input that consists of several texts, divided by a line "--". Always `count` of them; missing ones are empty,
/// and the last one has all the rest.
inline std::vector<std::string_view> split_parts(std::string_view input, std::size_t count) {
    constexpr std::string_view kDivider = "\n--\n";
    std::vector<std::string_view> parts;
    while (parts.size() + 1 < count) {
        const auto end = input.find(kDivider);
        parts.push_back(input.substr(0, end));
        input = end == std::string_view::npos ? std::string_view{} : input.substr(end + kDivider.size());
    }
    parts.push_back(input);
    return parts;
}

/// Takes the mode off an input that begins with "<mode>\n". @return whether it did
inline bool take_mode(std::string_view& input, std::string_view mode) {
    if (!input.starts_with(mode) || !input.substr(mode.size()).starts_with('\n')) {
        return false;
    }
    input.remove_prefix(mode.size() + 1);
    return true;
}

}  // namespace proconnect::fuzz
