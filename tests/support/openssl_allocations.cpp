#include "support/openssl_allocations.hpp"

#include <openssl/crypto.h>

#include <cstdlib>
#include <stdexcept>

namespace proconnect::test {
namespace {

thread_local std::size_t allocations = 0;

void* counting_malloc(std::size_t size, const char*, int) {
    ++allocations;
    return std::malloc(size);
}

void* counting_realloc(void* memory, std::size_t size, const char*, int) {
    ++allocations;
    return std::realloc(memory, size);
}

void plain_free(void* memory, const char*, int) {
    std::free(memory);
}

// OpenSSL takes other functions only before its first allocation, hence before main().
const bool installed = CRYPTO_set_mem_functions(counting_malloc, counting_realloc, plain_free) == 1;

}  // namespace

AllocationCount::AllocationCount() : start_(allocations) {
    if (!installed) {
        throw std::logic_error("OpenSSL allocated memory before it could be counted");
    }
}

std::size_t AllocationCount::so_far() const {
    return allocations - start_;
}

}  // namespace proconnect::test
