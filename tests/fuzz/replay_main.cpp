// Runs every seed through its target, without libFuzzer and with any compiler.
// Usage: fuzz_replay SEEDS             all targets; seeds are SEEDS/<target>/<verdict>-<case>
//        fuzz_replay TARGET FILE...    some inputs, whatever their names
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "fuzz/fuzz.hpp"

namespace {

using proconnect::fuzz::Target;
using proconnect::fuzz::Verdict;
namespace fs = std::filesystem;

constexpr unsigned kSecondsPerInput = 60;

std::string_view to_text(Verdict verdict) {
    return verdict == Verdict::accepted ? "accepted" : "refused";
}

/// An input that never ends is ended by SIGALRM; its name is the last one in the log.
Verdict judge_file(const Target& target, const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    // On the heap and of exactly this size, so that a sanitizer sees a read beyond the end.
    const auto exact = std::make_unique<char[]>(content.size());
    std::memcpy(exact.get(), content.data(), content.size());
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    ::alarm(kSecondsPerInput);
    const auto verdict = target.judge({exact.get(), content.size()});
    ::alarm(0);
    return verdict;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    if (fs::is_directory(folder)) {
        std::ranges::copy(fs::directory_iterator{folder}, std::back_inserter(entries));
    }
    std::ranges::sort(entries);
    return entries;
}

/// @return whether the seed got the verdict that its name announces
bool passes(const Target& target, const fs::path& file) {
    const auto verdict = to_text(judge_file(target, file));
    const bool as_named = file.filename().string().starts_with(std::string{verdict} + "-");
    if (!as_named) {
        std::printf("FAILED: this seed was %.*s\n", static_cast<int>(verdict.size()), verdict.data());
    }
    return as_named;
}

int replay(const fs::path& seeds) {
    std::size_t ran = 0;
    std::size_t failed = 0;
    for (const auto& target : proconnect::fuzz::targets()) {
        target.judge({});
        const auto files = entries_of(seeds / target.name);
        if (files.empty()) {
            std::printf("FAILED: target %s has no seed\n", std::string{target.name}.c_str());
            ++failed;
        }
        ran += files.size();
        failed += static_cast<std::size_t>(std::ranges::count_if(files, [&](const auto& file) { return !passes(target, file); }));
    }
    for (const auto& folder : entries_of(seeds)) {
        const auto name = folder.filename().string();
        if (std::ranges::none_of(proconnect::fuzz::targets(), [&](const auto& target) { return target.name == name; })) {
            std::printf("FAILED: %s belongs to no target\n", folder.c_str());
            ++failed;
        }
    }
    // In the words of Boost.Test, which tests/run counts.
    if (failed == 0) {
        std::printf("\n  %zu test cases out of %zu passed\n", ran, ran);
    } else {
        std::printf("\n  %zu test cases out of %zu failed\n", failed, ran);
    }
    return failed == 0 && ran != 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2) {
        return replay(argv[1]);
    }
    const auto& all = proconnect::fuzz::targets();
    const auto target = argc < 3 ? all.end() : std::ranges::find(all, std::string_view{argv[1]}, &Target::name);
    if (target == all.end()) {
        std::fprintf(stderr, "usage: fuzz_replay SEEDS | fuzz_replay TARGET FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; ++i) {
        const auto verdict = to_text(judge_file(*target, argv[i]));
        std::printf("%.*s\n", static_cast<int>(verdict.size()), verdict.data());
    }
    return 0;
}
