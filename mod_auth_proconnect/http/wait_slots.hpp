#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "core/robust_mutex.hpp"

namespace proconnect::http {

/// Caps how many workers of all processes wait for the provider at once, so that a provider that hangs cannot take them
/// all. A counting semaphore in shared memory that its holders' death cannot leak: every slot is a robust mutex, only ever tried.
/// And how many of one process: httpd gives a process's connections to no other, so one whose workers all wait would keep its visitors waiting
/// whatever the others have free.
///
/// The object is a view and this process's count; the memory is the caller's, mapped by all processes, and may outlive the code that laid it out.
class WaitSlots {
public:
    static constexpr std::size_t kMaxCount = 4096;

    [[nodiscard]] static std::size_t bytes_needed(std::size_t count) noexcept;
    /// Lays `count` free slots out in zeroed, 8-byte aligned memory that no other process uses yet.
    /// @param most_here  workers of this process that may hold a slot at once
    /// @return nothing when the memory is too small, the count is 0 or beyond kMaxCount, or nobody here may wait
    [[nodiscard]] static std::optional<WaitSlots> create(std::span<std::byte> memory, std::size_t count, std::size_t most_here);
    /// Memory laid out earlier, perhaps by other code; nothing when it is not this version's layout with this count. New
    /// memory must then be taken: processes of the old generation may still use this one.
    [[nodiscard]] static std::optional<WaitSlots> attach(std::span<std::byte> memory, std::size_t count, std::size_t most_here);

private:
    /// What concerns this process alone.
    struct Here {
        std::atomic<std::size_t> waiting{0};
        std::atomic<std::int64_t> congested_until{0};   ///< like Layout's
    };
    struct LeaveHere {
        void operator()(Here* here) const noexcept { here->waiting.fetch_sub(1, std::memory_order_relaxed); }
    };
    /// One of this process's workers, counted as long as this lives.
    using Place = std::unique_ptr<Here, LeaveHere>;

public:
    /// One slot, freed when this goes out of scope, or by the kernel when the holding thread or process dies. It belongs to the
    /// thread that acquired it: destroyed on another thread, it would stay taken until the first one ends.
    class Permit {
    public:
        Permit(Permit&& other) noexcept : place_(std::move(other.place_)), slot_(std::exchange(other.slot_, nullptr)) {}
        Permit& operator=(Permit&&) = delete;
        ~Permit() {
            if (slot_ != nullptr) {
                slot_->unlock();
            }
        }

    private:
        friend class WaitSlots;
        Permit(Place place, core::RobustMutex& slot) noexcept : place_(std::move(place)), slot_(&slot) {}
        Place place_;
        core::RobustMutex* slot_;
    };

    /// Never waits. Nothing when all slots are taken, or this process holds as many as it may: answer PC2007.
    [[nodiscard]] std::optional<Permit> try_acquire() noexcept;

    /// Waits a short while, since a burst of logins passes at once when the provider is well. When even that is in vain, nobody waits for the
    /// next ten seconds, in this process when its own share was taken, in all when the slots were: a provider that hangs shall hold the permits'
    /// holders up, not a queue of further workers.
    [[nodiscard]] std::optional<Permit> acquire(std::chrono::milliseconds max_wait) noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    struct Layout;
    WaitSlots(Layout* layout, std::size_t count, std::size_t most_here)
        : layout_(layout), count_(count), most_here_(most_here), here_(std::make_unique<Here>()) {}
    [[nodiscard]] Place take_place() noexcept;
    [[nodiscard]] core::RobustMutex* try_lock_any() noexcept;

    Layout* layout_;
    std::size_t count_;
    std::size_t most_here_;
    std::unique_ptr<Here> here_;
};

}  // namespace proconnect::http
