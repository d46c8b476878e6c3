#pragma once
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

namespace proconnect::test {

/// Zeroed memory shared between this process and those it forks afterwards.
class SharedMemory {
public:
    explicit SharedMemory(std::size_t size)
        : size_(size), memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (memory_ == MAP_FAILED) {
            throw std::bad_alloc();
        }
    }
    ~SharedMemory() { ::munmap(memory_, size_); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {static_cast<std::byte*>(memory_), size_}; }

private:
    std::size_t size_;
    void* memory_;
};

/// One object in shared memory.
template <typename T>
class Shared {
public:
    Shared() : memory_(sizeof(T)), value_(new (memory_.bytes().data()) T{}) {}
    T& operator*() const noexcept { return *value_; }
    T* operator->() const noexcept { return value_; }

private:
    SharedMemory memory_;
    T* value_;
};

/// A forked process that runs `work` and ends without the parent's clean-up; killed, if it still lives, when this ends.
class Child {
public:
    template <typename Work>
    explicit Child(Work&& work) : pid_(::fork()) {
        if (pid_ < 0) {
            throw std::runtime_error("fork");
        }
        if (pid_ == 0) {
            int status = 1;
            try {
                std::forward<Work>(work)();
                status = 0;
            } catch (...) {
            }
            ::_exit(status);
        }
    }
    ~Child() { kill(); }
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    Child& operator=(Child&&) = delete;

    void kill() noexcept {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            static_cast<void>(wait());
        }
    }
    /// @return whether it ended by itself and without an exception
    [[nodiscard]] bool wait() noexcept {
        int status = -1;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status == 0;
    }

private:
    pid_t pid_;
};

}  // namespace proconnect::test
