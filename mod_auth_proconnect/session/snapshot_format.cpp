#include "session/snapshot_format.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/constant_time.hpp"

namespace proconnect::session {

using core::Error;
using core::ErrorCode;

namespace {

constexpr std::array<char, 8> kMagic{'P', 'C', 'S', 'N', 'A', 'P', 'S', 'H'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kByteOrder = 0x0102'0304;  ///< written as a number: a machine of the other order reads another one

struct FileHeader {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::uint32_t byte_order;
    std::int64_t written;  ///< Unix time, for a person who looks at the file
};

struct BlockHeader {
    std::uint32_t payload_bytes;
    std::uint32_t records;
};

struct RecordHeader {
    LookupId id;
    RealmTag realm;
    SubjectTag subject;
    std::int64_t created, expires, last_used, idle;
    std::uint64_t serial;
    std::uint32_t attributes_bytes, tokens_bytes;
};
static_assert(sizeof(RecordHeader) == 112);

constexpr std::size_t kBlockBytes = 64 * 1024;  ///< a block is closed once it has so many
constexpr std::size_t kMaxBlockBytes = kBlockBytes + sizeof(RecordHeader) + 2 * SessionStore::kMaxPartBytes;

std::unexpected<Error> unusable(std::string detail) {
    return std::unexpected(Error{ErrorCode::snapshot_unusable, std::move(detail)});
}

template <typename Plain>
std::span<const std::uint8_t> bytes_of(const Plain& plain) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(&plain), sizeof(plain)};
}

void append(std::vector<std::uint8_t>& to, std::span<const std::uint8_t> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::expected<crypto::Sha256, Error> MacChain::next(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) {
    message_.assign(previous_.begin(), previous_.end());
    append(message_, header);
    append(message_, payload);
    const auto mac = crypto::hmac_sha256(key_, {reinterpret_cast<const char*>(message_.data()), message_.size()});
    if (mac) {
        previous_ = *mac;
    }
    return mac;
}

std::expected<void, Error> SnapshotWriter::begin(core::UnixTime now) {
    const FileHeader header{kMagic, kVersion, kByteOrder, core::to_unix_seconds(now)};
    return write_with_mac(bytes_of(header), {});
}

std::expected<void, Error> SnapshotWriter::add(const StoredRecord& record) {
    const RecordHead& head = record.head;
    const RecordHeader header{.id = record.id, .realm = head.realm, .subject = head.subject,
                              .created = core::to_unix_seconds(head.created), .expires = core::to_unix_seconds(head.expires),
                              .last_used = core::to_unix_seconds(head.last_used), .idle = head.idle.count(), .serial = head.serial,
                              .attributes_bytes = static_cast<std::uint32_t>(record.attributes.size()),
                              .tokens_bytes = static_cast<std::uint32_t>(record.tokens.size())};
    append(payload_, bytes_of(header));
    append(payload_, record.attributes);
    append(payload_, record.tokens);
    ++records_;
    ++total_;
    return payload_.size() >= kBlockBytes ? close_block() : std::expected<void, Error>{};
}

std::expected<void, Error> SnapshotWriter::end() {
    if (records_ != 0) {
        if (auto closed = close_block(); !closed) {
            return closed;
        }
    }
    append(payload_, bytes_of(total_));
    return close_block();
}

std::expected<void, Error> SnapshotWriter::close_block() {
    const BlockHeader header{static_cast<std::uint32_t>(payload_.size()), records_};
    auto written = write_with_mac(bytes_of(header), payload_);
    payload_.clear();
    records_ = 0;
    return written;
}

std::expected<void, Error> SnapshotWriter::write_with_mac(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) {
    const auto mac = chain_.next(header, payload);
    if (!mac) {
        return std::unexpected(mac.error());
    }
    for (const auto part : {header, payload, std::span<const std::uint8_t>{*mac}}) {
        if (const auto written = file_.write(part); !written) {
            return unusable(written.error());
        }
    }
    return {};
}

std::expected<void, Error> SnapshotReader::begin() {
    FileHeader header{};
    if (!take({reinterpret_cast<std::uint8_t*>(&header), sizeof(header)}) || header.magic != kMagic) {
        return unusable("not a session snapshot");
    }
    if (header.version != kVersion || header.byte_order != kByteOrder) {
        return unusable("session snapshot of another version");
    }
    return check_mac(bytes_of(header), {});
}

std::expected<bool, Error> SnapshotReader::next(std::vector<std::uint8_t>& payload, std::uint32_t& records) {
    BlockHeader header{};
    if (!take({reinterpret_cast<std::uint8_t*>(&header), sizeof(header)}) || header.payload_bytes > kMaxBlockBytes) {
        return unusable("session snapshot torn");
    }
    payload.resize(header.payload_bytes);
    if (!take(payload)) {
        return unusable("session snapshot torn");
    }
    if (const auto checked = check_mac(bytes_of(header), payload); !checked) {
        return std::unexpected(checked.error());
    }
    records = header.records;
    total_ += records;
    return records == 0 ? check_end(payload) : std::expected<bool, Error>{true};
}

bool SnapshotReader::take(std::span<std::uint8_t> out) noexcept {
    const bool taken = read_at(file_, offset_, out);
    offset_ += out.size();
    return taken;
}

std::expected<void, Error> SnapshotReader::check_mac(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) {
    crypto::Sha256 stored{};
    if (!take(stored)) {
        return unusable("session snapshot torn");
    }
    const auto mac = chain_.next(header, payload);
    if (!mac) {
        return std::unexpected(mac.error());
    }
    if (!crypto::equal_constant_time(*mac, stored)) {
        return unusable("session snapshot changed, or of another server key");
    }
    return {};
}

std::expected<bool, Error> SnapshotReader::check_end(std::span<const std::uint8_t> payload) {
    std::array<std::uint8_t, 1> beyond{};
    if (!std::ranges::equal(payload, bytes_of(total_)) || take(beyond)) {
        return unusable("session snapshot does not end where it should");
    }
    return false;
}

std::optional<StoredRecord> take_record(std::span<const std::uint8_t>& payload) {
    RecordHeader header;
    if (payload.size() < sizeof(header)) {
        return std::nullopt;
    }
    std::memcpy(&header, payload.data(), sizeof(header));
    payload = payload.subspan(sizeof(header));
    if (header.attributes_bytes > payload.size() || header.tokens_bytes > payload.size() - header.attributes_bytes) {
        return std::nullopt;
    }
    const auto attributes = payload.first(header.attributes_bytes);
    const auto tokens = payload.subspan(header.attributes_bytes, header.tokens_bytes);
    payload = payload.subspan(attributes.size() + tokens.size());
    return StoredRecord{.id = header.id,
                        .head = {.realm = header.realm, .subject = header.subject, .created = core::from_unix_seconds(header.created),
                                 .expires = core::from_unix_seconds(header.expires), .last_used = core::from_unix_seconds(header.last_used),
                                 .idle = std::chrono::seconds{header.idle}, .serial = header.serial},
                        .tombstone = false,
                        .attributes = {attributes.begin(), attributes.end()},
                        .tokens = {tokens.begin(), tokens.end()}};
}

}  // namespace proconnect::session
