#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace proconnect::http {

struct Request {
    enum class Method { get, post };
    Method method = Method::get;
    std::string url;                                          ///< https, or http on loopback
    std::vector<std::pair<std::string, core::Secret>> headers;  ///< values may be tokens
    core::Secret body;                                        ///< application/x-www-form-urlencoded
    std::string accept = "application/json";
    std::size_t max_body_bytes = 512 * 1024;                  ///< of the answer; more is PC2005
};

/// Its body may hold tokens, so it is wiped when it goes.
struct Response {
    Response() = default;
    Response(const Response&) = default;
    Response(Response&&) noexcept = default;
    Response& operator=(Response other) noexcept {   // by swap: the body that was here is wiped with `other`
        std::swap(status, other.status);
        content_type.swap(other.content_type);
        body.swap(other.body);
        std::swap(max_age, other.max_age);
        std::swap(date, other.date);
        return *this;
    }
    ~Response() { core::wipe(body.data(), body.capacity()); }

    int status = 0;                      ///< 3xx included: no redirect is ever followed
    std::string content_type;            ///< lower case, without parameters; "" when absent
    std::string body;
    std::chrono::seconds max_age{-1};    ///< Cache-Control max-age; -1 when absent or unreadable
    std::int64_t date = 0;               ///< the provider's Date header in Unix seconds; 0 when absent
};

/// What oidc/ needs of HTTP. Implementations verify TLS always, follow no redirect, keep total time and size bounded.
class Client {
public:
    virtual ~Client() = default;
    /// @return any answer that is complete, whatever its status; PC2001 unreachable (DNS, refused, reset), PC2002 time-out,
    ///         PC2003 TLS (the detail says which check failed), PC2005 too large
    virtual std::expected<Response, core::Error> send(const Request& request) = 0;
};

}  // namespace proconnect::http
