#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "core/robust_mutex.hpp"

namespace proconnect::http {

/// Caps how many workers of all processes wait for the provider at once, so that a provider that hangs cannot take them
/// all. A counting semaphore in shared memory that its holders' death cannot leak: every slot is a robust mutex, only ever tried.
///
/// The object is a view; the memory is the caller's, mapped by all processes, and may outlive the code that laid it out.
class WaitSlots {
public:
    static constexpr std::size_t kMaxCount = 4096;

    [[nodiscard]] static std::size_t bytes_needed(std::size_t count) noexcept;
    /// Lays `count` free slots out in zeroed, 8-byte aligned memory that no other process uses yet.
    /// @return nothing when the memory is too small or the count is 0 or beyond kMaxCount
    [[nodiscard]] static std::optional<WaitSlots> create(std::span<std::byte> memory, std::size_t count) noexcept;
    /// Memory laid out earlier, perhaps by other code; nothing when it is not this version's layout with this count. New
    /// memory must then be taken: processes of the old generation may still use this one.
    [[nodiscard]] static std::optional<WaitSlots> attach(std::span<std::byte> memory, std::size_t count) noexcept;

    /// One slot, freed when this goes out of scope, or by the kernel when the holding thread or process dies. It belongs to the
    /// thread that acquired it: destroyed on another thread, it would stay taken until the first one ends.
    class Permit {
    public:
        Permit(Permit&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
        Permit& operator=(Permit&&) = delete;
        ~Permit() {
            if (slot_ != nullptr) {
                slot_->unlock();
            }
        }

    private:
        friend class WaitSlots;
        explicit Permit(core::RobustMutex& slot) noexcept : slot_(&slot) {}
        core::RobustMutex* slot_;
    };

    /// Never waits. Nothing when all slots are taken: answer PC2007.
    [[nodiscard]] std::optional<Permit> try_acquire() noexcept;

    /// Waits a short while, since a burst of logins passes at once when the provider is well. When even that is in vain, nobody waits for the
    /// next ten seconds: a provider that hangs shall hold the permits' holders up, not a queue of further workers.
    [[nodiscard]] std::optional<Permit> acquire(std::chrono::milliseconds max_wait) noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    struct Layout;
    WaitSlots(Layout* layout, std::size_t count) noexcept : layout_(layout), count_(count) {}
    Layout* layout_;
    std::size_t count_;
};

}  // namespace proconnect::http
