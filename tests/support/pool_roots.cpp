// Loaded beside LeakSanitizer into the servers of the stories. Debian's APR takes the memory of its pools straight from mmap(), where LeakSanitizer
// does not look: whatever a pool alone holds would count as leaked. Here each such mapping is named as a place to look in.
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

extern "C" {
void __lsan_register_root_region(const void* begin, std::size_t size) __attribute__((weak));
void __lsan_unregister_root_region(const void* begin, std::size_t size) __attribute__((weak));
}

namespace {

struct Region {
    void* begin = nullptr;
    std::size_t size = 0;
};

constinit std::array<Region, 65536> regions;
constinit std::mutex lock;
constinit std::uintptr_t apr_begin = 0, apr_end = 0;   // where the code of APR lies; nowhere without LeakSanitizer

/// To forget a region that is not known ends the process, so each is kept in mind.
void remember(void* begin, std::size_t size) {
    const std::lock_guard held(lock);
    for (auto& region : regions) {
        if (region.begin == nullptr) {
            region = {begin, size};
            __lsan_register_root_region(begin, size);
            return;
        }
    }
}

void forget(const void* begin, std::size_t size) {
    const std::lock_guard held(lock);
    for (auto& region : regions) {
        if (region.begin == begin && region.size == size) {
            __lsan_unregister_root_region(begin, size);
            region = {};
            return;
        }
    }
}

/// The sanitizer itself maps memory too, while it holds the lock that naming a region takes.
bool is_apr(const void* caller) {
    const auto address = reinterpret_cast<std::uintptr_t>(caller);
    return address >= apr_begin && address < apr_end;
}

int note_apr(dl_phdr_info* object, std::size_t, void*) {
    if (std::string_view(object->dlpi_name).find("/libapr-1.so") == std::string_view::npos) {
        return 0;
    }
    for (int index = 0; index < object->dlpi_phnum; ++index) {
        const auto& segment = object->dlpi_phdr[index];
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
            apr_begin = object->dlpi_addr + segment.p_vaddr;
            apr_end = apr_begin + segment.p_memsz;
        }
    }
    return 1;
}

[[gnu::constructor]] void begin() {
    if (__lsan_register_root_region != nullptr && __lsan_unregister_root_region != nullptr) {
        dl_iterate_phdr(note_apr, nullptr);
    }
}

}  // namespace

extern "C" [[gnu::visibility("default")]] void* mmap(void* hint, std::size_t size, int protection, int flags, int file, off_t offset) {
    auto* memory = reinterpret_cast<void*>(syscall(SYS_mmap, hint, size, protection, flags, file, offset));   // NOLINT
    constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS;
    if (memory != MAP_FAILED && (flags & kOwn) == kOwn && is_apr(__builtin_return_address(0))) {
        remember(memory, size);
    }
    return memory;
}

extern "C" [[gnu::visibility("default")]] int munmap(void* memory, std::size_t size) {
    if (is_apr(__builtin_return_address(0))) {
        forget(memory, size);
    }
    return static_cast<int>(syscall(SYS_munmap, memory, size));
}
