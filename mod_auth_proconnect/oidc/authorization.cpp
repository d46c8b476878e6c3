#include "oidc/authorization.hpp"

#include <algorithm>
#include <array>

#include "json/document.hpp"

namespace proconnect::oidc {
namespace {

using core::Error;
using core::ErrorCode;

constexpr std::size_t kMaxHintBytes = 255;

bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

// Deliberately narrow: one '@', no spaces, a dot in the domain. A hint that is refused costs the user one typed address, no more.
bool looks_like_email(std::string_view text) {
    const auto at = text.find('@');
    return at != std::string_view::npos && at != 0 && text.find('@', at + 1) == std::string_view::npos && at + 1 < text.size() &&
           text.find('.', at + 2) != std::string_view::npos && text.back() != '.' && is_printable_ascii(text);
}

// The amr is asked for at each login: ProConnect sends it only then, and the application is promised PROCONNECT_AMR.
std::string claims_parameter(const std::vector<std::string>& acr_values) {
    json::Writer writer;
    writer.begin_object().key("id_token").begin_object().key("amr").null();
    if (!acr_values.empty()) {
        writer.key("acr").begin_object().key("essential").boolean(true).key("values").begin_array();
        for (const auto& value : acr_values) {
            writer.string(value);
        }
        writer.end_array().end_object();
    }
    writer.end_object().end_object();
    return writer.take();
}

}  // namespace

std::expected<void, Error> check_wishes(const AuthorizationWishes& wishes) {
    const auto refuse = [](const char* why) { return std::unexpected(Error{ErrorCode::configuration_invalid, why}); };
    if (wishes.prompt_login && wishes.prompt_none) {
        return refuse("prompt=none cannot be combined with prompt=login");
    }
    if (!wishes.idp_hint.empty() && (wishes.idp_hint.size() > kMaxHintBytes || !is_printable_ascii(wishes.idp_hint))) {
        return refuse("idp_hint: not an idp_id");
    }
    if (!wishes.login_hint.empty() && (wishes.login_hint.size() > kMaxHintBytes || !looks_like_email(wishes.login_hint))) {
        return refuse("login_hint: not an e-mail address");
    }
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!wishes.siret_hint.empty() && (wishes.siret_hint.size() != 14 || !std::ranges::all_of(wishes.siret_hint, is_digit))) {
        return refuse("siret_hint: not 14 digits");
    }
    return {};
}

std::expected<std::string, Error> authorization_url(const ProviderMetadata& provider, const RelyingParty& client, std::string_view state,
                                                    std::string_view nonce, std::string_view code_challenge, const AuthorizationWishes& wishes) {
    if (auto checked = check_wishes(wishes); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    core::ParameterList query;
    query.add("response_type", "code")
        .add("client_id", client.client_id)
        .add("redirect_uri", client.redirect_uri)
        .add("scope", client.scope)
        .add("state", state)
        .add("nonce", nonce)
        .add("code_challenge", code_challenge)
        .add("code_challenge_method", "S256")
        .add("claims", claims_parameter(wishes.acr_values));
    if (wishes.prompt_login) {
        query.add("prompt", "login");
    }
    if (wishes.prompt_none) {
        query.add("prompt", "none");
    }
    const std::pair<std::string_view, const std::string&> hints[] = {
        {"idp_hint", wishes.idp_hint}, {"login_hint", wishes.login_hint}, {"siret_hint", wishes.siret_hint}};
    for (const auto& [name, value] : hints) {
        if (!value.empty()) {
            query.add(name, value);
        }
    }
    const char separator = provider.authorization_endpoint.contains('?') ? '&' : '?';
    return provider.authorization_endpoint + separator + query.text();
}

std::expected<AuthorizationResponse, Error> parse_authorization_response(std::string_view query) {
    auto parameters = core::Parameters::parse(query);
    if (!parameters) {
        return std::unexpected(std::move(parameters.error()));
    }
    const auto text = [&](std::string_view name) { return std::string{parameters->find(name).value_or("")}; };
    AuthorizationResponse response{.state = core::Secret{text("state")},
                                   .code = core::Secret{text("code")},
                                   .error = text("error"),
                                   .error_description = text("error_description"),
                                   .issuer = std::nullopt};
    if (const auto issuer = parameters->find("iss")) {
        response.issuer = std::string{*issuer};
    }
    if (response.code.empty() == response.error.empty()) {
        return std::unexpected(Error{ErrorCode::callback_without_code, response.code.empty() ? "callback: neither code nor error" : "callback: both code and error"});
    }
    return response;
}

std::expected<void, Error> check_response_issuer(const AuthorizationResponse& response, const ProviderMetadata& provider) {
    if (!response.issuer) {
        if (provider.response_iss) {
            return std::unexpected(Error{ErrorCode::response_issuer_mismatch, "callback: iss is missing although the provider announces it"});
        }
        return {};
    }
    if (*response.issuer != provider.issuer) {
        return std::unexpected(Error{ErrorCode::response_issuer_mismatch, "callback: iss is not the issuer of " + provider.issuer});
    }
    return {};
}

core::Error authorization_error(const AuthorizationResponse& response) {
    static constexpr std::array<std::pair<std::string_view, ErrorCode>, 7> kKnown{{
        {"access_denied", ErrorCode::authorization_access_denied},
        {"login_required", ErrorCode::authorization_login_required},
        {"invalid_scope", ErrorCode::authorization_invalid_scope},
        {"invalid_request", ErrorCode::authorization_invalid_request},
        {"server_error", ErrorCode::authorization_server_error},
        {"temporarily_unavailable", ErrorCode::authorization_temporarily_unavailable},
        {"unsupported_response_type", ErrorCode::authorization_unsupported_response_type},
    }};
    auto code = ErrorCode::authorization_other;
    for (const auto& [name, known] : kKnown) {
        if (response.error == name) {
            code = known;
        }
    }
    // ProConnect says so in words only; the error itself is access_denied for this and for a user who gave up.
    if (code == ErrorCode::authorization_access_denied && response.error_description.contains("requested ACRs could not be satisfied")) {
        code = ErrorCode::authorization_acr_not_reached;
    }
    std::string detail = "ProConnect answered " + response.error.substr(0, 64);
    if (!response.error_description.empty()) {
        detail += ": " + response.error_description.substr(0, 200);
    }
    if (code == ErrorCode::authorization_invalid_scope) {
        detail += " (ask ProConnect to open the scopes of ProConnectScope for this client, or name fewer)";
    }
    return Error{code, std::move(detail)};
}

}  // namespace proconnect::oidc
