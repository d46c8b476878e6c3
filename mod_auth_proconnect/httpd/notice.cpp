#include "httpd/notice.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "httpd/log.hpp"
#include "json/utf8.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::size_t kMaxBytes = 4096;

std::string left_out(const server_rec* s, const std::string& path, const std::string& why) {
    log_server_warning(s, "ProConnectNotice: left out, '" + path + "' " + why);
    return {};
}

}  // namespace

std::string read_notice(const server_rec* s, const std::string& path) {
    if (path.empty()) {
        return {};
    }
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);   // a named pipe must not hold the request
    if (file < 0) {
        const int error = errno;
        return error == ENOENT ? std::string{} : left_out(s, path, std::string{"cannot be opened: "} + std::strerror(error));
    }
    struct stat about {};
    std::string text(kMaxBytes + 1, '\0');
    const bool plain = fstat(file, &about) == 0 && S_ISREG(about.st_mode);
    const auto length = plain ? read(file, text.data(), text.size()) : -1;
    close(file);
    if (length < 0) {
        return left_out(s, path, "is no plain file that can be read");
    }
    text.resize(static_cast<std::size_t>(length));
    if (text.size() > kMaxBytes) {
        return left_out(s, path, "is larger than 4 KiB");
    }
    if (!json::is_valid_utf8(text) || text.contains('\0')) {
        return left_out(s, path, "is not UTF-8 text");
    }
    return text;
}

}  // namespace proconnect::httpd
