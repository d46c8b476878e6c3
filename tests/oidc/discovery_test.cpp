#include "oidc/discovery.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace proconnect;
using oidc::parse_discovery;

namespace {

constexpr std::string_view kIssuer = "https://provider.test/api/v2";

/// ProConnect's document with some members changed; "" removes one. Values are JSON.
std::string document_with(const std::map<std::string, std::string>& changes, const std::string& base = "https://provider.test/api/v2") {
    std::map<std::string, std::string> members{
        {"issuer", '"' + base + '"'},
        {"authorization_endpoint", '"' + base + "/authorize\""},
        {"token_endpoint", '"' + base + "/token\""},
        {"userinfo_endpoint", '"' + base + "/userinfo\""},
        {"jwks_uri", '"' + base + "/jwks\""},
        {"end_session_endpoint", '"' + base + "/session/end\""},
        {"introspection_endpoint", '"' + base + "/token/introspection\""},
        {"revocation_endpoint", '"' + base + "/token/revocation\""},
        {"authorization_response_iss_parameter_supported", "true"},
        {"response_types_supported", R"(["code"])"},
        {"claims_supported", R"(["sub","given_name",{"unexpected":[1,2.5,null]}])"},
    };
    for (const auto& [name, value] : changes) {
        members[name] = value;
    }
    std::string text = "{";
    for (const auto& [name, value] : members) {
        if (!value.empty()) {
            text += (text.size() > 1 ? "," : "") + ('"' + name + "\":" + value);
        }
    }
    return text + "}";
}

void check_refused(const std::string& text, core::ErrorCode code, std::string_view detail, std::string_view issuer = kIssuer) {
    const auto metadata = parse_discovery(text, issuer);
    BOOST_REQUIRE_MESSAGE(!metadata, text);
    BOOST_TEST(core::code_text(metadata.error().code) == core::code_text(code), metadata.error().detail);
    BOOST_TEST((metadata.error().detail.find(detail) != std::string::npos), metadata.error().detail);
}

constexpr auto kMalformed = core::ErrorCode::discovery_malformed;

}  // namespace

BOOST_AUTO_TEST_SUITE(discovery)

BOOST_AUTO_TEST_CASE(lies_under_the_issuer) {
    BOOST_TEST(oidc::discovery_url(kIssuer) == "https://provider.test/api/v2/.well-known/openid-configuration");
    BOOST_TEST(oidc::discovery_url("https://provider.test/") == "https://provider.test/.well-known/openid-configuration");
    BOOST_TEST(oidc::discovery_url("https://provider.test") == "https://provider.test/.well-known/openid-configuration");
}

BOOST_AUTO_TEST_CASE(reads_what_proconnect_offers) {
    const auto metadata = parse_discovery(document_with({}), kIssuer);
    BOOST_REQUIRE_MESSAGE(metadata, (metadata ? "" : metadata.error().detail));
    BOOST_TEST(metadata->issuer == kIssuer);
    BOOST_TEST(metadata->authorization_endpoint == "https://provider.test/api/v2/authorize");
    BOOST_TEST(metadata->token_endpoint == "https://provider.test/api/v2/token");
    BOOST_TEST(metadata->userinfo_endpoint == "https://provider.test/api/v2/userinfo");
    BOOST_TEST(metadata->jwks_uri == "https://provider.test/api/v2/jwks");
    BOOST_TEST(metadata->end_session_endpoint == "https://provider.test/api/v2/session/end");
    BOOST_TEST(metadata->introspection_endpoint == "https://provider.test/api/v2/token/introspection");
    BOOST_TEST(metadata->revocation_endpoint == "https://provider.test/api/v2/token/revocation");
    BOOST_TEST(metadata->response_iss);
}

BOOST_AUTO_TEST_CASE(accepts_a_provider_without_the_optional_endpoints) {
    const auto metadata = parse_discovery(document_with({{"end_session_endpoint", ""},
                                                         {"introspection_endpoint", ""},
                                                         {"revocation_endpoint", ""},
                                                         {"authorization_response_iss_parameter_supported", ""}}),
                                          kIssuer);
    BOOST_REQUIRE(metadata);
    BOOST_TEST(metadata->end_session_endpoint == "");
    BOOST_TEST(metadata->introspection_endpoint == "");
    BOOST_TEST(metadata->revocation_endpoint == "");
    BOOST_TEST(!metadata->response_iss);
}

