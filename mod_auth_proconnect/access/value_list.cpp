#include "access/value_list.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace proconnect::access {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kComplaintInterval = 60;
constexpr std::int64_t kClockStep = 60;
constexpr std::int64_t kSettledAfter = 2;   // seconds; a file changed twice within one tick of its clock looks unchanged

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view kBlanks = " \t\r";
    const auto first = text.find_first_not_of(kBlanks);
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view without_comment(std::string_view line) noexcept {
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
            return line.substr(0, i);
        }
    }
    return line;
}

/// The whole file into `text`; what is wrong, "" when nothing is.
std::string read_whole(int fd, std::size_t size, std::string& text) {
    text.resize(size + 1);   // one more, to see that it does not grow meanwhile
    std::size_t used = 0;
    while (used < text.size()) {
        const auto got = ::read(fd, text.data() + used, text.size() - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return std::string{"cannot be read: "} + std::strerror(errno);
        }
        if (got == 0) {
            break;
        }
        used += static_cast<std::size_t>(got);
    }
    if (used > size) {
        return "grows while it is read";
    }
    text.resize(used);
    return {};
}

}  // namespace

ValueList::ValueList(std::vector<std::string> values) : values_(std::move(values)) {
    std::ranges::sort(values_);
    const auto repeated = std::ranges::unique(values_);
    values_.erase(repeated.begin(), repeated.end());
}

bool ValueList::contains(std::string_view value) const noexcept {
    const auto found = std::lower_bound(values_.begin(), values_.end(), value);
    return found != values_.end() && *found == value;
}

struct ListFile::Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    timespec modified{}, changed{};
    int error = 0;      ///< of stat()

    static Stamp of(const struct stat& status) noexcept {
        return {.device = status.st_dev, .inode = status.st_ino, .size = status.st_size, .modified = status.st_mtim, .changed = status.st_ctim, .error = 0};
    }
    static Stamp now_at(const char* path) noexcept {
        struct stat status {};
        if (::stat(path, &status) != 0) {
            Stamp stamp;
            stamp.error = errno;
            return stamp;
        }
        return of(status);
    }
    [[nodiscard]] bool same_as(const Stamp& other) const noexcept {
        const auto same_time = [](const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; };
        return device == other.device && inode == other.inode && size == other.size && error == other.error && same_time(modified, other.modified) &&
               same_time(changed, other.changed);
    }
    [[nodiscard]] bool is_settled(std::int64_t seconds) const noexcept { return seconds - changed.tv_sec >= kSettledAfter || changed.tv_sec > seconds; }
};

struct ListFile::Version {
    Stamp stamp;
    bool usable = false;
    bool read_when_settled = false;
    ValueList values;
    std::string problem;    ///< of an unusable file, or of lines left out
};

ListFile::ListFile(std::string path, Normalizer normalize)
    : path_(std::move(path)), normalize_(std::move(normalize)), looked_at_(kNever), complained_at_(kNever) {}

ListFile::~ListFile() = default;

std::unique_ptr<ListFile::Version> ListFile::read() const {
    auto version = std::make_unique<Version>();
    const auto unusable = [&](std::string why) {
        version->problem = path_ + ' ' + std::move(why);
        return std::move(version);
    };
    const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        const int error = errno;
        version->stamp = Stamp::now_at(path_.c_str());
        return unusable(std::string{"cannot be opened: "} + std::strerror(error));
    }
    version->stamp = Stamp::of(status);
    if (!S_ISREG(status.st_mode)) {
        return unusable("is no ordinary file");
    }
    if (static_cast<std::uint64_t>(status.st_size) > kMaxBytes) {
        return unusable("is larger than " + std::to_string(kMaxBytes >> 20) + " MiB");
    }
    std::string text;
    if (auto wrong = read_whole(file.get(), static_cast<std::size_t>(status.st_size), text); !wrong.empty()) {
        return unusable(std::move(wrong));
    }
    std::vector<std::string> values;
    std::string_view rest{text};
    if (rest.starts_with("\xEF\xBB\xBF")) {
        rest.remove_prefix(3);   // Windows editors put a byte order mark
    }
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const auto end = rest.find('\n');
        const auto line = trim(without_comment(rest.substr(0, end)));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        if (line.empty()) {
            continue;
        }
        if (auto value = normalize_(line)) {
            values.push_back(std::move(*value));
        } else if (version->problem.empty()) {
            version->problem = path_ + " line " + std::to_string(number) + " is no value of this claim and admits nobody";
        }
    }
    version->values = ValueList{std::move(values)};
    version->usable = true;
    return version;
}

void ListFile::publish(std::unique_ptr<Version> next) {
    versions_.push_back(std::move(next));
    current_.store(versions_.back().get());
    // A reader counts itself before it takes the pointer: when there is none now, whoever comes takes the new one.
    if (readers_.load() == 0 && versions_.size() > 1) {
        versions_.erase(versions_.begin(), versions_.end() - 1);
    }
}

void ListFile::refresh(core::UnixTime now) noexcept {
    const auto seconds = core::to_unix_seconds(now);
    const auto looked_at = looked_at_.load(std::memory_order_relaxed);
    // Requests that began a little earlier come too; a clock that went back further counts as change.
    if (looked_at != kNever && seconds <= looked_at && looked_at - seconds < kClockStep) [[likely]] {
        return;
    }
    if (refreshing_.test_and_set(std::memory_order_acquire)) {
        if (looked_at == kNever) {
            refreshing_.wait(true);   // the first look ever: without it nothing is known
        }
        return;
    }
    try {
        const Version* current = current_.load();
        const auto stamp = Stamp::now_at(path_.c_str());
        if (current == nullptr || !stamp.same_as(current->stamp) || current->read_when_settled) {
            auto next = read();
            next->read_when_settled = !next->stamp.is_settled(seconds);
            if (current == nullptr || next->problem != current->problem) {
                complained_at_.store(kNever, std::memory_order_relaxed);
            }
            publish(std::move(next));
        }
    } catch (...) {
        // No memory: what is known stays, or still nothing; another request tries again.
    }
    looked_at_.store(seconds, std::memory_order_relaxed);
    refreshing_.clear(std::memory_order_release);
    refreshing_.notify_all();
}

std::optional<bool> ListFile::contains(std::string_view value, core::UnixTime now) noexcept {
    refresh(now);
    readers_.fetch_add(1);
    const Version* version = current_.load();
    const auto found = version != nullptr && version->usable ? std::optional{version->values.contains(value)} : std::nullopt;
    readers_.fetch_sub(1);
    return found;
}

std::string ListFile::take_problem(core::UnixTime now) {
    const auto seconds = core::to_unix_seconds(now);
    auto last = complained_at_.load(std::memory_order_relaxed);
    if (last != kNever && seconds >= last && seconds - last < kComplaintInterval) [[likely]] {
        return {};
    }
    readers_.fetch_add(1);
    const Version* version = current_.load();
    std::string problem = version != nullptr ? version->problem : std::string{};
    readers_.fetch_sub(1);
    if (problem.empty() || !complained_at_.compare_exchange_strong(last, seconds, std::memory_order_relaxed)) {
        return {};
    }
    return problem;
}

std::string ListFile::check() const {
    return read()->problem;
}

}  // namespace proconnect::access
