// import_text(): the file with the last good copy of the provider.
#include <algorithm>
#include <vector>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/discovery.hpp"
#include "oidc/jwks.hpp"
#include "oidc/provider_snapshot.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using oidc::ProviderBoard;

ProviderBoard empty_board() {
    static std::vector<std::uint64_t> memory(ProviderBoard::bytes_needed() / sizeof(std::uint64_t) + 1);
    std::ranges::fill(memory, 0U);
    return ProviderBoard::create(std::as_writable_bytes(std::span{memory}), kIssuer).value();
}

Verdict judge(std::string_view input) {
    auto board = empty_board();
    const auto taken = oidc::import_text(board, kIssuer, input, kNow);
    if (!taken) {
        require(taken.error().code == core::ErrorCode::snapshot_unusable || taken.error().code == core::ErrorCode::provider_body_too_large,
                "a snapshot is refused as one");
        require(board.generation() == 0 && !board.read(), "nothing of a refused snapshot is used");
        return Verdict::refused;
    }
    require(*taken, "an empty board takes a copy");
    const auto copy = board.read();
    require(copy && oidc::parse_discovery(copy->discovery, kIssuer) && oidc::JsonWebKeySet::parse(copy->jwks), "what was taken passes the checks of an answer");
    const auto status = board.status();
    require(status && status->discovery_fetched <= kNow && status->jwks_fetched <= kNow, "no copy is of the future");
    require(!oidc::import_text(board, kIssuer, input, kNow).value(), "a board with a copy keeps it");
    const auto exported = oidc::export_text(board, kIssuer);
    auto second = empty_board();
    require(exported && oidc::import_text(second, kIssuer, *exported, kNow).value_or(false), "what is exported can be imported");
    const auto again = second.read();
    require(again && again->discovery == copy->discovery && again->jwks == copy->jwks, "and is the same");
    return Verdict::accepted;
}

const Registration kTarget{"provider_snapshot", judge};

}  // namespace
