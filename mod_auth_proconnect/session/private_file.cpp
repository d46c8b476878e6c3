#include "session/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace proconnect::session {

namespace {

std::unexpected<std::string> system_failure(const std::filesystem::path& path) {
    return std::unexpected(path.string() + ": " + std::generic_category().message(errno));
}

}  // namespace

FileDescriptor::~FileDescriptor() {
    if (is_open()) {
        ::close(descriptor_);
    }
}

std::expected<FileDescriptor, std::string> open_private_file(const std::filesystem::path& path) {
    // O_NONBLOCK: a pipe in its place must not make the server wait for a writer.
    FileDescriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
    if (!file.is_open()) {
        return errno == ENOENT ? std::expected<FileDescriptor, std::string>{std::move(file)} : system_failure(path);
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        return system_failure(path);
    }
    if (!S_ISREG(status.st_mode)) {
        return std::unexpected(path.string() + ": not a regular file");
    }
    if (status.st_uid != ::geteuid()) {
        return std::unexpected(path.string() + ": belongs to another user");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return std::unexpected(path.string() + ": others than its owner have access");
    }
    return file;
}

bool read_at(const FileDescriptor& file, std::uint64_t offset, std::span<std::uint8_t> out) noexcept {
    while (!out.empty()) {
        const ssize_t got = ::pread(file.get(), out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

std::expected<AtomicFile, std::string> AtomicFile::create(const std::filesystem::path& path) {
    std::filesystem::path temporary = path;
    temporary += ".new";
    // What a process killed while writing has left. There is one writer, so it is nobody's any more; O_EXCL sees to it that nothing
    // put in its place meanwhile is written to.
    ::unlink(temporary.c_str());
    FileDescriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!file.is_open()) {
        return system_failure(temporary);
    }
    return AtomicFile{path, std::move(temporary), std::move(file)};
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})), file_(std::move(other.file_)) {}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

std::expected<void, std::string> AtomicFile::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return system_failure(temporary_);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

std::expected<void, std::string> AtomicFile::commit() {
    // The content before the name, the name before the answer: a power cut leaves the former file or this one.
    if (::fsync(file_.get()) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
        return system_failure(temporary_);
    }
    temporary_.clear();
    const std::filesystem::path directory = path_.has_parent_path() ? path_.parent_path() : ".";
    const FileDescriptor opened{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!opened.is_open() || ::fsync(opened.get()) != 0) {
        return system_failure(directory);
    }
    return {};
}

}  // namespace proconnect::session
