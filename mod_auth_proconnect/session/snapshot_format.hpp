#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "crypto/digest.hpp"
#include "session/private_file.hpp"
#include "session/shm_store.hpp"

// The file: FileHeader, MAC; then blocks of BlockHeader, payload, MAC; the last block has no record, and the number of all of them as
// payload. Each MAC is HMAC-SHA-256 over the MAC before it and what stands in between, so that each proves all that precedes it and no block
// can be left out, moved or repeated; the last block proves that the end is the end. Memory for one block is enough.

namespace proconnect::session {

/// The chain of MACs, the same for writing and reading.
class MacChain {
public:
    explicit MacChain(const crypto::Key256& key) noexcept : key_(key) {}
    std::expected<crypto::Sha256, core::Error> next(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload);

private:
    const crypto::Key256& key_;
    crypto::Sha256 previous_{};
    std::vector<std::uint8_t> message_;
};

class SnapshotWriter {
public:
    SnapshotWriter(AtomicFile& file, const crypto::Key256& key) : file_(file), chain_(key) {}

    std::expected<void, core::Error> begin(core::UnixTime now);
    std::expected<void, core::Error> add(const StoredRecord& record);
    std::expected<void, core::Error> end();

private:
    std::expected<void, core::Error> close_block();
    std::expected<void, core::Error> write_with_mac(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload);

    AtomicFile& file_;
    MacChain chain_;
    std::vector<std::uint8_t> payload_;
    std::uint32_t records_ = 0;
    std::uint64_t total_ = 0;
};

/// One pass over the file. Each block is handed out only after its MAC was found right.
class SnapshotReader {
public:
    SnapshotReader(const FileDescriptor& file, const crypto::Key256& key) : file_(file), chain_(key) {}

    std::expected<void, core::Error> begin();
    /// @return false after the last block, once it has been found to be the last
    std::expected<bool, core::Error> next(std::vector<std::uint8_t>& payload, std::uint32_t& records);

private:
    bool take(std::span<std::uint8_t> out) noexcept;
    std::expected<void, core::Error> check_mac(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload);
    std::expected<bool, core::Error> check_end(std::span<const std::uint8_t> payload);

    const FileDescriptor& file_;
    MacChain chain_;
    std::uint64_t offset_ = 0;
    std::uint64_t total_ = 0;
};

/// Takes one record off the front of a block; nothing when the block is not made of records, which its MAC should exclude.
std::optional<StoredRecord> take_record(std::span<const std::uint8_t>& payload);

}  // namespace proconnect::session
