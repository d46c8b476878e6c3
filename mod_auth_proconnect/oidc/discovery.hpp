#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "http/client.hpp"

namespace proconnect::oidc {

/// What we use of the provider's metadata, OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2.
struct ProviderMetadata {
    std::string issuer;
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string userinfo_endpoint;
    std::string jwks_uri;
    std::string end_session_endpoint;     ///< "" when not offered
    std::string introspection_endpoint;   ///< "" when not offered
    std::string revocation_endpoint;      ///< "" when not offered
    bool response_iss = false;            ///< authorization_response_iss_parameter_supported, RFC 9207 section 3
};

/// issuer + "/.well-known/openid-configuration", Discovery section 4.1.
[[nodiscard]] std::string discovery_url(std::string_view issuer);

/// Discovery section 4.3: `issuer` equals the configured one byte for byte (PC2011); every endpoint we use is there and https, or http on loopback
/// when the issuer is http on loopback itself; anything else PC2010.
std::expected<ProviderMetadata, core::Error> parse_discovery(std::string_view text, std::string_view issuer);

}  // namespace proconnect::oidc
