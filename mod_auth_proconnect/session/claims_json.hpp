#pragma once
#include <cstddef>
#include <string_view>

#include "session/session.hpp"

namespace proconnect::session {

inline constexpr std::string_view kVariablePrefix = "PROCONNECT_";

/// Whether any character of a JSON string would be escaped.
[[nodiscard]] bool needs_json_escapes(std::string_view text) noexcept;

/// Bytes of PROCONNECT_CLAIMS for these attributes, counted once at login; AttributeBlock::write_claims_json() writes them at each request.
[[nodiscard]] std::size_t measure_claims_json(const AttributeBlock& block) noexcept;

}  // namespace proconnect::session
