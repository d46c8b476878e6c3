#pragma once
#include <cstddef>

namespace proconnect::test {

/// Counts what OpenSSL allocates in this thread, to show that a path of every request allocates nothing. Only in
/// executables that link openssl_allocations.cpp.
class AllocationCount {
public:
    AllocationCount();
    [[nodiscard]] std::size_t so_far() const;
    /// Allocations not given back yet; negative when older ones were.
    [[nodiscard]] std::ptrdiff_t kept() const;

private:
    std::size_t start_;
    std::ptrdiff_t kept_at_start_;
};

/// Lets one allocation of OpenSSL in this thread fail, as long as it lives.
class FailingAllocation {
public:
    /// @param nth  of those from now on; the first is 1
    explicit FailingAllocation(std::size_t nth);
    ~FailingAllocation();
    FailingAllocation(const FailingAllocation&) = delete;
    FailingAllocation& operator=(const FailingAllocation&) = delete;
    /// Whether there were as many, so that one failed.
    [[nodiscard]] bool happened() const;
};

}  // namespace proconnect::test
