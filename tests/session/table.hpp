#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/digest.hpp"
#include "session/session.hpp"
#include "session/shm_store.hpp"

// What the tests of the session table share: memory between processes, ids, heads, buffers.

namespace proconnect::test {

inline constexpr core::UnixTime kNow = core::from_unix_seconds(1'800'000'000);

/// Zero-filled memory shared with forked children; mapped, not touched. Begins 8 bytes into a page, as Apache's does.
class SharedMemory {
public:
    explicit SharedMemory(std::size_t bytes) : mapped_(bytes + kSkip) {
        base_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base_ == MAP_FAILED) {
            throw std::bad_alloc{};
        }
    }
    ~SharedMemory() {
        if (base_ != MAP_FAILED) {
            ::munmap(base_, mapped_);
        }
    }
    SharedMemory(SharedMemory&& other) noexcept : base_(std::exchange(other.base_, MAP_FAILED)), mapped_(other.mapped_) {}
    SharedMemory& operator=(SharedMemory&&) = delete;
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    [[nodiscard]] std::span<std::byte> bytes() const { return {static_cast<std::byte*>(base_) + kSkip, mapped_ - kSkip}; }

    [[nodiscard]] std::size_t resident_bytes() const {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        std::vector<unsigned char> pages((mapped_ + page - 1) / page);
        ::mincore(base_, mapped_, pages.data());
        return page * static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; }));
    }
    /// Whether these bytes occur anywhere.
    [[nodiscard]] bool contains(std::string_view needle) const {
        return ::memmem(bytes().data(), bytes().size(), needle.data(), needle.size()) != nullptr;
    }

private:
    static constexpr std::size_t kSkip = 8;
    void* base_;
    std::size_t mapped_;
};

/// A table and its memory.
struct Table {
    SharedMemory memory;
    session::ShmStore store;

    explicit Table(std::uint64_t capacity)
        : memory(session::ShmStore::required_bytes(capacity)), store(session::ShmStore::create(memory.bytes(), capacity).value()) {}
};

class VectorBuffer final : public session::RecordBuffer {
public:
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override {
        content.assign(size, 0xEE);
        ++reservations;
        return content;
    }
    [[nodiscard]] std::string text() const { return {content.begin(), content.end()}; }

    std::vector<std::uint8_t> content;
    int reservations = 0;
};

inline session::LookupId id_of(std::uint64_t number) {
    return crypto::sha256("id " + std::to_string(number)).value();
}

inline session::RealmTag realm_of(char mark) {
    session::RealmTag realm;
    realm.fill(static_cast<std::uint8_t>(mark));
    return realm;
}

inline session::RecordHead head_at(core::UnixTime created = kNow) {
    session::RecordHead head;
    head.realm = realm_of('r');
    head.subject.fill('s');
    head.created = created;
    head.expires = created + std::chrono::hours{12};
    head.last_used = created;
    head.idle = std::chrono::hours{1};
    head.serial = 1;
    return head;
}

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The content of a part; nothing when the table does not find it.
inline std::optional<std::string> part_of(session::ShmStore& store, const session::LookupId& id, session::Part part, core::UnixTime now = kNow,
                                          session::Touch touch = session::Touch::no) {
    VectorBuffer buffer;
    const auto found = store.find(id, realm_of('r'), part, buffer, now, touch);
    return found.value() ? std::optional{buffer.text()} : std::nullopt;
}

/// A session with this number as its id; by default of typical size.
inline void put(session::ShmStore& store, std::uint64_t number, core::UnixTime now = kNow, std::size_t attributes = 900, std::size_t tokens = 800) {
    store.create(id_of(number), head_at(now), bytes_of(std::string(attributes, 'a')), bytes_of(std::string(tokens, 't')), now).value();
}

inline bool has(session::ShmStore& store, std::uint64_t number, core::UnixTime now = kNow) {
    return part_of(store, id_of(number), session::Part::attributes, now).has_value();
}

inline void touch(session::ShmStore& store, std::uint64_t number, core::UnixTime now) {
    part_of(store, id_of(number), session::Part::attributes, now, session::Touch::yes).value();
}

/// The first problem that validation finds; empty when all is well.
inline std::string problem_of(session::ShmStore& store) {
    return store.validate().value().value_or("");
}

}  // namespace proconnect::test
