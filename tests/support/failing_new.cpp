// Loaded into an httpd by a story: the FAIL_NEW-th `new` of the process throws. httpd itself is C, so that all of them are the module's.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<long> calls{0};

void* allocate(std::size_t size) {
    static const long failing = [] {
        const char* const text = std::getenv("FAIL_NEW");
        return text != nullptr ? std::atol(text) : 0;
    }();
    if (++calls == failing) {
        constexpr char kLine[] = "this allocation failed\n";
        static_cast<void>(!::write(STDERR_FILENO, kLine, sizeof kLine - 1));
        throw std::bad_alloc{};
    }
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        throw std::bad_alloc{};
    }
    return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
