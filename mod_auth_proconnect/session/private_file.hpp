#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace proconnect::session {

/// A file descriptor that closes itself.
class FileDescriptor {
public:
    explicit FileDescriptor(int descriptor = -1) noexcept : descriptor_(descriptor) {}
    ~FileDescriptor();
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

private:
    int descriptor_;
};

/// Opens a file that only its owner, who must be this process's user, can read and write: a regular file, not a link.
/// @return a closed descriptor when there is no such file, or what is wrong with it
std::expected<FileDescriptor, std::string> open_private_file(const std::filesystem::path& path);

/// Reads exactly so many bytes. @return false at the end of the file or on an error
[[nodiscard]] bool read_at(const FileDescriptor& file, std::uint64_t offset, std::span<std::uint8_t> out) noexcept;

/// A private file that takes its name only when it is complete and on the disk. Until commit() succeeds the former file stays, and
/// the unfinished one is removed at the end.
class AtomicFile {
public:
    static std::expected<AtomicFile, std::string> create(const std::filesystem::path& path);
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    std::expected<void, std::string> write(std::span<const std::uint8_t> bytes);
    std::expected<void, std::string> commit();

private:
    AtomicFile(std::filesystem::path path, std::filesystem::path temporary, FileDescriptor file)
        : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

    std::filesystem::path path_, temporary_;
    FileDescriptor file_;
};

}  // namespace proconnect::session
