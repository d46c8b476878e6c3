// TLS, name lookup and proxies: what is verified, and that the failure names the check.
#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <dlfcn.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/curl_client.hpp"
#include "support/http_fixture.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using test::Connection;
using test::HttpFixture;
using test::http_answer;

/// Stands in for the C library's, so that names resolve, fail and hang without a network.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    const std::string_view name = node == nullptr ? "" : node;
    if (name.ends_with(".invalid")) {
        return EAI_NONAME;
    }
    if (name.ends_with(".hang.test")) {
        std::this_thread::sleep_for(5s);
        return EAI_AGAIN;
    }
    static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(name.ends_with(".loopback.test") ? "127.0.0.1" : node, service, hints, result);
}

namespace {

using Result = std::expected<http::Response, core::Error>;
using core::ErrorCode;

HttpFixture::Handler answers(std::string text) {
    return [text = std::move(text)](Connection& connection, const std::string&) { connection.send(text); };
}

const test::TestAuthority& authority() {
    static const test::TestAuthority instance;
    return instance;
}

http::CurlSettings settings_with(std::chrono::milliseconds timeout, std::string ca_file, std::string proxy = "") {
    http::CurlSettings settings;
    settings.timeout = timeout;
    settings.ca_file = std::move(ca_file);
    settings.proxy = std::move(proxy);
    return settings;
}

http::CurlSettings trusting(std::string ca_file) {
    return settings_with(20s, std::move(ca_file));
}

http::CurlSettings through(std::string proxy, std::chrono::milliseconds timeout = 20s) {
    return settings_with(timeout, authority().ca_file(), std::move(proxy));
}

Result ask(const std::string& url, http::CurlSettings settings = trusting(authority().ca_file())) {
    BOOST_REQUIRE(http::CurlClient::initialize_process().has_value());
    http::CurlClient client(std::move(settings));
    http::Request request;
    request.url = url;
    Result result = client.send(request);
    BOOST_TEST(ERR_peek_error() == 0ul, "an error is left in OpenSSL's queue");
    return result;
}

void check_refused(const Result& response, ErrorCode code, std::string_view detail) {
    BOOST_REQUIRE(!response);
    BOOST_TEST(core::code_text(response.error().code) == core::code_text(code), response.error().detail);
    BOOST_TEST((response.error().detail.find(detail) != std::string::npos), response.error().detail);
}

/// A server with the given identity, asked under the name "localhost".
Result ask_server_with(test::TlsIdentity identity) {
    HttpFixture server(answers(http_answer(200, "{}")), {.tls = std::move(identity)});
    Result result = ask(server.url());
    BOOST_TEST(server.requests().size() == (result ? 1u : 0u), "no request is sent to a server that was not verified");
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_client_tls)

BOOST_AUTO_TEST_CASE(accepts_a_certificate_of_the_given_authority_for_the_right_name) {
    const Result response = ask_server_with(authority().issue("localhost"));
    BOOST_REQUIRE_MESSAGE(response, (response ? "" : response.error().detail));
    BOOST_TEST(response->body == "{}");
}

BOOST_AUTO_TEST_CASE(refuses_a_certificate_for_another_name) {
    check_refused(ask_server_with(authority().issue("other.test")), ErrorCode::provider_tls, "wrong host");
    check_refused(ask_server_with(authority().issue("127.0.0.1")), ErrorCode::provider_tls, "wrong host");
}

BOOST_AUTO_TEST_CASE(refuses_an_expired_certificate) {
    check_refused(ask_server_with(authority().issue("localhost", -2h, -1h)), ErrorCode::provider_tls, "expired");
}

BOOST_AUTO_TEST_CASE(refuses_a_certificate_of_tomorrow) {
    check_refused(ask_server_with(authority().issue("localhost", 24h, 48h)), ErrorCode::provider_tls, "not yet valid");
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_authority) {
    const test::TestAuthority another("Another authority");
    check_refused(ask_server_with(another.issue("localhost")), ErrorCode::provider_tls, "unknown issuer");
}

BOOST_AUTO_TEST_CASE(refuses_an_authority_that_only_bears_the_right_name) {
    const test::TestAuthority impostor;
    check_refused(ask_server_with(impostor.issue("localhost")), ErrorCode::provider_tls, "");
}

BOOST_AUTO_TEST_CASE(trusts_the_systems_authorities_only_when_no_file_is_given) {
    HttpFixture server(answers(http_answer(200, "{}")), {.tls = authority().issue("localhost")});
    check_refused(ask(server.url(), trusting("")), ErrorCode::provider_tls, "unknown issuer");
}

BOOST_AUTO_TEST_CASE(names_a_file_of_authorities_that_cannot_be_read) {
    HttpFixture server(answers(http_answer(200, "{}")), {.tls = authority().issue("localhost")});
    check_refused(ask(server.url(), trusting("/nonexistent/ca.pem")), ErrorCode::provider_tls, "trusted authorities");
}

BOOST_AUTO_TEST_CASE(refuses_tls_before_1_2) {
    HttpFixture server(answers(http_answer(200, "{}")), {.tls = authority().issue("localhost"), .max_tls_version = TLS1_1_VERSION});
    check_refused(ask(server.url()), ErrorCode::provider_tls, "handshake");
}

BOOST_AUTO_TEST_CASE(accepts_tls_1_2) {
    HttpFixture server(answers(http_answer(200, "{}")), {.tls = authority().issue("localhost"), .max_tls_version = TLS1_2_VERSION});
    BOOST_TEST(ask(server.url()).has_value());
}

BOOST_AUTO_TEST_CASE(never_falls_back_to_plain_http) {
    HttpFixture server([](Connection& connection, const std::string&) {
        connection.send(http_answer(200, "{}"));
        connection.close();
    }, {.waits_for_request = false});
    check_refused(ask("https://localhost:" + std::to_string(server.port()) + "/"), ErrorCode::provider_tls, "handshake");
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_handshake_that_hangs) {
    HttpFixture server([](Connection& connection, const std::string&) { connection.hang(); }, {.waits_for_request = false});
    const auto start = std::chrono::steady_clock::now();
    const Result response = ask("https://localhost:" + std::to_string(server.port()) + "/", settings_with(400ms, authority().ca_file()));
    check_refused(response, ErrorCode::provider_timeout, "TLS handshake");
    BOOST_TEST((std::chrono::steady_clock::now() - start < 10s));
}

BOOST_AUTO_TEST_CASE(names_a_reset_during_the_handshake) {
    HttpFixture server([](Connection& connection, const std::string&) {
        connection.pause(50ms);
        connection.reset();
    }, {.waits_for_request = false});
    check_refused(ask("https://localhost:" + std::to_string(server.port()) + "/"), ErrorCode::provider_tls, "handshake");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_shorter_than_announced_over_tls) {
    HttpFixture server([](Connection& connection, const std::string&) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}");
        connection.close();
    }, {.tls = authority().issue("localhost")});
    check_refused(ask(server.url()), ErrorCode::provider_unreachable, "");
}

