#pragma once
// A provider whose answers a test writes, and a board for caches to share.
#include <atomic>
#include <functional>
#include <map>
#include <string>

#include "oidc/provider_cache.hpp"
#include "support/shared_memory.hpp"

namespace proconnect::test::caches {

using namespace std::chrono_literals;
using oidc::ProviderBoard;
using oidc::ProviderCache;
using Answer = std::expected<http::Response, core::Error>;
using Known = std::shared_ptr<const oidc::Provider>;

inline constexpr core::UnixTime kNow = core::from_unix_seconds(1'790'000'000);
inline const std::string kIssuer = "https://provider.test/api/v2";
inline const std::string kJwksUri = kIssuer + "/jwks";

inline std::string discovery_text(const std::string& issuer = kIssuer, const std::string& jwks_uri = kJwksUri, const std::string& token_endpoint = kIssuer + "/token") {
    return R"({"issuer":")" + issuer + R"(","authorization_endpoint":")" + kIssuer + R"(/authorize","token_endpoint":")" + token_endpoint +
           R"(","userinfo_endpoint":")" + kIssuer + R"(/userinfo","jwks_uri":")" + jwks_uri + R"("})";
}

/// Keys of the given names; all with the point of RFC 7517 appendix A.1, which is as good as any here.
inline std::string jwks_text(std::initializer_list<const char*> names) {
    std::string keys;
    for (const char* name : names) {
        keys += (keys.empty() ? "" : ",") + (R"({"kty":"EC","crv":"P-256","use":"sig","kid":")" + std::string(name) +
                                             R"(","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"})");
    }
    return R"({"keys":[)" + keys + "]}";
}

inline http::Response good(std::string body, std::chrono::seconds max_age = -1s) {
    http::Response response;
    response.status = 200;
    response.content_type = "application/json";
    response.body = std::move(body);
    response.max_age = max_age;
    return response;
}

inline Answer failing(core::ErrorCode code) {
    return std::unexpected(core::Error{code, "scripted"});
}

/// Counts in shared memory, so that the requests of forked processes count too.
class ScriptedClient final : public http::Client {
public:
    std::function<Answer()> discovery = [] { return good(discovery_text()); };
    std::function<Answer()> jwks = [] { return good(jwks_text({"one"}), 600s); };
    Shared<std::atomic<int>> discovery_requests;
    Shared<std::atomic<int>> jwks_requests;

    Answer send(const http::Request& request) override {
        if (request.url.ends_with("/.well-known/openid-configuration")) {
            ++*discovery_requests;
            return request.url == kIssuer + "/.well-known/openid-configuration" && request.max_body_bytes == ProviderBoard::kMaxDiscoveryBytes
                       ? discovery()
                       : failing(core::ErrorCode::provider_url_refused);
        }
        ++*jwks_requests;
        return request.url.starts_with(kJwksUri) && request.max_body_bytes == ProviderBoard::kMaxJwksBytes ? jwks()
                                                                                                          : failing(core::ErrorCode::provider_url_refused);
    }
    [[nodiscard]] int requests() const { return *discovery_requests + *jwks_requests; }
    void go_down(core::ErrorCode code = core::ErrorCode::provider_unreachable) {
        discovery = jwks = [code] { return failing(code); };
    }
    void recover() {
        discovery = [] { return good(discovery_text()); };
        jwks = [] { return good(jwks_text({"one"}), 600s); };
    }
};

struct CacheFixture {
    SharedMemory memory{ProviderBoard::bytes_needed()};
    ProviderBoard board = ProviderBoard::create(memory.bytes(), kIssuer).value();
    ScriptedClient client;
    ProviderCache cache{board, client, kIssuer, 20s};
    ProviderCache other{ProviderBoard::attach(memory.bytes(), kIssuer).value(), client, kIssuer, 20s};

    [[nodiscard]] ProviderBoard::Status status() const { return board.status().value(); }
};

/// The copy has a key of this name.
inline oidc::ProviderSource::Suffices has(std::string name) {
    return [name = std::move(name)](const oidc::Provider& provider) {
        return std::ranges::any_of(provider.jwks.keys(), [&](const auto& key) { return key.kid == name; });
    };
}

inline std::string key_names(const oidc::Provider& provider) {
    std::string names;
    for (const auto& key : provider.jwks.keys()) {
        names += (names.empty() ? "" : " ") + key.kid;
    }
    return names;
}

inline std::string code_of(const core::Error& error) {
    return core::code_text(error.code);
}

}  // namespace proconnect::test::caches
