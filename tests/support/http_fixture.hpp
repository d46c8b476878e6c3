#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace proconnect::test {

/// A certificate with its private key, both PEM.
struct TlsIdentity {
    std::string certificate;
    std::string key;
};

/// A certificate authority of its own, made anew for each test run.
class TestAuthority {
public:
    explicit TestAuthority(const char* name = "Test authority");
    ~TestAuthority();
    TestAuthority(const TestAuthority&) = delete;
    TestAuthority& operator=(const TestAuthority&) = delete;

    /// A server's certificate for one DNS name or "127.0.0.1", valid from now + `from` to now + `until`.
    [[nodiscard]] TlsIdentity issue(const std::string& name, std::chrono::seconds from = std::chrono::hours{-1},
                                    std::chrono::seconds until = std::chrono::hours{1}) const;
    /// The authority's certificate as a file, removed with this object.
    [[nodiscard]] const std::string& ca_file() const noexcept { return ca_file_; }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::string ca_file_;
};

/// The server's side of one connection; what a test's handler misbehaves with.
class Connection {
public:
    virtual ~Connection() = default;
    /// @return false when the other side is gone or the server is being stopped
    virtual bool send(std::string_view bytes) = 0;
    /// Waits; ends early when the server is being stopped. @return whether to go on
    virtual bool pause(std::chrono::milliseconds time) = 0;
    /// Says nothing until the client leaves or the server is stopped.
    virtual void hang() = 0;
    /// Ends with RST instead of FIN.
    virtual void reset() = 0;
    /// Ends after the handler returns; a TLS connection without saying goodbye.
    virtual void close() = 0;
};

/// A small HTTP server inside the test process, on a loopback port of its own, that does whatever the test wants.
class HttpFixture {
public:
    /// Called once per request, with its head and body.
    using Handler = std::function<void(Connection& connection, const std::string& request)>;

    struct Options {
        std::optional<TlsIdentity> tls = std::nullopt;
        int max_tls_version = 0;     ///< e.g. TLS1_1_VERSION; 0 = the library's
        bool waits_for_request = true;  ///< false: the handler is called at once, with ""; the connection is plain
    };

    explicit HttpFixture(Handler handler);
    HttpFixture(Handler handler, Options options);
    ~HttpFixture();
    HttpFixture(const HttpFixture&) = delete;
    HttpFixture& operator=(const HttpFixture&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// http://127.0.0.1:port + path, or https://localhost:port + path with TLS
    [[nodiscard]] std::string url(std::string_view path = "/") const;
    [[nodiscard]] int connections() const noexcept { return connections_; }
    [[nodiscard]] std::vector<std::string> requests() const;

private:
    class Peer;
    struct TlsContext;
    void accept_all();
    void serve(int socket);

    Handler handler_;
    Options options_;
    std::unique_ptr<TlsContext> tls_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> connections_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::vector<std::jthread> workers_;
    std::jthread acceptor_;
};

/// A complete answer with Content-Length.
[[nodiscard]] std::string http_answer(int status, std::string_view body, std::string_view more_headers = "Content-Type: application/json\r\n");

/// A loopback port that nobody listens on.
[[nodiscard]] std::uint16_t unused_port();

}  // namespace proconnect::test
