#include "oidc/logout.hpp"

#include <charconv>

#include "core/base64url.hpp"
#include "core/url.hpp"
#include "crypto/constant_time.hpp"
#include "crypto/sealed_box.hpp"

namespace proconnect::oidc {
namespace {

constexpr std::chrono::hours kLogoutLifetime{1};
constexpr std::size_t kMaxStateChars = 8000;   // a return address is at most 4096 bytes
constexpr char kThenLogin = 'L', kThenNothing = '-';
constexpr std::size_t kFingerprintBytes = 32;

std::string context_of(const RelyingParty& client) {
    return "logout state 2\n" + std::to_string(client.issuer.size()) + ':' + client.issuer + '\n' + client.client_id;
}

}  // namespace

std::expected<std::string, core::Error> make_logout_state(const RelyingParty& client, const session::BrowserBinding& binding, const session::ServerKey& key,
                                                          core::UnixTime now, const LogoutIntent& intent) {
    auto fingerprint = binding.fingerprint();
    if (!fingerprint) {
        return std::unexpected(std::move(fingerprint.error()));
    }
    const auto& address = core::is_local_return_address(intent.return_address) ? intent.return_address : "";
    auto box = crypto::seal(key.logout_state, context_of(client),
                            *fingerprint + std::to_string(core::to_unix_seconds(now)) + (intent.then_login ? kThenLogin : kThenNothing) + address);
    if (!box) {
        return std::unexpected(std::move(box.error()));
    }
    return core::base64url_encode(*box);
}

std::optional<LogoutIntent> open_logout_state(std::string_view state, const RelyingParty& client, std::string_view binding_cookie, const session::ServerKeys& keys,
                                              core::UnixTime now) {
    const auto binding = session::BrowserBinding::parse(binding_cookie);
    const auto box = state.size() <= kMaxStateChars ? core::base64url_decode(state) : std::nullopt;
    if (!binding || !box) {
        return std::nullopt;
    }
    auto plaintext = crypto::open_sealed(keys.current.logout_state, context_of(client), *box);
    if (!plaintext && keys.previous) {
        plaintext = crypto::open_sealed(keys.previous->logout_state, context_of(client), *box);
    }
    const auto fingerprint = binding->fingerprint();
    if (!plaintext || !fingerprint || plaintext->size() <= kFingerprintBytes) {
        return std::nullopt;
    }
    const std::string_view content{*plaintext};
    std::int64_t issued = 0;
    const auto rest = content.substr(kFingerprintBytes);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), issued);
    if (error != std::errc{} || end == rest.data() + rest.size() || (*end != kThenLogin && *end != kThenNothing)) {
        return std::nullopt;
    }
    const auto age = now - core::from_unix_seconds(issued);
    if (age < -kLogoutLifetime || age > kLogoutLifetime || !crypto::equal_constant_time(content.substr(0, kFingerprintBytes), *fingerprint)) {
        return std::nullopt;
    }
    return LogoutIntent{.return_address = std::string{end + 1, rest.data() + rest.size()}, .then_login = *end == kThenLogin};
}

bool is_own_logout_state(std::string_view state, const RelyingParty& client, std::string_view binding_cookie, const session::ServerKeys& keys, core::UnixTime now) {
    return open_logout_state(state, client, binding_cookie, keys, now).has_value();
}

std::string end_session_url(const ProviderMetadata& provider, const RelyingParty& client, std::string_view id_token_hint, std::string_view state) {
    if (provider.end_session_endpoint.empty()) {
        return {};
    }
    core::ParameterList query;
    if (id_token_hint.empty()) {
        query.add("client_id", client.client_id);
    } else {
        query.add("id_token_hint", id_token_hint);
    }
    query.add("state", state).add("post_logout_redirect_uri", client.post_logout_redirect_uri);
    return provider.end_session_endpoint + (provider.end_session_endpoint.contains('?') ? '&' : '?') + query.text();
}

}  // namespace proconnect::oidc
