// verify_userinfo(). An input is the body of an answer; after a first line "signed" it is the claims of a rightly signed one.
#include "fuzz/fixtures.hpp"
#include "fuzz/fuzz.hpp"
#include "oidc/userinfo.hpp"

namespace {

using namespace proconnect;
using namespace proconnect::fuzz;
using core::ErrorCode;

constexpr std::string_view kSubject = "subject-1";

std::expected<json::Document, core::Error> verify(std::string_view body, const oidc::RelyingParty& client, std::string_view subject = kSubject) {
    return oidc::verify_userinfo(body, client, provider_keys(), subject, kNow);
}

Verdict judge(std::string_view input) {
    static const auto any = make_client();
    static const auto signed_only = [] {
        auto client = make_client();
        client.userinfo.plain_json = false;
        return client;
    }();
    static const auto plain_only = [] {
        auto client = make_client();
        client.userinfo.signed_with = {};
        return client;
    }();
    const bool is_signed = take_mode(input, "signed");
    const auto body = is_signed ? hs256_token(input) : std::string{input};
    const auto userinfo = verify(body, any);
    const bool if_signed = verify(body, signed_only).has_value();
    const bool if_plain = verify(body, plain_only).has_value();
    require(userinfo.has_value() == (if_signed || if_plain) && !(if_signed && if_plain), "an answer has one form, and the policy decides");
    require(!verify(body, any, ""), "without a subject nothing is accepted");
    require(!verify(body, any, "subject-2") || !userinfo, "an answer is about one subject only");
    if (!userinfo) {
        return Verdict::refused;
    }
    const auto claims = userinfo->root();
    require(claims.is_object() && claims.string_member("sub") == kSubject, "the answer is about the subject of the ID token");
    if (is_signed) {
        require(!if_plain, "a signed answer is not plain");
        require(claims.string_member("iss") == kIssuer && claims.find("aud") && claims.find("exp") && claims.find("iat"), "a signed answer is for us and fresh");
    }
    return Verdict::accepted;
}

const Registration kTarget{"userinfo", judge};

}  // namespace
