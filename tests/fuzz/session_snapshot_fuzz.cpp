// load_snapshot(). An input is the file; after a first line "sealed" it is blocks (bytes of the payload and number of records, 4 bytes each, then the
// payload), to which file header and MACs are added.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "session/snapshot.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

constexpr std::uint64_t kCapacity = 8;

const crypto::Key256& key() {
    return server_keys().current.snapshot;
}

std::uint32_t number_at(std::string_view text, std::size_t offset) {
    std::uint32_t number = 0;
    std::memcpy(&number, text.data() + offset, sizeof(number));
    return number;
}

/// The file header and the blocks with their chain of MACs. The accepted seeds fail when it is not the chain that the library writes.
std::string sealed_file(std::string_view blocks) {
    std::string file;
    std::string previous(32, '\0');
    const auto add = [&](std::string_view part) {
        const auto mac = crypto::hmac_sha256(key(), previous + std::string{part}).value();
        previous.assign(reinterpret_cast<const char*>(mac.data()), mac.size());
        file.append(part).append(previous);
    };
    std::string header{"PCSNAPSH"};
    for (const std::uint64_t number : {std::uint64_t{0x0102'0304'0000'0001}, std::uint64_t{1'800'000'000}}) {
        header.append(reinterpret_cast<const char*>(&number), sizeof(number));
    }
    add(header);
    while (blocks.size() >= 8) {
        const auto payload = blocks.substr(8, number_at(blocks, 0));
        add(blocks.substr(0, 8 + payload.size()));
        blocks.remove_prefix(8 + payload.size());
    }
    return file;
}

/// A file of our own that is gone at the end.
class ScratchFile {
public:
    ScratchFile() {
        const int descriptor = ::mkstemp(path_.data());
        require(descriptor >= 0, "a scratch file can be made");
        ::close(descriptor);
    }
    ~ScratchFile() { ::unlink(path_.c_str()); }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    const std::string& write(std::string_view content) {
        std::ofstream{path_, std::ios::binary | std::ios::trunc}.write(content.data(), static_cast<std::streamsize>(content.size()));
        return path_;
    }

private:
    std::string path_ = "/tmp/proconnect-fuzz-XXXXXX";
};

Verdict judge(std::string_view input) {
    static ScratchFile file;
    static std::vector<std::uint64_t> memory(session::ShmStore::required_bytes(kCapacity) / sizeof(std::uint64_t) + 1);
    std::ranges::fill(memory, 0U);
    auto store = session::ShmStore::create(std::as_writable_bytes(std::span{memory}), kCapacity).value();
    const bool sealed = take_mode(input, "sealed");
    const auto& path = file.write(sealed ? sealed_file(input) : std::string{input});
    const auto loaded = session::load_snapshot(store, path, key(), kNow);
    const auto problem = store.validate();
    require(problem && !*problem, "the table is in order whatever the file was");
    const auto statistics = store.statistics().value();
    require(sealed || !loaded, "nobody makes a snapshot without the key");
    if (!loaded) {
        require(loaded.error().code == core::ErrorCode::snapshot_unusable, "a snapshot is refused as one");
        return Verdict::refused;
    }
    require(loaded->found && loaded->sessions == statistics.live && statistics.live <= kCapacity, "what was brought in is counted");
    require(!session::load_snapshot(store, path, server_keys().previous->snapshot, kNow), "another key opens nothing");
    // What is in the table now makes a snapshot that brings the same sessions in again.
    require(session::write_snapshot(store, path, key(), kNow).value().sessions == statistics.live, "each session is written");
    std::ranges::fill(memory, 0U);
    auto second = session::ShmStore::create(std::as_writable_bytes(std::span{memory}), kCapacity).value();
    const auto again = session::load_snapshot(second, path, key(), kNow);
    require(again && again->sessions == statistics.live, "each session is read again");
    return Verdict::accepted;
}

const Registration kTarget{"session_snapshot", judge};

}  // namespace
