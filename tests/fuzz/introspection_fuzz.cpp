// verify_introspection(). An input is the body of an answer; after a first line "signed" it is the claims of a rightly signed one.
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/introspection.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;

auto verify(std::string_view body, const oidc::RelyingParty& client, core::UnixTime now = kNow) {
    return oidc::verify_introspection(body, client, provider_keys(), now);
}

Verdict judge(std::string_view input) {
    static const auto client = [] {
        auto any = make_client();
        any.introspection_algorithms = {.es256 = true, .rs256 = true, .hs256 = true};
        return any;
    }();
    static const auto without_hs256 = make_client();
    static const auto another = [] {
        auto other = make_client();
        other.introspection_algorithms = {.es256 = true, .rs256 = true, .hs256 = true};
        other.client_id = "client-2";
        return other;
    }();
    const bool is_signed = take_mode(input, "signed");
    const auto body = is_signed ? hs256_token(input, R"({"alg":"HS256","typ":"token-introspection+jwt"})") : std::string{input};
    const auto answer = verify(body, client);
    require(!is_signed || !verify(body, without_hs256), "the policy decides on the algorithm");
    require(!answer || !verify(body, another), "an answer is for one client only");
    if (!answer) {
        require(answer.error().detail.starts_with("introspection: "), "a refusal says what it is about");
        return Verdict::refused;
    }
    require(!verify(body, client, kNow + client.clock_skew * 2 + oidc::kOldestIntrospection + std::chrono::seconds{1}), "an answer is of use for a short time only");
    if (*answer) {
        const auto& token = **answer;
        require(!token.subject.empty() && token.subject.size() <= 255, "a token in force is somebody's");
        require(!token.client_id.empty() && token.client_id.size() <= 255, "a token in force was issued to a client");
        require(token.expires > kNow - client.clock_skew, "a token in force has not expired");
        require(token.scope.size() <= 4096 && token.audience.size() <= 32, "what is kept of an answer is bounded");
    }
    return *answer ? Verdict::accepted : Verdict::refused;
}

const Registration kTarget{"introspection", judge};

}  // namespace
