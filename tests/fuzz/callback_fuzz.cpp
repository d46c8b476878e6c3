// The query of a callback: core::Parameters, parse_authorization_response(), check_response_issuer(), authorization_error().
#include <algorithm>
#include <set>

#include "core/url.hpp"
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/authorization.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using core::ErrorCode;

/// What any reader of forms makes of one item.
std::pair<std::string, std::string> read_item(std::string_view item) {
    const auto equals = item.find('=');
    return {core::form_decode(item.substr(0, equals)).value(), equals == std::string_view::npos ? "" : core::form_decode(item.substr(equals + 1)).value()};
}

void check_parameters(std::string_view query) {
    const auto parameters = core::Parameters::parse(query);
    if (!parameters) {
        require(parameters.error().code == ErrorCode::parameters_malformed, "a query is refused as one");
        return;
    }
    require(query.size() <= core::Parameters::kMaxBytes, "a query is bounded");
    std::set<std::string> names;
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto [name, value] = read_item(query.substr(0, end));
        require(!name.empty() && names.insert(name).second, "each parameter has a name, and its own");
        require(parameters->find(name) == value && !value.contains('\0'), "each parameter has its value");
        core::ParameterList list;
        const auto written = list.add(name, value).text();
        const auto copy = core::Parameters::parse(written);
        // An escape takes three bytes, so what was read within the limit may be written beyond it.
        require(copy ? copy->find(name) == value : written.size() > core::Parameters::kMaxBytes, "a parameter is written as it is read");
        query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    }
    require(names.size() <= core::Parameters::kMaxCount, "parameters are counted");
}

void check_error(const oidc::AuthorizationResponse& response) {
    const auto error = oidc::authorization_error(response);
    require(error.code >= ErrorCode::authorization_access_denied && error.code <= ErrorCode::authorization_acr_not_reached, "an error has a code of its own");
    require(error.detail.size() <= 512, "the provider's words are cut");
}

Verdict judge(std::string_view input) {
    check_parameters(input);
    const auto response = oidc::parse_authorization_response(input);
    if (!response) {
        require(response.error().code == ErrorCode::parameters_malformed || response.error().code == ErrorCode::callback_without_code,
                "a callback is refused as one");
        return Verdict::refused;
    }
    require(response->code.empty() != response->error.empty(), "an answer is a code or an error, never both");
    check_error(*response);
    oidc::ProviderMetadata provider;
    provider.issuer = kIssuer;
    for (const bool announced : {false, true}) {
        provider.response_iss = announced;
        const bool expected = response->issuer ? *response->issuer == kIssuer : !announced;
        require(oidc::check_response_issuer(*response, provider).has_value() == expected, "iss is the provider's, and there where it is announced");
    }
    return Verdict::accepted;
}

const Registration kTarget{"callback", judge};

}  // namespace
