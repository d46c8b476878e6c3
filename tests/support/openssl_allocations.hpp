#pragma once
#include <cstddef>

namespace proconnect::test {

/// Counts what OpenSSL allocates in this thread, to show that a path of every request allocates nothing. Only in
/// executables that link openssl_allocations.cpp.
class AllocationCount {
public:
    AllocationCount();
    [[nodiscard]] std::size_t so_far() const;

private:
    std::size_t start_;
};

}  // namespace proconnect::test
