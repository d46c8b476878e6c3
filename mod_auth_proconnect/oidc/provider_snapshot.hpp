#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "oidc/provider_board.hpp"

namespace proconnect::oidc {

/// The good copy of a board as one JSON text, for a file that carries it over a full stop. Nothing when there is none yet.
/// It holds public data only; but whoever can write the file chooses the provider's keys, so it belongs to root.
[[nodiscard]] std::optional<std::string> export_text(const ProviderBoard& board, std::string_view issuer);

/// Fills an empty board from such a text, which passes every check that an answer of the provider would. A copy of whatever
/// age is taken, and refreshed by the next timer: an old key is better than none while the provider is down, and one from a file no better than that.
/// @return whether it was taken: false when the board has a copy already; PC4005 when the text is not usable
std::expected<bool, core::Error> import_text(ProviderBoard& board, std::string_view issuer, std::string_view text, core::UnixTime now);

}  // namespace proconnect::oidc
