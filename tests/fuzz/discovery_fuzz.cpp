// parse_discovery(), for an issuer on https and one on loopback.
#include "core/url.hpp"
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/discovery.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

constexpr std::string_view kLoopbackIssuer = "http://127.0.0.1:4000";

void check_endpoint(const std::string& endpoint, bool required, bool loopback_http) {
    if (endpoint.empty()) {
        require(!required, "each endpoint we use is there");
        return;
    }
    const auto url = core::parse_url(endpoint);
    require(url.has_value(), "each endpoint is a URL");
    require(url->is_https() || (loopback_http && url->is_loopback()), "each endpoint is on https, or on loopback like the issuer");
    require(endpoint.find_first_of("\r\n\t #\\\"<>") == std::string::npos, "no endpoint can split a header or a page");
}

bool accepts(std::string_view input, std::string_view issuer) {
    const auto metadata = oidc::parse_discovery(input, issuer);
    if (!metadata) {
        require(metadata.error().code == core::ErrorCode::discovery_malformed || metadata.error().code == core::ErrorCode::discovery_issuer_mismatch,
                "a discovery answer is refused as one");
        return false;
    }
    const bool loopback = issuer == kLoopbackIssuer;
    require(metadata->issuer == issuer, "the issuer is the configured one");
    for (const auto* endpoint : {&metadata->authorization_endpoint, &metadata->token_endpoint, &metadata->userinfo_endpoint, &metadata->jwks_uri}) {
        check_endpoint(*endpoint, true, loopback);
    }
    for (const auto* endpoint : {&metadata->end_session_endpoint, &metadata->introspection_endpoint, &metadata->revocation_endpoint}) {
        check_endpoint(*endpoint, false, loopback);
    }
    return true;
}

Verdict judge(std::string_view input) {
    const bool https = accepts(input, kIssuer);
    const bool loopback = accepts(input, kLoopbackIssuer);
    require(!https || !loopback, "a document is of one issuer only");
    return https || loopback ? Verdict::accepted : Verdict::refused;
}

const Registration kTarget{"discovery", judge};

}  // namespace
