#pragma once
#include <string>
#include <string_view>
#include <utility>

namespace proconnect::core {

/// Overwrites memory in a way the compiler may not remove.
void wipe(void* memory, std::size_t size) noexcept;

/// A string that must not be seen: wiped when destroyed or replaced, movable, not copyable, not printable.
/// `reveal()` is the only way out, so that a reviewer can list every use with one search.
class Secret {
public:
    Secret() noexcept = default;
    explicit Secret(std::string value) noexcept : value_(std::move(value)) { wipe(value.data(), value.capacity()); }  // short texts are copied on move
    ~Secret() { wipe_value(); }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;

    [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return value_.size(); }
    /// An explicit copy, for the few places that must hold one.
    [[nodiscard]] Secret clone() const { return Secret{value_}; }

private:
    void wipe_value() noexcept;
    std::string value_;
};

}  // namespace proconnect::core