BOOST_AUTO_TEST_CASE(names_a_name_that_does_not_resolve) {
    const Result response = ask("https://provider.invalid/path?secret=1");
    check_refused(response, ErrorCode::provider_unreachable, "DNS");
    BOOST_TEST((response.error().detail.find("provider.invalid:443") != std::string::npos));
    BOOST_TEST((response.error().detail.find("secret") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(does_not_wait_longer_for_a_name_lookup_that_hangs) {
    const auto start = std::chrono::steady_clock::now();
    const Result response = ask("https://provider.hang.test/", settings_with(400ms, ""));
    check_refused(response, ErrorCode::provider_timeout, "DNS");
    BOOST_TEST((std::chrono::steady_clock::now() - start < 3s));
}

BOOST_AUTO_TEST_CASE(goes_through_the_given_proxy_and_shows_it_no_header) {
    HttpFixture proxy(answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    BOOST_REQUIRE(http::CurlClient::initialize_process().has_value());
    http::CurlClient client(through(proxy.url()));
    http::Request request;
    request.url = "https://provider.loopback.test/token";
    request.headers.emplace_back("Authorization", core::Secret{"Bearer hidden"});
    check_refused(client.send(request), ErrorCode::provider_unreachable, "proxy refused the tunnel with status 403");
    BOOST_REQUIRE(proxy.requests().size() == 1u);
    BOOST_TEST(proxy.requests()[0].starts_with("CONNECT provider.loopback.test:443 HTTP/1.1\r\n"));
    BOOST_TEST((proxy.requests()[0].find("hidden") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(obeys_no_exception_of_the_environment_for_the_proxy) {
    HttpFixture proxy(answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    ::setenv("no_proxy", "*", 1);
    const Result response = ask("https://provider.loopback.test/", through(proxy.url()));
    ::unsetenv("no_proxy");
    check_refused(response, ErrorCode::provider_unreachable, "proxy");
}

BOOST_AUTO_TEST_CASE(names_a_proxy_that_cannot_be_reached) {
    const std::string nobody = "http://127.0.0.1:" + std::to_string(test::unused_port());
    const Result response = ask("https://provider.loopback.test/", through(nobody));
    check_refused(response, ErrorCode::provider_unreachable, "proxy: connection refused");
    check_refused(ask("https://provider.loopback.test/", through("http://user:secret@proxy.invalid:8080")),
                  ErrorCode::provider_unreachable, "proxy: its name cannot be resolved");
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_proxy_that_hangs) {
    HttpFixture proxy([](Connection& connection, const std::string&) { connection.hang(); });
    check_refused(ask("https://provider.loopback.test/", through(proxy.url(), 400ms)), ErrorCode::provider_timeout, "");
}

BOOST_AUTO_TEST_CASE(never_sends_plain_http_for_loopback_to_a_proxy) {
    HttpFixture proxy(answers(http_answer(200, "from the proxy")));
    HttpFixture server(answers(http_answer(200, "{}")));
    const Result response = ask(server.url(), through(proxy.url()));
    BOOST_REQUIRE(response);
    BOOST_TEST(response->body == "{}");
    BOOST_TEST(proxy.connections() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
