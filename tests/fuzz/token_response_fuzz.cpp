// parse_token_response(), and the same text as an error answer of the token endpoint.
#include <algorithm>

#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/token.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using core::ErrorCode;

void check_error_answer(std::string_view input) {
    static const auto client = make_client();
    http::Response response;
    response.status = 400;
    response.body = input;
    const auto error = oidc::token_endpoint_error(response, client);
    constexpr ErrorCode kExpected[] = {ErrorCode::client_refused, ErrorCode::code_refused, ErrorCode::token_request_refused, ErrorCode::provider_status};
    require(std::ranges::find(kExpected, error.code) != std::end(kExpected), "an error answer is one of four");
    require(error.detail.size() <= 512, "the detail is short whatever the provider wrote");
    require(std::ranges::all_of(error.detail, [](char c) { return c >= ' ' && c <= '~'; }), "nothing of the provider's can break the log");
}

Verdict judge(std::string_view input) {
    check_error_answer(input);
    const auto lenient = oidc::parse_token_response(input, false);
    const auto strict = oidc::parse_token_response(input, true);
    require(lenient || !strict, "an id_token more is never refused");
    if (!lenient) {
        require(lenient.error().code == ErrorCode::token_response_malformed, "a token response is refused as one");
        return Verdict::refused;
    }
    require(strict.has_value() == !lenient->id_token.empty(), "an id_token is required where it is needed");
    require(!lenient->access_token.empty() && lenient->access_token.size() <= 16 * 1024, "there is an access token, and it is bounded");
    require(lenient->id_token.size() <= oidc::kMaxJwtBytes && lenient->refresh_token.size() <= 16 * 1024, "each token is bounded");
    require(lenient->expires_in.count() >= 0 && lenient->expires_in <= std::chrono::hours{24 * 7}, "the life of an access token is bounded");
    return strict ? Verdict::accepted : Verdict::refused;
}

const Registration kTarget{"token_response", judge};

}  // namespace
