// ProviderBoard over memory that something else has written into; an input is patches. The mutexes are left alone: they are the C library's. Accepted is
// a board that can be attached to and has a copy to read.
#include <algorithm>
#include <vector>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/patches.hpp"
#include "oidc/provider_board.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using namespace std::chrono_literals;
using oidc::ProviderBoard;

// The layout, which the board keeps to itself: stamp, issuer, two mutexes, generation and numbers, two pairs of texts.
constexpr std::size_t kMutexes = 8 + 8 + ProviderBoard::kMaxIssuerBytes;
constexpr std::size_t kNumbers = kMutexes + 2 * sizeof(core::RobustMutex);
constexpr std::size_t kNumbersBytes = 11 * 8;
constexpr std::size_t kPairs = kNumbers + kNumbersBytes;
constexpr std::size_t kDiscoveryBytes = 8 + ProviderBoard::kMaxDiscoveryBytes;
constexpr std::size_t kPairBytes = kDiscoveryBytes + 8 + ProviderBoard::kMaxJwksBytes;

ProviderBoard::Part part(std::string_view text) {
    return {.text = text, .fetched = kNow, .lifetime = 600s};
}

class Patient {
public:
    Patient() : memory_(ProviderBoard::bytes_needed() / sizeof(std::uint64_t) + 1) {
        require(ProviderBoard::bytes_needed() == kPairs + 2 * kPairBytes, "the layout is as it is drawn here");
        auto board = ProviderBoard::create(bytes(), kIssuer).value();
        board.publish(part("first discovery"), part("first keys")).value();
        board.publish(part("second discovery"), part("second keys")).value();
        board.record_failure(core::ErrorCode::provider_timeout, kNow, kNow + 10s);
        image_.assign(memory_.begin(), memory_.end());
    }
    std::span<std::byte> bytes() { return std::as_writable_bytes(std::span{memory_}); }
    void restore() { std::ranges::copy(image_, memory_.begin()); }
    void damage(std::string_view patches) {
        const std::span<std::byte> areas[] = {bytes().first(kMutexes), bytes().subspan(kNumbers, kNumbersBytes), bytes().subspan(kPairs, 64),
                                              bytes().subspan(kPairs + kDiscoveryBytes, 64), bytes().subspan(kPairs + kPairBytes, 64),
                                              bytes().subspan(kPairs + kPairBytes + kDiscoveryBytes, 64)};
        apply_patches(patches, areas);
    }

private:
    std::vector<std::uint64_t> memory_;
    std::vector<std::uint64_t> image_;
};

bool is_sane(std::chrono::seconds duration) {
    return std::abs(duration.count()) <= 253'402'300'799;
}

bool is_sane(core::UnixTime time) {
    return time.time_since_epoch() >= 0s && is_sane(time.time_since_epoch());
}

void check_status(const ProviderBoard& board) {
    const auto status = board.status();
    require(status.has_value(), "the status can be had");
    require(is_sane(status->discovery_fetched) && is_sane(status->jwks_fetched) && is_sane(status->failing_since) && is_sane(status->next_attempt) &&
                is_sane(status->unknown_key_fetch),
            "each time can be calculated with");
    require(is_sane(status->discovery_lifetime) && is_sane(status->jwks_lifetime) && is_sane(status->clock_ahead), "each duration, too");
    require(core::catalogue_entry(status->last_error).http_status != 0, "the last error is one of ours");
}

Verdict judge(std::string_view input) {
    static Patient patient;
    patient.restore();
    patient.damage(input);
    auto board = ProviderBoard::attach(patient.bytes(), kIssuer);
    require(!ProviderBoard::attach(patient.bytes(), "https://other.example"), "a board is of one issuer");
    require(!ProviderBoard::attach(patient.bytes().first(100), kIssuer), "a board needs its memory");
    if (!board) {
        return Verdict::refused;
    }
    check_status(*board);
    const auto copy = board->read();
    require(!copy || (copy->generation != 0 && copy->generation == board->generation() && copy->discovery.size() <= ProviderBoard::kMaxDiscoveryBytes &&
                      copy->jwks.size() <= ProviderBoard::kMaxJwksBytes),
            "a copy is bounded and has its generation");
    board->record_failure(core::ErrorCode::provider_timeout, kNow, kNow + 10s);
    board->record_clock(5s);
    (void)board->claim_unknown_key_fetch(kNow);
    require(!board->claim_unknown_key_fetch(kNow + 59s), "one fetch a minute for unknown keys, whatever stood there");
    check_status(*board);
    require(board->begin_fetch(0ms).is_held(), "the right to fetch can be had");
    (void)board->publish(part("half"), std::nullopt);
    const auto published = board->publish(part("new discovery"), part("new keys"));
    const auto now = board->read();
    require(published && ((now && now->discovery == "new discovery" && now->jwks == "new keys") || board->generation() == 0),
            "what is published can be read, whatever stood there");
    board->record_success();
    require(board->status()->failures == 0, "a success ends the failures");
    return copy ? Verdict::accepted : Verdict::refused;
}

const Registration kTarget{"provider_board", judge};

}  // namespace
