// ShmStore over memory that something else has written into. An input is one byte that says what is done first ('a': attach, 'u': use as it is) and
// patches. The mutexes are left alone: they are the C library's. Accepted is a table that can be attached to.
#include <algorithm>
#include <vector>

#include "crypto/digest.hpp"
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/patches.hpp"
#include "session/shm_store.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using namespace std::chrono_literals;
using session::LookupId;
using session::Part;
using session::RecordHead;
using session::ShmStore;
namespace shm = session::shm;

constexpr std::uint64_t kCapacity = 8;
constexpr std::uint64_t kSessions = 6;

class Buffer final : public session::RecordBuffer {
public:
    std::span<std::uint8_t> reserve(std::size_t size) noexcept override {
        require(size <= session::SessionStore::kMaxPartBytes, "no part is beyond its limit");
        content.assign(size, 0);
        return content;
    }
    std::vector<std::uint8_t> content;
};

LookupId id_of(std::uint64_t number) {
    return crypto::sha256("id " + std::to_string(number)).value();
}

RecordHead head() {
    RecordHead head;
    head.realm.fill('r');
    head.subject.fill('s');
    head.created = kNow;
    head.expires = kNow + 12h;
    head.last_used = kNow;
    head.idle = 1h;
    head.serial = 1;
    return head;
}

std::vector<std::uint8_t> content(std::size_t size, char fill) {
    return std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(fill));
}

/// A table in which every structure occurs: records of no, one and several chunks, free entries, free chunks, a tombstone; and its untouched image.
class Patient {
public:
    Patient() : memory_(ShmStore::required_bytes(kCapacity) / sizeof(std::uint64_t) + 1) {
        auto store = ShmStore::create(bytes(), kCapacity).value();
        for (std::uint64_t number = 0; number < kSessions; ++number) {
            store.create(id_of(number), head(), content(300 * number, 'a'), content(7 * number, 't'), kNow).value();
        }
        require(store.remove(id_of(2), head().realm).value(), "a record is removed");
        table().taking_over = 1;
        require(store.remove(id_of(3), head().realm).value(), "a record is buried");
        table().taking_over = 0;
        image_.assign(memory_.begin(), memory_.end());
    }

    std::span<std::byte> bytes() { return std::as_writable_bytes(std::span{memory_}); }
    void restore() { std::ranges::copy(image_, memory_.begin()); }

    void damage(std::string_view patches) {
        const auto geometry = shm::Geometry::for_capacity(kCapacity).value();
        const auto all = shm::aligned_table(bytes()).value();
        const auto shard = all.subspan(sizeof(shm::TableHeader), sizeof(shm::ShardHeader)).subspan(sizeof(core::RobustMutex));
        const auto area = all.subspan(geometry.areas_offset(), geometry.area_bytes());
        const std::span<std::byte> areas[] = {all.first(sizeof(shm::TableHeader)), shard, area.first(geometry.buckets * sizeof(std::uint32_t)),
                                              area.subspan(geometry.entries_offset(), (geometry.entries + 1) * sizeof(shm::Entry)),
                                              area.subspan(geometry.chunks_offset(), 64 * sizeof(shm::Chunk))};
        apply_patches(patches, areas);
    }

private:
    shm::TableHeader& table() { return *reinterpret_cast<shm::TableHeader*>(shm::aligned_table(bytes()).value().data()); }

    std::vector<std::uint64_t> memory_;
    std::vector<std::uint64_t> image_;
};

std::uint64_t count_records(ShmStore& store) {
    session::RecordCursor cursor;
    std::vector<session::StoredRecord> records;
    std::uint64_t live = 0;
    for (int steps = 0;; ++steps) {
        require(steps < 1000, "a walk through the table ends");
        if (!store.next_records(cursor, records, true).value_or(false)) {
            return live;
        }
        for (const auto& record : records) {
            live += record.tombstone ? 0 : 1;
        }
    }
}

/// All that a server does with its table, whatever it answers.
void use(ShmStore& store) {
    Buffer buffer;
    for (std::uint64_t number = 0; number < kSessions; ++number) {
        for (const Part part : {Part::attributes, Part::tokens}) {
            (void)store.find(id_of(number), head().realm, part, buffer, kNow, session::Touch::yes);
        }
    }
    auto second = head();
    second.serial = 2;
    (void)store.replace(id_of(0), second, content(2000, 'y'), content(3, 't'), kNow);
    (void)store.remove(id_of(1), head().realm);
    (void)store.statistics();
    (void)store.validate();
    (void)count_records(store);
    (void)store.sweep(kNow + 30min);
    session::SubjectTag nobody{};
    (void)store.remove_subject(head().realm, nobody);
    for (std::uint64_t number = 20; number < 32; ++number) {
        (void)store.create(id_of(number), head(), content(900, 'x'), content(20, 't'), kNow);
    }
}

void check_healthy(ShmStore& store) {
    const auto problem = store.validate();
    require(problem && !*problem, "a table that was attached to is in order");
    const auto statistics = store.statistics();
    require(statistics && statistics->live == count_records(store), "the records are counted");
    Buffer buffer;
    const auto created = store.create(id_of(99), head(), content(1000, 'n'), content(30, 'm'), kNow);
    require(created || store.find(id_of(99), head().realm, Part::tokens, buffer, kNow, session::Touch::no), "a table in order takes a session");
    if (created) {
        const auto found = store.find(id_of(99), head().realm, Part::tokens, buffer, kNow, session::Touch::no);
        require(found && *found && buffer.content == content(30, 'm'), "and gives it back");
    }
}

Verdict judge(std::string_view input) {
    static Patient patient;
    patient.restore();
    const bool attach_first = !input.starts_with('u');
    // As the server's processes have it: opened while all was well.
    auto opened = ShmStore::attach(patient.bytes()).value();
    patient.damage(input.substr(std::min<std::size_t>(1, input.size())));
    if (!attach_first) {
        use(opened);
    }
    auto attached = ShmStore::attach(patient.bytes());
    if (!attached) {
        require(attached.error().code == core::ErrorCode::session_store_unavailable, "a table is refused as one");
        return Verdict::refused;
    }
    check_healthy(*attached);
    use(*attached);
    const auto problem = attached->validate();
    require(problem && !*problem, "and stays in order");
    return Verdict::accepted;
}

const Registration kTarget{"session_table", judge};

}  // namespace
