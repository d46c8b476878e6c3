#include "oidc/userinfo.hpp"

#include "oidc/id_token.hpp"
#include "oidc/jwt.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::expected<void, Error> check_same_subject(const json::Value& claims, std::string_view subject) {
    const auto value = claims.string_member("sub");
    if (!value || subject.empty() || *value != subject) {
        return std::unexpected(Error{ErrorCode::userinfo_subject_mismatch, value ? "userinfo: sub is not the id_token's" : "userinfo: sub is missing"});
    }
    return {};
}

std::expected<json::Document, Error> open_signed(std::string_view body, const RelyingParty& client, const JsonWebKeySet& keys, core::UnixTime now) {
    auto token = open_token(body, client.userinfo.signed_with, verification_keys(client, keys), client.decryption_keys);
    if (!token) {
        return std::unexpected(Error{token.error().code, "userinfo: " + token.error().detail});
    }
    const auto claims = token->claims();
    const auto in_userinfo = [](Error error) { return std::unexpected(Error{error.code, "userinfo: " + std::move(error.detail)}); };
    if (auto ok = check_issuer(claims, client.issuer); !ok) {
        return in_userinfo(std::move(ok.error()));
    }
    if (auto ok = check_audience(claims, client.client_id); !ok) {
        return in_userinfo(std::move(ok.error()));
    }
    if (auto ok = check_expiry(claims, client.clock_skew, now); !ok) {
        return in_userinfo(std::move(ok.error()));
    }
    if (auto ok = check_not_before(claims, client.clock_skew, now); !ok) {
        return in_userinfo(std::move(ok.error()));
    }
    if (auto ok = check_issued_at(claims, client.clock_skew, now); !ok) {
        return in_userinfo(std::move(ok.error()));
    }
    return std::move(*token).take_claims();
}

}  // namespace

std::expected<std::string, Error> fetch_userinfo(http::Client& http, const ProviderMetadata& provider, const core::Secret& access_token) {
    http::Request request;
    request.url = provider.userinfo_endpoint;
    request.accept = "application/jwt, application/json";
    std::string credentials;
    credentials.reserve(sizeof("Bearer ") + access_token.size());   // grown step by step, it would leave copies behind
    credentials.append("Bearer ").append(access_token.reveal());
    request.headers.emplace_back("Authorization", core::Secret{std::move(credentials)});
    auto response = http.send(request);
    if (!response) {
        return std::unexpected(std::move(response.error()));
    }
    if (response->status != 200) {
        return std::unexpected(Error{ErrorCode::userinfo_failed, "userinfo endpoint: HTTP status " + std::to_string(response->status)});
    }
    return std::move(response->body);
}

std::expected<json::Document, Error> verify_userinfo(std::string_view body, const RelyingParty& client, const JsonWebKeySet& keys, std::string_view subject,
                                                     core::UnixTime now) {
    const auto content = trim(body);
    auto claims = [&]() -> std::expected<json::Document, Error> {
        if (!content.starts_with('{')) {
            return open_signed(content, client, keys, now);
        }
        if (!client.userinfo.plain_json) {
            return std::unexpected(Error{ErrorCode::jwt_form_unexpected, "userinfo: plain JSON although ProConnectUserInfoAlgorithm asks for a signature"});
        }
        return json::Document::parse_object(content);
    }();
    if (!claims) {
        return claims;
    }
    if (auto ok = check_same_subject(claims->root(), subject); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    return claims;
}

}  // namespace proconnect::oidc
