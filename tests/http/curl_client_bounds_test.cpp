// A provider that answers too much, too slowly, or not at all.
#include <boost/test/unit_test.hpp>

#include <thread>

#include "http/curl_client.hpp"
#include "core/deadline.hpp"
#include "support/http_fixture.hpp"

using namespace proconnect;
using namespace std::chrono_literals;
using test::Connection;
using test::HttpFixture;
using test::http_answer;

namespace {

constexpr auto kTimeout = 400ms;
constexpr auto kGenerous = kTimeout + 10s;  // an upper bound that a loaded machine keeps too

using Result = std::expected<http::Response, core::Error>;

http::CurlSettings settings_with(std::chrono::milliseconds timeout) {
    http::CurlSettings settings;
    settings.timeout = timeout;
    return settings;
}

Result ask(const HttpFixture& server, std::chrono::milliseconds timeout, std::size_t max_body_bytes = 64 * 1024) {
    BOOST_REQUIRE(http::CurlClient::initialize_process().has_value());
    http::CurlClient client(settings_with(timeout));
    http::Request request;
    request.url = server.url();
    request.max_body_bytes = max_body_bytes;
    return client.send(request);
}

Result ask(const HttpFixture::Handler& handler, std::size_t max_body_bytes = 64 * 1024) {
    HttpFixture server(handler);
    return ask(server, 20s, max_body_bytes);
}

HttpFixture::Handler says_and_closes(std::string text) {
    return [text = std::move(text)](Connection& connection, const std::string&) {
        connection.send(text);
        connection.close();
    };
}

void check_refused(const Result& response, core::ErrorCode code, std::string_view detail) {
    BOOST_REQUIRE(!response);
    BOOST_TEST(core::code_text(response.error().code) == core::code_text(code), response.error().detail);
    BOOST_TEST((response.error().detail.find(detail) != std::string::npos), response.error().detail);
}

void check_times_out(const HttpFixture& server, std::string_view phase) {
    const auto start = std::chrono::steady_clock::now();
    const Result response = ask(server, kTimeout);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    check_refused(response, core::ErrorCode::provider_timeout, phase);
    BOOST_TEST((elapsed >= kTimeout - 50ms));
    BOOST_TEST((elapsed < kGenerous));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(curl_client_bounds)

BOOST_AUTO_TEST_CASE(accepts_a_body_of_exactly_the_limit) {
    const Result response = ask([](Connection& connection, const std::string&) { connection.send(http_answer(200, std::string(1000, 'x'))); }, 1000);
    BOOST_REQUIRE(response);
    BOOST_TEST(response->body == std::string(1000, 'x'));
}

BOOST_AUTO_TEST_CASE(refuses_an_announced_length_beyond_the_limit_before_the_body) {
    check_refused(ask([](Connection& connection, const std::string&) { connection.send(http_answer(200, std::string(1001, 'x'))); }, 1000),
                  core::ErrorCode::provider_body_too_large, "announced");
}

BOOST_AUTO_TEST_CASE(stops_receiving_a_body_of_10_mib_that_announced_nothing) {
    std::atomic<std::size_t> sent = 0;
    check_refused(ask([&](Connection& connection, const std::string&) {
                      connection.send("HTTP/1.1 200 OK\r\n\r\n");
                      for (const std::string piece(64 * 1024, ' '); sent < 10 * 1024 * 1024 && connection.send(piece);) {
                          sent += piece.size();
                      }
                      connection.close();
                  }),
                  core::ErrorCode::provider_body_too_large, "beyond the limit");
}

BOOST_AUTO_TEST_CASE(stops_receiving_chunks_without_end) {
    check_refused(ask([](Connection& connection, const std::string&) {
                      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                      while (connection.send("400\r\n" + std::string(1024, ' ') + "\r\n")) {
                      }
                      connection.close();
                  }),
                  core::ErrorCode::provider_body_too_large, "beyond the limit");
}

BOOST_AUTO_TEST_CASE(takes_no_more_than_the_announced_length) {
    const Result response = ask(says_and_closes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and more that nobody announced"));
    BOOST_REQUIRE(response);
    BOOST_TEST(response->body == "{}");
}

BOOST_AUTO_TEST_CASE(refuses_an_answer_shorter_than_announced) {
    check_refused(ask(says_and_closes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":1}")), core::ErrorCode::provider_unreachable, "cut off");
}

BOOST_AUTO_TEST_CASE(refuses_chunks_that_end_early) {
    const Result response = ask(says_and_closes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n"));
    check_refused(response, core::ErrorCode::provider_unreachable, "");
}

BOOST_AUTO_TEST_CASE(refuses_lengths_that_are_no_numbers_or_contradict_each_other) {
    for (const char* lengths : {"Content-Length: -1\r\n", "Content-Length: x\r\n"}) {
        const Result response = ask(says_and_closes(std::string("HTTP/1.1 200 OK\r\n") + lengths + "\r\n{}"));
        BOOST_TEST(!response.has_value(), lengths);
    }
    // A length of 2^65 is beyond every limit.
    const Result huge = ask(says_and_closes("HTTP/1.1 200 OK\r\nContent-Length: 36893488147419103232\r\n\r\n{}"));
    BOOST_TEST((!huge || huge->body == "{}"));
}

BOOST_AUTO_TEST_CASE(refuses_headers_beyond_their_limit) {
    check_refused(ask([](Connection& connection, const std::string&) {
                      connection.send("HTTP/1.1 200 OK\r\n");
                      for (int i = 0; i < 200 && connection.send("X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n"); ++i) {
                      }
                      connection.close();
                  }),
                  core::ErrorCode::provider_body_too_large, "headers");
}

BOOST_AUTO_TEST_CASE(refuses_one_header_without_end) {
    const Result response = ask([](Connection& connection, const std::string&) {
        connection.send("HTTP/1.1 200 OK\r\nX: ");
        while (connection.send(std::string(16 * 1024, 'x'))) {
        }
        connection.close();
    });
    BOOST_TEST(!response.has_value());
}

BOOST_AUTO_TEST_CASE(refuses_interim_answers_without_end) {
    check_refused(ask([](Connection& connection, const std::string&) {
                      while (connection.send("HTTP/1.1 103 Early Hints\r\nLink: " + std::string(500, 'x') + "\r\n\r\n")) {
                      }
                      connection.close();
                  }),
                  core::ErrorCode::provider_body_too_large, "headers");
}

BOOST_AUTO_TEST_CASE(refuses_what_is_not_http) {
    for (const char* text : {"hello\r\n\r\n", "<html>HTTP/0.9</html>", "\x16\x03\x01\x02", "HTTP/9.9 200 OK\r\n\r\n{}", "SSH-2.0-OpenSSH\r\n"}) {
        const Result response = ask(says_and_closes(text));
        check_refused(response, core::ErrorCode::provider_unreachable, "");
    }
}

BOOST_AUTO_TEST_CASE(refuses_an_empty_reply) {
    check_refused(ask([](Connection& connection, const std::string&) { connection.close(); }), core::ErrorCode::provider_unreachable,
                  "without an answer");
}

BOOST_AUTO_TEST_CASE(names_a_reset_connection) {
    check_refused(ask([](Connection& connection, const std::string&) {
                      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
                      connection.reset();
                  }),
                  core::ErrorCode::provider_unreachable, "");
    check_refused(ask([](Connection& connection, const std::string&) { connection.reset(); }), core::ErrorCode::provider_unreachable, "connection reset");
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_server_that_accepts_and_says_nothing) {
    const HttpFixture server([](Connection& connection, const std::string&) { connection.hang(); });
    check_times_out(server, "waiting for the answer");
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_body_that_drips) {
    const HttpFixture server([](Connection& connection, const std::string&) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
        while (connection.send("x") && connection.pause(20ms)) {
        }
        connection.close();
    });
    check_times_out(server, "received");
}

BOOST_AUTO_TEST_CASE(gives_up_on_headers_that_drip) {
    const HttpFixture server([](Connection& connection, const std::string&) {
        connection.send("HTTP/1.1 200 OK\r\n");
        while (connection.send("X: y\r\n") && connection.pause(20ms)) {
        }
        connection.close();
    });
    check_times_out(server, "");
}

BOOST_AUTO_TEST_CASE(is_usable_again_after_a_time_out) {
    std::atomic<bool> hangs = true;
    HttpFixture server([&](Connection& connection, const std::string&) {
        if (hangs) {
            connection.hang();
        } else {
            connection.send(http_answer(200, "{}"));
        }
    });
    http::CurlClient client(settings_with(2s));
    http::Request request;
    request.url = server.url();
    check_refused(client.send(request), core::ErrorCode::provider_timeout, "");
    hangs = false;
    BOOST_TEST(client.send(request).has_value());
}

BOOST_AUTO_TEST_CASE(bounds_all_calls_under_one_deadline_together) {
    HttpFixture slow([](Connection& connection, const std::string&) {
        connection.pause(300ms);
        connection.send(http_answer(200, "{}"));
    });
    const auto start = std::chrono::steady_clock::now();
    {
        const core::CallDeadline deadline(500ms);
        BOOST_TEST(ask(slow, 20s).has_value());
        check_refused(ask(slow, 20s), core::ErrorCode::provider_timeout, "");
        BOOST_TEST((std::chrono::steady_clock::now() - start >= 450ms));
        check_refused(ask(slow, 20s), core::ErrorCode::provider_timeout, "was not asked");
    }
    BOOST_TEST((std::chrono::steady_clock::now() - start < kGenerous));
    BOOST_TEST(ask(slow, 20s).has_value(), "over with its scope");
}

BOOST_AUTO_TEST_CASE(the_outermost_deadline_holds) {
    using core::CallDeadline;
    BOOST_TEST((CallDeadline::remaining(7s) == 7s));
    {
        const CallDeadline outer(0ms);
        const CallDeadline inner(1h);
        BOOST_TEST((CallDeadline::remaining(7s) == 0ms));
        std::jthread([] { BOOST_TEST((CallDeadline::remaining(7s) == 7s), "of this thread only"); }).join();
    }
    const CallDeadline later(1h);
    BOOST_TEST((CallDeadline::remaining(7s) == 7s));
    BOOST_TEST((CallDeadline::remaining(2h) <= 1h));
}

BOOST_AUTO_TEST_SUITE_END()
