#include "session/kept_forms.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <new>

#include "core/base64url.hpp"
#include "crypto/digest.hpp"
#include "crypto/sealed_box.hpp"

// The memory: Layout | arena. A slot with length 0 is free and none of its bytes is left in the arena. It has its length before its bytes come and until
// they are wiped, so that the first process that gets the lock after a holder's death, which forgets all forms, leaves none behind either.

namespace proconnect::session {
namespace {

constexpr std::uint64_t kMagic = 0x3273'6d72'6f66'6370;   // "pcforms2"
constexpr std::chrono::milliseconds kLockWait{500};
constexpr std::string_view kContext = "kept form 1";

std::expected<crypto::Sha256, core::Error> derive(const BrowserBinding& binding, std::string_view purpose, const FormId& id) {
    std::string message{purpose};
    message.append(reinterpret_cast<const char*>(id.data()), id.size());
    const auto secret = binding.bytes.reveal();
    return crypto::hmac_sha256({reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()}, message);
}

void put(std::string& out, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out.append(text);
}

std::optional<std::string_view> take(std::string_view& rest) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof(size)) {
        return std::nullopt;
    }
    std::memcpy(&size, rest.data(), sizeof(size));
    rest.remove_prefix(sizeof(size));
    if (rest.size() < size) {
        return std::nullopt;
    }
    const auto text = rest.substr(0, size);
    rest.remove_prefix(size);
    return text;
}

}  // namespace

std::expected<std::string, core::Error> seal_form(const KeptForm& form, const BrowserBinding& binding, const FormId& id) {
    auto key = derive(binding, "kept form key 1", id);
    if (!key) {
        return std::unexpected(std::move(key.error()));
    }
    std::string plain;
    plain.reserve(form.site.size() + form.address.size() + form.content_type.size() + form.subject.size() + form.body.size() + 20);   // one allocation: growing would leave copies
    for (const auto text : {std::string_view{form.site}, std::string_view{form.address}, std::string_view{form.content_type}, std::string_view{form.subject}, form.body.reveal()}) {
        put(plain, text);
    }
    auto box = crypto::seal(*key, kContext, plain);
    core::wipe(plain.data(), plain.size());
    core::wipe(key->data(), key->size());
    return box;
}

std::expected<KeptForm, core::Error> open_form(std::string_view box, const BrowserBinding& binding, const FormId& id) {
    auto key = derive(binding, "kept form key 1", id);
    if (!key) {
        return std::unexpected(std::move(key.error()));
    }
    auto opened = crypto::open_sealed(*key, kContext, box);
    core::wipe(key->data(), key->size());
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    const core::Secret plain{std::move(*opened)};
    auto rest = plain.reveal();
    const auto site = take(rest);
    const auto address = take(rest);
    const auto content_type = take(rest);
    const auto subject = take(rest);
    const auto body = take(rest);
    if (!site || !address || !content_type || !subject || !body || !rest.empty()) {
        return std::unexpected(core::Error{core::ErrorCode::sealed_box_unreadable, "kept form: of another version"});
    }
    return KeptForm{.site = std::string{*site}, .address = std::string{*address}, .content_type = std::string{*content_type}, .subject = std::string{*subject},
                    .body = core::Secret{std::string{*body}}};
}

std::expected<std::string, core::Error> form_token(const BrowserBinding& binding, const FormId& id) {
    const auto mac = derive(binding, "kept form token 1", id);
    if (!mac) {
        return std::unexpected(mac.error());
    }
    return core::base64url_encode(std::span{*mac}.first(16));
}

std::expected<BrowserTag, core::Error> browser_tag(const BrowserBinding& binding) {
    const auto mac = derive(binding, "kept form browser 1", {});
    if (!mac) {
        return std::unexpected(mac.error());
    }
    BrowserTag tag{};
    std::copy_n(mac->begin(), tag.size(), tag.begin());
    return tag;
}

struct KeptForms::Slot {
    FormId id;
    BrowserTag browser;
    std::int64_t kept;          ///< Unix seconds
    std::uint64_t serial;       ///< the smaller the older
    std::uint64_t offset, length;
};

struct KeptForms::Layout {
    std::uint64_t magic, arena_bytes;
    core::RobustMutex mutex;
    std::uint64_t serial;
    Slot slots[kMaxForms];

    char* arena() noexcept { return reinterpret_cast<char*>(this + 1); }
};

std::size_t KeptForms::bytes_needed(std::size_t arena_bytes) noexcept {
    return sizeof(Layout) + arena_bytes;
}

std::optional<KeptForms> KeptForms::create(std::span<std::byte> memory, std::size_t arena_bytes) noexcept {
    if (memory.size() < bytes_needed(arena_bytes) || arena_bytes == 0) {
        return std::nullopt;
    }
    auto* layout = new (memory.data()) Layout{};
    if (!layout->mutex.initialize()) {
        return std::nullopt;
    }
    layout->arena_bytes = arena_bytes;
    layout->magic = kMagic;
    return KeptForms{layout};
}

