#include "oidc/introspection.hpp"

#include <algorithm>
#include <utility>

#include "oidc/id_token.hpp"
#include "oidc/token.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;
using core::UnixTime;

constexpr std::size_t kMaxClientIdBytes = 255;
constexpr std::size_t kMaxScopeBytes = 4096;
constexpr std::size_t kMaxAudiences = 32;
constexpr std::size_t kMaxAudienceBytes = 1024;

std::unexpected<Error> refuse(ErrorCode code, std::string why) {
    return std::unexpected(Error{code, std::move(why)});
}

Error in_introspection(Error error) {
    return Error{error.code, "introspection: " + std::move(error.detail)};
}

bool is_printable(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

/// The answer itself, RFC 9701 section 5: from the issuer, for us alone, made just now.
std::expected<void, Error> check_answer(const json::Value& claims, const RelyingParty& client, UnixTime now) {
    if (auto ok = check_issuer(claims, client.issuer); !ok) {
        return ok;
    }
    if (auto ok = check_audience(claims, client.client_id); !ok) {
        return ok;
    }
    if (const auto audience = claims.find("aud"); audience->is_array() && audience->size() != 1) {
        return refuse(ErrorCode::audience_mismatch, "aud: names others than this client too");
    }
    const auto issued = check_issued_at(claims, client.clock_skew, now);
    if (!issued) {
        return std::unexpected(issued.error());
    }
    if (*issued < now - client.clock_skew - kOldestIntrospection) {
        return refuse(ErrorCode::issued_at_invalid, "iat: stale, the answer was made for another request");
    }
    if (claims.find("exp")) {
        if (const auto expires = check_expiry(claims, client.clock_skew, now); !expires) {
            return std::unexpected(expires.error());
        }
    }
    return check_not_before(claims, client.clock_skew, now);
}

/// A bearer token that whoever holds it may use, and no other kind, RFC 7662 section 2.2, RFC 8705 section 3.2.
std::expected<void, Error> check_kind(const json::Value& token) {
    const auto type = token.string_member("token_type");
    if (!type || !is_bearer(*type)) {
        return refuse(ErrorCode::claim_malformed, "token_type: not Bearer, or missing");
    }
    if (token.find("cnf")) {
        return refuse(ErrorCode::claim_malformed, "cnf: the token is bound to a key whose possession is not proven here");
    }
    return {};
}

std::expected<void, Error> check_times(const json::Value& token, std::chrono::seconds skew, UnixTime now) {
    if (const auto claim = token.find("iat")) {
        const auto seconds = claim->as_numeric_date();
        if (!seconds || core::from_unix_seconds(*seconds) > now + skew) {
            return refuse(ErrorCode::issued_at_invalid, "iat: of the token: not a date, or in the future");
        }
    }
    return check_not_before(token, skew, now);
}

std::expected<std::string, Error> read_client_id(const json::Value& token) {
    const auto value = token.string_member("client_id");
    if (!value || value->empty() || value->size() > kMaxClientIdBytes || !is_printable(*value)) {
        return refuse(ErrorCode::claim_malformed, "client_id: missing, empty, too long or not printable ASCII");
    }
    return std::string{*value};
}

std::expected<std::vector<std::string>, Error> read_audience(const json::Value& token) {
    const auto claim = token.find("aud");
    if (!claim) {
        return std::vector<std::string>{};
    }
    std::vector<std::string_view> values;
    if (const auto one = claim->as_string()) {
        values.push_back(*one);
    } else if (auto several = claim->as_strings()) {
        values = std::move(*several);
    }
    const auto usable = [](std::string_view value) { return !value.empty() && value.size() <= kMaxAudienceBytes; };
    if (values.empty() || values.size() > kMaxAudiences || !std::ranges::all_of(values, usable)) {
        return refuse(ErrorCode::claim_malformed, "aud: of the token: empty, too long or not texts");
    }
    return std::vector<std::string>(values.begin(), values.end());
}

std::expected<std::string, Error> read_scope(const json::Value& token) {
    const auto claim = token.find("scope");
    if (!claim) {
        return std::string{};
    }
    const auto value = claim->as_string();
    if (!value || value->size() > kMaxScopeBytes || !is_printable(*value)) {
        return refuse(ErrorCode::claim_malformed, "scope: too long or not a printable text");
    }
    return std::string{*value};
}

/// What the answer says of the token, RFC 7662 section 2.2.
std::expected<Introspection, Error> read_token(const json::Value& claims, const RelyingParty& client, UnixTime now) {
    const auto token = claims.find("token_introspection");
    const auto active = token ? token->find("active") : std::nullopt;
    const auto in_force = active ? active->as_bool() : std::nullopt;
    if (!in_force) {
        return refuse(ErrorCode::claim_malformed, "token_introspection: not an object with active true or false");
    }
    if (!*in_force) {
        return Introspection{};
    }
    if (auto ok = check_kind(*token); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    if (token->find("iss")) {
        if (auto ok = check_issuer(*token, client.issuer); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    auto subject = check_subject(*token);
    if (!subject) {
        return std::unexpected(std::move(subject.error()));
    }
    auto client_id = read_client_id(*token);
    if (!client_id) {
        return std::unexpected(std::move(client_id.error()));
    }
    const auto expires = check_expiry(*token, client.clock_skew, now);
    if (!expires) {
        return std::unexpected(expires.error());
    }
    if (auto ok = check_times(*token, client.clock_skew, now); !ok) {
        return std::unexpected(std::move(ok.error()));
    }
    auto audience = read_audience(*token);
    if (!audience) {
        return std::unexpected(std::move(audience.error()));
    }
    auto scope = read_scope(*token);
    if (!scope) {
        return std::unexpected(std::move(scope.error()));
    }
    return ActiveToken{.subject = std::move(*subject),
                       .client_id = std::move(*client_id),
                       .audience = std::move(*audience),
                       .scope = std::move(*scope),
                       .expires = *expires};
}

}  // namespace

std::expected<std::string, Error> fetch_introspection(http::Client& http, const ProviderMetadata& provider, const RelyingParty& client,
                                                      const core::Secret& access_token, UnixTime now) {
    if (provider.introspection_endpoint.empty()) {
        return refuse(ErrorCode::introspection_failed, "introspection: the provider offers none");
    }
    core::ParameterList body;
    body.add("token", access_token.reveal()).add("token_type_hint", "access_token");
    auto response = post_form(http, provider.introspection_endpoint, provider, client, body, now, "application/token-introspection+jwt");
    if (!response) {
        return std::unexpected(in_introspection(std::move(response.error())));
    }
    if (response->status == 200) {
        return std::move(response->body);
    }
    auto error = token_endpoint_error(*response, client);
    if (error.code == ErrorCode::client_refused) {
        return std::unexpected(in_introspection(std::move(error)));
    }
    return refuse(ErrorCode::introspection_failed, "introspection: HTTP status " + std::to_string(response->status));
}

std::expected<Introspection, Error> verify_introspection(std::string_view body, const RelyingParty& client, const JsonWebKeySet& keys, UnixTime now) {
    if (body.starts_with('{')) {
        return refuse(ErrorCode::jwt_form_unexpected, "introspection: plain JSON where a signed answer was asked for");
    }
    const auto answer = verify_jws(body, client.introspection_algorithms, verification_keys(client, keys), TokenType::token_introspection);
    if (!answer) {
        return std::unexpected(in_introspection(answer.error()));
    }
    if (auto ok = check_answer(answer->claims(), client, now); !ok) {
        return std::unexpected(in_introspection(std::move(ok.error())));
    }
    auto token = read_token(answer->claims(), client, now);
    if (!token) {
        return std::unexpected(in_introspection(std::move(token.error())));
    }
    return token;
}

std::expected<Introspection, Error> introspect(const ProviderCall& call, const core::Secret& access_token) {
    if (!is_token_text(access_token.reveal())) {
        return Introspection{};
    }
    auto provider = call.source.current(call.now);
    if (!provider) {
        return std::unexpected(in_introspection(std::move(provider.error())));
    }
    const auto body = fetch_introspection(call.http, (*provider)->metadata, call.client, access_token, call.now);
    if (!body) {
        return std::unexpected(body.error());
    }
    return with_fresh_keys(call, *provider, [&](const JsonWebKeySet& jwks) { return verify_introspection(*body, call.client, jwks, call.now); });
}

}  // namespace proconnect::oidc