BOOST_AUTO_TEST_CASE(refuses_another_issuer_byte_for_byte) {
    constexpr auto kMismatch = core::ErrorCode::discovery_issuer_mismatch;
    for (const char* other : {"https://provider.test/api/v2/", "https://PROVIDER.test/api/v2", "https://provider.test/api/v1", "http://provider.test/api/v2",
                              "https://provider.test:443/api/v2", " https://provider.test/api/v2", ""}) {
        check_refused(document_with({{"issuer", '"' + std::string(other) + '"'}}), kMismatch, "another issuer");
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_issuer_or_one_that_is_no_string) {
    for (const char* value : {"", "null", "1", "[\"https://provider.test/api/v2\"]", "{}"}) {
        check_refused(document_with({{"issuer", value}}), kMalformed, "issuer");
    }
}

BOOST_AUTO_TEST_CASE(refuses_a_missing_endpoint) {
    for (const char* name : {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"}) {
        check_refused(document_with({{name, ""}}), kMalformed, std::string(name) + " is missing");
        check_refused(document_with({{name, "\"\""}}), kMalformed, name);
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_endpoint_that_is_no_https_url) {
    for (const char* name : {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "introspection_endpoint",
                             "revocation_endpoint"}) {
        for (const char* value : {"null", "7", "true", "[]", "\"/relative\"", "\"javascript:alert(1)\"", "\"ftp://provider.test/\"", "\"https://\"",
                                  "\"https://user@provider.test/\"", "\"https://provider.test/#fragment\"", "\"https://provider.test/a b\"",
                                  "\"https://provider.test/\\r\\nX: y\""}) {
            check_refused(document_with({{name, value}}), kMalformed, name);
        }
        check_refused(document_with({{name, "\"http://provider.test/x\""}}), kMalformed, std::string(name) + " is not on https");
        check_refused(document_with({{name, "\"http://localhost/x\""}}), kMalformed, std::string(name) + " is not on https");
        check_refused(document_with({{name, "\"https://provider.test/" + std::string(2048, 'x') + "\""}}), kMalformed, name);
    }
}

BOOST_AUTO_TEST_CASE(accepts_plain_http_on_loopback_only_when_the_issuer_is_there_too) {
    for (const std::string issuer : {"http://localhost:3000", "http://127.0.0.1:3000/api/v2", "http://[::1]:3000"}) {
        BOOST_TEST(parse_discovery(document_with({}, issuer), issuer).has_value(), issuer);
        check_refused(document_with({{"token_endpoint", "\"http://provider.test/token\""}}, issuer), kMalformed, "token_endpoint", issuer);
    }
    // An issuer that should not have been configured brings no plain http with it.
    check_refused(document_with({}, "http://provider.test"), kMalformed, "https", "http://provider.test");
    check_refused(document_with({{"jwks_uri", "\"http://localhost/jwks\""}}, "https://localhost"), kMalformed, "jwks_uri", "https://localhost");
}

BOOST_AUTO_TEST_CASE(refuses_a_flag_that_is_neither_true_nor_false) {
    for (const char* value : {"\"true\"", "1", "null", "[]"}) {
        check_refused(document_with({{"authorization_response_iss_parameter_supported", value}}), kMalformed, "authorization_response_iss_parameter_supported");
    }
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_json_object) {
    for (const char* text : {"", "<html><body>Sorry</body></html>", "[]", "\"x\"", "null", "{", "{}x", "{\"issuer\"", "\xff\xfe"}) {
        check_refused(text, kMalformed, "");
    }
}

BOOST_AUTO_TEST_CASE(refuses_repeated_members) {
    std::string text = document_with({});
    text.insert(1, R"("jwks_uri":"https://attacker.test/jwks",)");
    check_refused(text, kMalformed, "");
}

BOOST_AUTO_TEST_CASE(is_bounded_on_oversized_documents) {
    check_refused(document_with({{"padding", '"' + std::string(10 * 1024 * 1024, 'x') + '"'}}), kMalformed, "");
    check_refused(document_with({{"padding", std::string(10000, '[') + std::string(10000, ']')}}), kMalformed, "");
    std::string many = "[0";
    for (int i = 0; i < 20000; ++i) {
        many += ",0";
    }
    check_refused(document_with({{"padding", many + "]"}}), kMalformed, "");
}

BOOST_AUTO_TEST_SUITE_END()