std::optional<KeptForms> KeptForms::attach(std::span<std::byte> memory, std::size_t arena_bytes) noexcept {
    auto* layout = memory.size() < bytes_needed(arena_bytes) ? nullptr : reinterpret_cast<Layout*>(memory.data());
    return layout != nullptr && layout->magic == kMagic && layout->arena_bytes == arena_bytes ? std::optional{KeptForms{layout}} : std::nullopt;
}

bool KeptForms::is_sound(const Slot& slot) const noexcept {
    return slot.length <= layout_->arena_bytes && slot.offset <= layout_->arena_bytes - slot.length;
}

void KeptForms::forget(Slot& slot) noexcept {
    if (is_sound(slot)) {
        core::wipe(layout_->arena() + slot.offset, slot.length);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    slot.length = 0;
}

void KeptForms::enter(const core::RobustGuard& guard, core::UnixTime now) noexcept {
    const auto time = core::to_unix_seconds(now);
    for (auto& slot : layout_->slots) {
        // A clock that was set back ends a form too: nothing lives for ever.
        const bool fresh = time - slot.kept <= std::chrono::seconds{kLifetime}.count() && slot.kept - time <= std::chrono::seconds{kLifetime}.count();
        if (slot.length != 0 && (guard.result() == core::LockResult::locked_after_death || !is_sound(slot) || !fresh)) {
            forget(slot);
        }
    }
}

/// Only its own forms make room for a browser that has its share: a number of forms and an eighth of the memory, or one form that is larger.
void KeptForms::hold_to_share(const BrowserTag& browser, std::size_t coming) noexcept {
    for (;;) {
        std::size_t own = 0;
        std::uint64_t bytes = coming;
        Slot* oldest = nullptr;
        for (auto& slot : layout_->slots) {
            if (slot.length != 0 && slot.browser == browser) {
                ++own;
                bytes += slot.length;
                oldest = oldest == nullptr || slot.serial < oldest->serial ? &slot : oldest;
            }
        }
        if (oldest == nullptr || (own < kPerBrowser && bytes <= layout_->arena_bytes / 8)) {
            return;
        }
        forget(*oldest);
    }
}

KeptForms::Place KeptForms::make_room(std::size_t size) noexcept {
    std::array<Slot*, kMaxForms> live{};
    std::size_t count = 0;
    Slot* free = nullptr;
    for (auto& slot : layout_->slots) {
        if (slot.length != 0) {
            live[count++] = &slot;
        } else if (free == nullptr) {
            free = &slot;
        }
    }
    std::sort(live.begin(), live.begin() + count, [](const Slot* a, const Slot* b) { return a->offset < b->offset; });
    for (;;) {
        std::uint64_t offset = 0;
        std::size_t next = 0;
        while (next < count && (live[next]->offset < offset || live[next]->offset - offset < size)) {
            offset = std::max(offset, live[next]->offset + live[next]->length);
            ++next;
        }
        if (free != nullptr && (next < count || layout_->arena_bytes - offset >= size)) {
            return {.slot = free, .offset = offset};
        }
        const auto oldest = std::min_element(live.begin(), live.begin() + count, [](const Slot* a, const Slot* b) { return a->serial < b->serial; });
        free = *oldest;
        forget(*free);
        std::move(oldest + 1, live.begin() + count, oldest);
        --count;
    }
}

bool KeptForms::keep(const FormId& id, const BrowserTag& browser, std::string_view box, core::UnixTime now) noexcept {
    if (box.empty() || box.size() > layout_->arena_bytes) {
        return false;
    }
    const core::RobustGuard guard{layout_->mutex, kLockWait};
    if (!guard.is_held()) {
        return false;
    }
    enter(guard, now);
    hold_to_share(browser, box.size());
    const auto [slot, offset] = make_room(box.size());
    *slot = {.id = id, .browser = browser, .kept = core::to_unix_seconds(now), .serial = ++layout_->serial, .offset = offset, .length = 0};
    std::atomic_signal_fence(std::memory_order_seq_cst);
    slot->length = box.size();
    std::atomic_signal_fence(std::memory_order_seq_cst);
    std::memcpy(layout_->arena() + offset, box.data(), box.size());
    return true;
}

std::optional<std::string> KeptForms::find(const FormId& id, const BrowserTag& browser, core::UnixTime now, Take take) {
    const core::RobustGuard guard{layout_->mutex, kLockWait};
    if (!guard.is_held()) {
        return std::nullopt;
    }
    enter(guard, now);
    for (auto& slot : layout_->slots) {
        if (slot.length != 0 && slot.id == id && slot.browser == browser) {
            std::string box(layout_->arena() + slot.offset, slot.length);
            if (take == Take::yes) {
                forget(slot);
            }
            return box;
        }
    }
    return std::nullopt;
}

}  // namespace proconnect::session
