#include "oidc/discovery.hpp"

#include <optional>

#include "core/url.hpp"
#include "json/document.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;

// ProConnect's document has about 5 KiB.
constexpr json::Limits kLimits{.max_bytes = 64 * 1024, .max_depth = 8, .max_values = 4000, .max_string_bytes = 4096};
constexpr std::size_t kMaxEndpointBytes = 2048;

Error malformed(std::string detail) {
    return {ErrorCode::discovery_malformed, std::move(detail)};
}

bool is_plain_loopback(const core::Url& url) noexcept {
    return !url.is_https() && url.is_loopback();
}

/// Reads the members of one document; remembers the first failure so that the caller reads as a list.
class Reader {
public:
    Reader(json::Value root, bool loopback_http) noexcept : root_(root), loopback_http_(loopback_http) {}

    std::string required_endpoint(std::string_view name) {
        std::string url = optional_endpoint(name);
        if (url.empty()) {
            fail(std::string(name) + " is missing");
        }
        return url;
    }

    std::string optional_endpoint(std::string_view name) {
        const std::optional<json::Value> member = root_.find(name);
        if (!member) {
            return {};
        }
        const std::optional<std::string_view> text = member->as_string();
        if (!text || text->size() > kMaxEndpointBytes) {
            fail(std::string(name) + " is not a URL");
            return {};
        }
        const std::optional<core::Url> url = core::parse_url(*text);
        if (!url) {
            fail(std::string(name) + " is not a URL");
            return {};
        }
        if (!url->is_https() && !(loopback_http_ && is_plain_loopback(*url))) {
            fail(std::string(name) + " is not on https");
            return {};
        }
        return std::string(*text);
    }

    bool optional_flag(std::string_view name) {
        const std::optional<json::Value> member = root_.find(name);
        if (!member) {
            return false;
        }
        const std::optional<bool> flag = member->as_bool();
        if (!flag) {
            fail(std::string(name) + " is neither true nor false");
        }
        return flag.value_or(false);
    }

    [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

private:
    void fail(std::string detail) {
        if (!failure_) {
            failure_ = malformed(std::move(detail));
        }
    }

    json::Value root_;
    bool loopback_http_;
    std::optional<Error> failure_;
};

}  // namespace

std::string discovery_url(std::string_view issuer) {
    // Section 4.1: a final slash of the issuer is removed before the suffix is added.
    if (issuer.ends_with('/')) {
        issuer.remove_suffix(1);
    }
    return std::string(issuer) + "/.well-known/openid-configuration";
}

std::expected<ProviderMetadata, Error> parse_discovery(std::string_view text, std::string_view issuer) {
    const auto document = json::Document::parse_object(text, kLimits);
    if (!document) {
        return std::unexpected(malformed("the discovery document is no usable JSON: " + document.error().detail));
    }
    const json::Value root = document->root();

    const std::optional<std::string_view> stated = root.string_member("issuer");
    if (!stated) {
        return std::unexpected(malformed("issuer is missing"));
    }
    // Byte for byte: a document of another issuer names that one's endpoints and keys.
    if (*stated != issuer) {
        return std::unexpected(Error{ErrorCode::discovery_issuer_mismatch,
                                     "the discovery document is of another issuer than the configured one: " + std::string(*stated)});
    }

    const std::optional<core::Url> issuer_url = core::parse_url(issuer);
    Reader reader(root, issuer_url && is_plain_loopback(*issuer_url));
    ProviderMetadata metadata{
        .issuer = std::string(issuer),
        .authorization_endpoint = reader.required_endpoint("authorization_endpoint"),
        .token_endpoint = reader.required_endpoint("token_endpoint"),
        .userinfo_endpoint = reader.required_endpoint("userinfo_endpoint"),
        .jwks_uri = reader.required_endpoint("jwks_uri"),
        .end_session_endpoint = reader.optional_endpoint("end_session_endpoint"),
        .introspection_endpoint = reader.optional_endpoint("introspection_endpoint"),
        .revocation_endpoint = reader.optional_endpoint("revocation_endpoint"),
        .response_iss = reader.optional_flag("authorization_response_iss_parameter_supported"),
    };
    if (reader.failure()) {
        return std::unexpected(*reader.failure());
    }
    return metadata;
}

}  // namespace proconnect::oidc
