#include "http/wait_slots.hpp"

#include <atomic>
#include <cstdint>
#include <new>
#include <thread>

namespace proconnect::http {
namespace {

// Changes with the layout; the size of the mutex tells apart builds against another C library.
constexpr std::uint64_t kStamp = 0x5043'5741'4954'0002u ^ (static_cast<std::uint64_t>(sizeof(core::RobustMutex)) << 32);

}  // namespace

/// Shared memory: this head, then `count` mutexes.
struct WaitSlots::Layout {
    std::uint64_t stamp;
    std::uint64_t count;
    std::uint64_t next;  ///< where the next search begins; a hint, so that searches spread
    std::int64_t congested_until;  ///< milliseconds of the monotonic clock, which all processes share

    core::RobustMutex& slot(std::size_t index) noexcept {
        return reinterpret_cast<core::RobustMutex*>(this + 1)[index];
    }
};

std::size_t WaitSlots::bytes_needed(std::size_t count) noexcept {
    static_assert(alignof(Layout) <= 8 && alignof(core::RobustMutex) <= 8 && sizeof(Layout) % alignof(core::RobustMutex) == 0);
    return sizeof(Layout) + count * sizeof(core::RobustMutex);
}

std::optional<WaitSlots> WaitSlots::create(std::span<std::byte> memory, std::size_t count, std::size_t most_here) {
    if (most_here == 0 || count == 0 || count > kMaxCount || memory.size() < bytes_needed(count)) {
        return std::nullopt;
    }
    auto* layout = new (memory.data()) Layout{.stamp = 0, .count = count, .next = 0, .congested_until = 0};
    for (std::size_t i = 0; i < count; ++i) {
        if (!layout->slot(i).initialize()) {
            return std::nullopt;
        }
    }
    // Last, so that a layout left half done is never attached to.
    layout->stamp = kStamp;
    return WaitSlots{layout, count, most_here};
}

std::optional<WaitSlots> WaitSlots::attach(std::span<std::byte> memory, std::size_t count, std::size_t most_here) {
    if (most_here == 0 || count == 0 || count > kMaxCount || memory.size() < bytes_needed(count)) {
        return std::nullopt;
    }
    auto* layout = std::launder(reinterpret_cast<Layout*>(memory.data()));
    if (layout->stamp != kStamp || layout->count != count) {
        return std::nullopt;
    }
    return WaitSlots{layout, count, most_here};
}

WaitSlots::Place WaitSlots::take_place() noexcept {
    Place place{here_.get()};
    if (here_->waiting.fetch_add(1, std::memory_order_relaxed) >= most_here_) {
        place.reset();
    }
    return place;
}

core::RobustMutex* WaitSlots::try_lock_any() noexcept {
    const std::uint64_t start = std::atomic_ref(layout_->next).fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < count_; ++i) {
        core::RobustMutex& slot = layout_->slot((start + i) % count_);
        if (core::is_held(slot.try_lock())) {
            return &slot;
        }
    }
    return nullptr;
}

std::optional<WaitSlots::Permit> WaitSlots::try_acquire() noexcept {
    if (auto place = take_place()) {
        if (auto* slot = try_lock_any()) {
            return Permit{std::move(place), *slot};
        }
    }
    return std::nullopt;
}

std::optional<WaitSlots::Permit> WaitSlots::acquire(std::chrono::milliseconds max_wait) noexcept {
    constexpr std::chrono::milliseconds kPoll{5};
    constexpr std::chrono::seconds kNoQueue{10};
    const auto monotonic = [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()); };
    const auto deadline = monotonic() + max_wait;
    std::atomic_ref congested_everywhere{layout_->congested_until};
    for (;;) {
        auto place = take_place();
        if (auto* slot = place ? try_lock_any() : nullptr) {
            return Permit{std::move(place), *slot};
        }
        const bool is_share_taken = place == nullptr;
        place.reset();   // not held while asleep
        const auto now = monotonic();
        if (now.count() < congested_everywhere.load(std::memory_order_relaxed) || now.count() < here_->congested_until.load(std::memory_order_relaxed)) {
            return std::nullopt;
        }
        if (now >= deadline) {
            const auto until = (now + kNoQueue).count();
            if (is_share_taken) {
                here_->congested_until.store(until, std::memory_order_relaxed);
            } else {
                congested_everywhere.store(until, std::memory_order_relaxed);
            }
            return std::nullopt;
        }
        std::this_thread::sleep_for(kPoll);
    }
}

}  // namespace proconnect::http
