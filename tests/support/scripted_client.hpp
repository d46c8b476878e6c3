#pragma once
// The provider's endpoints as a test scripts them, and a record of what was asked of them.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/url.hpp"
#include "http/client.hpp"

namespace proconnect::test {

/// A request as the provider would see it, its secrets in the open.
struct SentRequest {
    bool is_post = false;
    std::string url{}, accept{}, body{};
    std::vector<std::pair<std::string, std::string>> headers{};

    /// "" when absent
    [[nodiscard]] std::string header(std::string_view name) const {
        const auto found = std::ranges::find(headers, name, &std::pair<std::string, std::string>::first);
        return found == headers.end() ? std::string{} : found->second;
    }
    /// A parameter of the body; nothing when absent, or when any parameter is repeated.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const {
        const auto parameters = core::Parameters::parse(body);
        const auto value = parameters ? parameters->find(name) : std::nullopt;
        return value ? std::optional{std::string{*value}} : std::nullopt;
    }
};

using ScriptedAnswer = std::expected<http::Response, core::Error>;

inline http::Response answer_of(int status, std::string body, std::string content_type = "application/json") {
    http::Response response;
    response.status = status;
    response.content_type = std::move(content_type);
    response.body = std::move(body);
    return response;
}

class ScriptedHttp final : public http::Client {
public:
    std::vector<SentRequest> sent;  ///< in the order they came

    void when(std::string url, std::function<ScriptedAnswer(const SentRequest&)> answer) { answers_.insert_or_assign(std::move(url), std::move(answer)); }
    void always(std::string url, int status, std::string body) {
        when(std::move(url), [status, body](const SentRequest&) { return answer_of(status, body); });
    }
    void fail(std::string url, core::ErrorCode code) {
        when(std::move(url), [code](const SentRequest&) { return std::unexpected(core::Error{code, "scripted"}); });
    }
    [[nodiscard]] auto count(std::string_view url) const { return std::ranges::count(sent, url, &SentRequest::url); }

    ScriptedAnswer send(const http::Request& request) override {
        SentRequest seen{.is_post = request.method == http::Request::Method::post,
                         .url = request.url,
                         .accept = request.accept,
                         .body = std::string{request.body.reveal()}};
        for (const auto& [name, value] : request.headers) {
            seen.headers.emplace_back(name, value.reveal());
        }
        sent.push_back(seen);
        const auto answer = answers_.find(request.url);
        return answer == answers_.end() ? std::unexpected(core::Error{core::ErrorCode::internal_error, "not scripted"}) : answer->second(seen);
    }

private:
    std::map<std::string, std::function<ScriptedAnswer(const SentRequest&)>> answers_;
};

}  // namespace proconnect::test
