#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/secret.hpp"
#include "core/url.hpp"
#include "oidc/discovery.hpp"
#include "oidc/relying_party.hpp"

namespace proconnect::oidc {

/// What a login asks of ProConnect beyond the client's settings; all optional.
struct AuthorizationWishes {
    std::vector<std::string> acr_values;   ///< sent as an essential `acr` in `claims`: the full list of acceptable levels, since ProConnect compares by membership
    bool prompt_login = false;             ///< prompt=login
    bool prompt_none = false;              ///< prompt=none; not together with prompt_login
    std::string idp_hint;                  ///< an idp_id
    std::string login_hint;                ///< an e-mail address
    std::string siret_hint;                ///< 14 digits
};

/// What ProConnect would answer 400 to (hints) is refused here with PC5001, before the user is sent anywhere.
std::expected<void, core::Error> check_wishes(const AuthorizationWishes& wishes);

/// The authorization request as a URL, Core section 3.1.2.1, RFC 7636 section 4.3. Only parameters ProConnect documents.
std::expected<std::string, core::Error> authorization_url(const ProviderMetadata& provider, const RelyingParty& client, std::string_view state,
                                                          std::string_view nonce, std::string_view code_challenge, const AuthorizationWishes& wishes);

/// The answer that came back on the redirect URI, Core sections 3.1.2.5 and 3.1.2.6.
struct AuthorizationResponse {
    core::Secret state;               ///< "" when absent
    core::Secret code;                ///< "" when this is an error
    std::string error;                ///< "" when this is a code
    std::string error_description;    ///< the provider's words; untrusted text
    std::optional<std::string> issuer;  ///< `iss`
};

/// PC1005 for repeated or broken parameters; PC1006 when there is neither or both of `code` and `error`.
std::expected<AuthorizationResponse, core::Error> parse_authorization_response(std::string_view query);

/// RFC 9207 section 2.4: `iss` must be the provider's, byte for byte; absent is refused when discovery announces it. PC3040.
std::expected<void, core::Error> check_response_issuer(const AuthorizationResponse& response, const ProviderMetadata& provider);

/// The code of the catalogue for an error response, RFC 6749 section 4.1.2.1 and Core section 3.1.2.6.
[[nodiscard]] core::Error authorization_error(const AuthorizationResponse& response);

}  // namespace proconnect::oidc
