#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/clock.hpp"

namespace proconnect::access {

/// One value in the spelling that comparisons use, or nothing when it can be none of this kind.
using Normalizer = std::function<std::optional<std::string>(std::string_view)>;

/// Values in order, to be found in logarithmic time.
class ValueList {
public:
    ValueList() = default;
    explicit ValueList(std::vector<std::string> values);
    [[nodiscard]] bool contains(std::string_view value) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

private:
    std::vector<std::string> values_;
};

/// A list in a file, one value a line. `#` begins a comment at the start of a line or after white space. Read at its first use in a process
/// and again when it changes: looked at once a second at most, by whichever request comes first. Thread-safe; a reader never waits.
class ListFile {
public:
    static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;

    ListFile(std::string path, Normalizer normalize);
    ~ListFile();
    ListFile(const ListFile&) = delete;
    ListFile& operator=(const ListFile&) = delete;

    /// Nothing when the file cannot be used: then nobody is on the list, and nobody is known not to be.
    [[nodiscard]] std::optional<bool> contains(std::string_view value, core::UnixTime now) noexcept;
    /// What is wrong with the file, for the log; at most once a minute and process, "" otherwise.
    [[nodiscard]] std::string take_problem(core::UnixTime now);
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// What is wrong with the file now; "" when nothing is.
    [[nodiscard]] std::string check() const;

private:
    struct Version;
    struct Stamp;
    void refresh(core::UnixTime now) noexcept;
    [[nodiscard]] std::unique_ptr<Version> read() const;
    void publish(std::unique_ptr<Version> next);

    std::string path_;
    Normalizer normalize_;
    std::atomic<std::int64_t> looked_at_;          ///< Unix seconds
    std::atomic<std::int64_t> complained_at_;
    std::atomic<const Version*> current_{nullptr};
    std::atomic<unsigned> readers_{0};
    std::atomic_flag refreshing_ = ATOMIC_FLAG_INIT;
    std::vector<std::unique_ptr<const Version>> versions_;   ///< the current one last; others until no reader is left. Only under refreshing_
};

}  // namespace proconnect::access
