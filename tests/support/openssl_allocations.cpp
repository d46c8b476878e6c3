#include "support/openssl_allocations.hpp"

#include <openssl/crypto.h>

#include <cstdlib>
#include <stdexcept>

namespace proconnect::test {
namespace {

thread_local std::size_t allocations = 0;
thread_local std::ptrdiff_t kept_blocks = 0;
thread_local std::size_t failing_in = 0;   // 0: none fails

/// Whether this allocation is to fail.
bool count_allocation() {
    ++allocations;
    return failing_in > 0 && --failing_in == 0;
}

void* counting_malloc(std::size_t size, const char*, int) {
    if (count_allocation()) {
        return nullptr;
    }
    void* const memory = std::malloc(size);
    kept_blocks += memory != nullptr ? 1 : 0;
    return memory;
}

void* counting_realloc(void* memory, std::size_t size, const char*, int) {
    if (count_allocation()) {
        return nullptr;
    }
    void* const moved = std::realloc(memory, size);
    kept_blocks += memory == nullptr && moved != nullptr ? 1 : 0;
    return moved;
}

void counting_free(void* memory, const char*, int) {
    kept_blocks -= memory != nullptr ? 1 : 0;
    std::free(memory);
}

void require_installed(bool installed) {
    if (!installed) {
        throw std::logic_error("OpenSSL allocated memory before it could be counted");
    }
}

// OpenSSL takes other functions only before its first allocation, hence before main().
const bool installed = CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) == 1;

}  // namespace

AllocationCount::AllocationCount() : start_(allocations), kept_at_start_(kept_blocks) {
    require_installed(installed);
}

std::size_t AllocationCount::so_far() const {
    return allocations - start_;
}

std::ptrdiff_t AllocationCount::kept() const {
    return kept_blocks - kept_at_start_;
}

FailingAllocation::FailingAllocation(std::size_t nth) {
    require_installed(installed);
    failing_in = nth;
}

FailingAllocation::~FailingAllocation() {
    failing_in = 0;
}

bool FailingAllocation::happened() const {
    return failing_in == 0;
}

}  // namespace proconnect::test
