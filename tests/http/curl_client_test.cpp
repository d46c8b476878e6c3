#include "http/curl_client.hpp"

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/http_fixture.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using test::Connection;
using test::HttpFixture;
using test::http_answer;

namespace {

http::Request get(std::string url) {
    http::Request request;
    request.url = std::move(url);
    return request;
}

HttpFixture::Handler answers(std::string text) {
    return [text = std::move(text)](Connection& connection, const std::string&) { connection.send(text); };
}

http::CurlClient& client() {
    BOOST_REQUIRE(http::CurlClient::initialize_process().has_value());
    static http::CurlClient instance([] {
        http::CurlSettings settings;
        settings.timeout = 20s;
        return settings;
    }());
    return instance;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

void check_refused(const std::expected<http::Response, core::Error>& response, core::ErrorCode code, std::string_view detail) {
    BOOST_REQUIRE(!response);
    BOOST_TEST(core::code_text(response.error().code) == core::code_text(code), response.error().detail);
    BOOST_TEST(contains(response.error().detail, detail), response.error().detail);
}

http::Response answer_of(const std::string& text, std::size_t max_body_bytes = 512 * 1024) {
    HttpFixture server(answers(text));
    http::Request request = get(server.url());
    request.max_body_bytes = max_body_bytes;
    auto response = client().send(request);
    BOOST_REQUIRE_MESSAGE(response, (response ? "" : response.error().detail));
    return *std::move(response);
}

std::chrono::seconds max_age_of(const std::string& headers) {
    return answer_of(http_answer(200, "{}", headers)).max_age;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_client)

BOOST_AUTO_TEST_CASE(initialising_the_process_twice_does_no_harm) {
    BOOST_TEST(http::CurlClient::initialize_process().has_value());
    BOOST_TEST(http::CurlClient::initialize_process().has_value());
}

BOOST_AUTO_TEST_CASE(returns_status_body_type_and_date) {
    const auto response = answer_of(http_answer(200, R"({"a":1})",
                                                "Content-Type: Application/JSON; charset=utf-8\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                                "Cache-Control: public, max-age=600\r\n"));
    BOOST_TEST(response.status == 200);
    BOOST_TEST(response.body == R"({"a":1})");
    BOOST_TEST(response.content_type == "application/json");
    BOOST_TEST(response.date == 784111777);
    BOOST_TEST(response.max_age.count() == 600);
}

BOOST_AUTO_TEST_CASE(says_nothing_of_headers_that_are_absent_repeated_or_unreadable) {
    const auto bare = answer_of(http_answer(200, "{}", ""));
    BOOST_TEST(bare.content_type == "");
    BOOST_TEST(bare.date == 0);
    BOOST_TEST(bare.max_age.count() == -1);
    const auto odd = answer_of(http_answer(200, "{}", "Content-Type: a/b\r\nContent-Type: c/d\r\nDate: yesterday\r\nCache-Control: max-age=soon\r\n"));
    BOOST_TEST(odd.content_type == "");
    BOOST_TEST(odd.date == 0);
    BOOST_TEST(odd.max_age.count() == -1);
}

BOOST_AUTO_TEST_CASE(reads_cache_control_as_rfc_9111_says) {
    BOOST_TEST(max_age_of("Cache-Control: MAX-AGE=60\r\n").count() == 60);
    BOOST_TEST(max_age_of("Cache-Control: max-age=\"60\"\r\n").count() == 60);
    BOOST_TEST(max_age_of("Cache-Control: max-age=99999999999999999999\r\n").count() == 0x7FFFFFFF);
    BOOST_TEST(max_age_of("Cache-Control: max-age=-5\r\n").count() == -1);
    BOOST_TEST(max_age_of("Cache-Control: max-age=\r\n").count() == -1);
    BOOST_TEST(max_age_of("Cache-Control: max-age=60s\r\n").count() == -1);
    BOOST_TEST(max_age_of("Cache-Control: s-maxage=60\r\n").count() == -1);
    BOOST_TEST(max_age_of("Cache-Control: no-store\r\n").count() == 0);
    BOOST_TEST(max_age_of("Cache-Control: max-age=60, ,no-cache,\r\n").count() == 0);
    BOOST_TEST(max_age_of("Cache-Control: max-age=600\r\nCache-Control: max-age=60\r\n").count() == 60);
}

BOOST_AUTO_TEST_CASE(takes_type_and_age_from_the_final_answer_only) {
    const auto response = answer_of("HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\nCache-Control: max-age=1\r\n\r\n"
                                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "2\r\n{}\r\n0\r\nContent-Type: text/plain\r\nCache-Control: max-age=2\r\n\r\n");
    BOOST_TEST(response.status == 200);
    BOOST_TEST(response.body == "{}");
    BOOST_TEST(response.content_type == "application/json");
    BOOST_TEST(response.max_age.count() == -1);
}

BOOST_AUTO_TEST_CASE(asks_with_the_given_headers_and_nothing_more) {
    HttpFixture server(answers(http_answer(200, "{}", "Set-Cookie: a=b; Path=/\r\n")));
    http::Request request = get(server.url("/path?x=1"));
    request.accept = "application/jwt";
    request.headers.emplace_back("Authorization", core::Secret{"Bearer abc"});
    BOOST_REQUIRE(client().send(request));
    BOOST_REQUIRE(client().send(request));
    const auto requests = server.requests();
    BOOST_REQUIRE(requests.size() == 2u);
    const std::string expected = "GET /path?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                 "\r\nUser-Agent: mod_auth_proconnect\r\nAccept: application/jwt\r\nAuthorization: Bearer abc\r\n\r\n";
    BOOST_TEST(requests[0] == expected);
    BOOST_TEST(requests[1] == expected, "no cookie comes back");
}

BOOST_AUTO_TEST_CASE(posts_a_form) {
    HttpFixture server(answers(http_answer(200, "{}")));
    http::Request request = get(server.url("/token"));
    request.method = http::Request::Method::post;
    request.body = core::Secret{"grant_type=authorization_code&code=" + std::string(20000, 'c')};
    BOOST_REQUIRE(client().send(request));
    const std::string sent = server.requests().at(0);
    BOOST_TEST(sent.starts_with("POST /token HTTP/1.1\r\n"));
    BOOST_TEST(contains(sent, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    BOOST_TEST(!contains(sent, "Expect"));
    BOOST_TEST(sent.ends_with(request.body.reveal()));
}

BOOST_AUTO_TEST_CASE(posts_an_empty_body) {
    HttpFixture server(answers(http_answer(200, "{}")));
    http::Request request = get(server.url());
    request.method = http::Request::Method::post;
    BOOST_REQUIRE(client().send(request));
    BOOST_TEST(contains(server.requests().at(0), "\r\nContent-Length: 0\r\n"));
}

BOOST_AUTO_TEST_CASE(refuses_a_header_of_two_lines) {
    HttpFixture server(answers(http_answer(200, "{}")));
    for (const std::string_view value : {std::string_view("a\r\nX: y"), std::string_view("a\nb"), std::string_view("a\0b", 3)}) {
        http::Request request = get(server.url());
        request.headers.emplace_back("Authorization", core::Secret{std::string(value)});
        check_refused(client().send(request), core::ErrorCode::internal_error, "header");
    }
    BOOST_TEST(server.connections() == 0);
}

BOOST_AUTO_TEST_CASE(returns_any_complete_answer_whatever_its_status) {
    for (const int status : {201, 400, 401, 404, 429, 500, 503}) {
        BOOST_TEST(answer_of(http_answer(status, "<html>", "Content-Type: text/html\r\nWWW-Authenticate: Basic\r\n")).status == status);
    }
    BOOST_TEST(answer_of("HTTP/1.1 204 No Content\r\n\r\n").body == "");
}

BOOST_AUTO_TEST_CASE(follows_no_redirect) {
    HttpFixture target(answers(http_answer(200, "{}")));
    for (const int status : {301, 302, 303, 307, 308}) {
        const auto response = answer_of(http_answer(status, "", "Location: " + target.url() + "\r\n"));
        BOOST_TEST(response.status == status);
    }
    BOOST_TEST(target.connections() == 0);
}

BOOST_AUTO_TEST_CASE(does_not_decode_what_it_did_not_ask_for) {
    BOOST_TEST(answer_of(http_answer(200, "\x1f\x8b not gzip", "Content-Encoding: gzip\r\n")).body == "\x1f\x8b not gzip");
}

BOOST_AUTO_TEST_CASE(speaks_plain_http_to_loopback_only) {
    for (const char* url : {"http://provider.test/x", "http://192.0.2.1/", "http://[2001:db8::1]/", "http://127.0.0.1.provider.test/"}) {
        check_refused(client().send(get(url)), core::ErrorCode::provider_url_refused, "loopback");
    }
}

BOOST_AUTO_TEST_CASE(refuses_other_schemes_and_what_is_no_url) {
    for (const char* url : {"", "file:///etc/passwd", "ftp://localhost/", "gopher://localhost/", "https://", "https://user:secret@localhost/", "localhost"}) {
        check_refused(client().send(get(url)), core::ErrorCode::provider_url_refused, "not an http or https URL");
    }
}

BOOST_AUTO_TEST_CASE(names_host_and_port_in_the_failure_but_no_secret) {
    http::Request request = get("http://127.0.0.1:" + std::to_string(test::unused_port()) + "/token?code=hidden");
    request.method = http::Request::Method::post;
    request.body = core::Secret{"client_secret=hidden"};
    request.headers.emplace_back("Authorization", core::Secret{"Bearer hidden"});
    const auto response = client().send(request);
    check_refused(response, core::ErrorCode::provider_unreachable, "connection refused");
    BOOST_TEST(contains(response.error().detail, "127.0.0.1:"));
    BOOST_TEST(!contains(response.error().detail, "hidden"));
    BOOST_TEST(!contains(response.error().detail, "token"));
}

BOOST_AUTO_TEST_CASE(ignores_the_proxy_of_the_environment) {
    const std::string nowhere = "http://127.0.0.1:" + std::to_string(test::unused_port());
    constexpr std::array kNames{"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (const char* name : kNames) {
        ::setenv(name, nowhere.c_str(), 1);
    }
    HttpFixture server(answers(http_answer(200, "{}")));
    BOOST_TEST(client().send(get(server.url())).has_value());
    // Not a loopback name, so that only the explicit "" stands between it and the environment's proxy.
    const auto lookup = client().send(get("https://unknown.invalid/"));
    for (const char* name : kNames) {
        ::unsetenv(name);
    }
    check_refused(lookup, core::ErrorCode::provider_unreachable, "DNS");
}

BOOST_AUTO_TEST_CASE(ignores_the_netrc_of_the_home_directory) {
    const auto home = std::filesystem::temp_directory_path() / ("proconnect-test-home-" + std::to_string(::getpid()));
    std::filesystem::create_directory(home);
    std::ofstream(home / ".netrc") << "default login user password hidden\n";
    const char* before = std::getenv("HOME");
    const std::string old_home = before == nullptr ? "" : before;
    ::setenv("HOME", home.c_str(), 1);
    HttpFixture server(answers(http_answer(200, "{}")));
    BOOST_TEST(client().send(get(server.url())).has_value());
    ::setenv("HOME", old_home.c_str(), 1);
    std::filesystem::remove_all(home);
    BOOST_TEST(!contains(server.requests().at(0), "Authorization"));
}

BOOST_AUTO_TEST_CASE(keeps_its_connection_between_calls) {
    HttpFixture server(answers(http_answer(200, "{}")));
    for (int i = 0; i < 5; ++i) {
        BOOST_REQUIRE(client().send(get(server.url())));
    }
    BOOST_TEST(server.connections() == 1);
}

BOOST_AUTO_TEST_CASE(recovers_when_a_kept_connection_has_died) {
    HttpFixture server([](Connection& connection, const std::string&) {
        connection.send(http_answer(200, "{}"));
        connection.close();
    });
    for (int i = 0; i < 5; ++i) {
        const auto response = client().send(get(server.url()));
        BOOST_REQUIRE_MESSAGE(response, (response ? "" : response.error().detail));
    }
}

BOOST_AUTO_TEST_CASE(serves_many_threads_at_once) {
    HttpFixture server([](Connection& connection, const std::string& request) {
        connection.pause(1ms);
        connection.send(http_answer(200, request.substr(0, request.find(" HTTP"))));
    });
    http::CurlClient& shared = client();
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 24; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 10; ++i) {
                    const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
                    const auto response = shared.send(get(server.url(path)));
                    right += response && response->body == "GET " + path ? 1 : 0;
                }
            });
        }
    }
    BOOST_TEST(right == 240);
    BOOST_TEST(server.connections() <= 240);
}

BOOST_AUTO_TEST_SUITE_END()
