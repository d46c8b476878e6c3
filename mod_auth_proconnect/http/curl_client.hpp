#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "http/client.hpp"

namespace proconnect::http {

struct CurlSettings {
    std::chrono::milliseconds timeout{10'000};  ///< for the whole exchange, name lookup included
    std::string ca_file;                        ///< PEM; "" = the system's
    std::string proxy;                          ///< http://host:port, https://…, socks5h://…; "" = none, the environment is not consulted
    std::string user_agent = "mod_auth_proconnect";
};

/// HttpClient on libcurl. Thread-safe: holds idle handles with their connections, one per concurrent call.
/// Make it after the fork. The process calls `CurlClient::initialize_process()` once before any thread exists.
class CurlClient final : public Client {
public:
    static std::expected<void, core::Error> initialize_process();
    /// The process is about to exit: every call under way ends within about a second, and new ones fail at once (PC2009). A thread inside
    /// libcurl while exit() takes OpenSSL down would crash.
    static void interrupt_process() noexcept;
    /// Calls under way in this process, all clients together.
    [[nodiscard]] static int calls_under_way() noexcept;
    explicit CurlClient(CurlSettings settings);
    ~CurlClient() override;
    std::expected<Response, core::Error> send(const Request& request) override;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace proconnect::http
