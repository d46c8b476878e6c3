#include "oidc/pkce.hpp"

#include "core/base64url.hpp"
#include "crypto/digest.hpp"

namespace proconnect::oidc {

std::expected<std::string, core::Error> code_challenge_s256(std::string_view code_verifier) {
    if (code_verifier.size() < 43 || code_verifier.size() > 128) {
        return std::unexpected(core::Error{core::ErrorCode::internal_error, "PKCE: code_verifier has a wrong length"});
    }
    const auto digest = crypto::sha256(code_verifier);
    if (!digest) {
        return std::unexpected(digest.error());
    }
    return core::base64url_encode(*digest);
}

}  // namespace proconnect::oidc
