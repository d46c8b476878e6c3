#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace proconnect::oidc {

/// The issuer of one of ProConnect's four platforms, or of an issuer URL: https, or http on loopback, without query, fragment or userinfo.
/// @return the issuer byte for byte as it will be compared, or a sentence that says what to write instead
std::expected<std::string, std::string> issuer_of_platform(std::string_view platform);

}  // namespace proconnect::oidc
