#include "httpd/server_key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "crypto/random.hpp"
#include "httpd/secret_source.hpp"

namespace proconnect::httpd {
namespace {

using session::ServerKey;

std::expected<void, std::string> make_key_file(const std::string& path) {
    const auto failed = [&](const std::string& what) { return std::unexpected(what + ": " + std::strerror(errno)); };
    std::array<std::uint8_t, ServerKey::kMasterBytes> bytes{};
    if (auto filled = crypto::fill_random(bytes); !filled) {
        return std::unexpected(filled.error().detail);
    }
    // Under another name until it is whole: a start that is killed here must not leave a file that every later start refuses.
    const auto draft = path + ".new";
    ::unlink(draft.c_str());
    const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return failed("does not exist and cannot be made");
    }
    const bool written = ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(descriptor) == 0;
    core::wipe(bytes.data(), bytes.size());
    const bool closed = ::close(descriptor) == 0;
    // A link, not a rename: a key that somebody else made meanwhile stays.
    if (!written || !closed || (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)) {
        const auto failure = failed("cannot be written");
        ::unlink(draft.c_str());
        return failure;
    }
    ::unlink(draft.c_str());
    return {};
}

std::expected<ServerKey, std::string> read_key_file(const std::string& path) {
    const auto content = read_secret_file(path, 4096, FileAccess::owner_only);
    if (!content) {
        return std::unexpected(content.error());
    }
    const auto bytes = content->reveal();
    auto key = ServerKey::derive({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if (!key) {
        return std::unexpected("is no server key: " + key.error().detail);
    }
    return std::move(*key);
}

}  // namespace

std::expected<void, std::string> check_server_keys(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
        const auto directory = path.substr(0, path.rfind('/') + 1);   // where it will be made at start
        return ::access(directory.c_str(), F_OK) == 0 ? std::expected<void, std::string>{} : std::unexpected(path + " cannot be made: there is no directory " + directory);
    }
    const auto key = read_key_file(path);
    return key ? std::expected<void, std::string>{} : std::unexpected(path + " " + key.error());
}

std::expected<session::ServerKeys, std::string> load_server_keys(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
        if (auto made = make_key_file(path); !made) {
            return std::unexpected(path + " " + made.error());
        }
    }
    auto current = read_key_file(path);
    if (!current) {
        return std::unexpected(path + " " + current.error());
    }
    session::ServerKeys keys{.current = std::move(*current), .previous = std::nullopt};
    const auto previous_path = path + ".previous";
    if (::access(previous_path.c_str(), F_OK) == 0) {
        auto previous = read_key_file(previous_path);
        if (!previous) {
            return std::unexpected(previous_path + " " + previous.error());
        }
        keys.previous = std::move(*previous);
    }
    return keys;
}

}  // namespace proconnect::httpd
