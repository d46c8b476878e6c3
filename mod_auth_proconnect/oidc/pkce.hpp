#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace proconnect::oidc {

/// code_challenge of method S256, RFC 7636 section 4.2. The verifier has 43 to 128 unreserved characters (PC9001 otherwise).
std::expected<std::string, core::Error> code_challenge_s256(std::string_view code_verifier);

}  // namespace proconnect::oidc
