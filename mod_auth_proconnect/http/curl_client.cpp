#include "http/curl_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <vector>

#include "core/deadline.hpp"
#include "core/url.hpp"
#include "http/response_headers.hpp"
#include "http/transfer_error.hpp"

// Declared rather than included: <openssl/…> belongs to crypto/, and libcurl's use of OpenSSL is the only reason to know it here.
extern "C" void ERR_clear_error(void);

namespace proconnect::http {
namespace {

using core::Error;
using core::ErrorCode;

constexpr std::size_t kMaxIdleHandles = 16;
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr long kConnectionsPerHandle = 2;

std::atomic<bool> interrupted{false};
std::atomic<int> under_way{0};

struct CallCounter {
    CallCounter() noexcept { ++under_way; }
    ~CallCounter() { --under_way; }
    CallCounter(const CallCounter&) = delete;
    CallCounter& operator=(const CallCounter&) = delete;
};

/// libcurl asks at least once a second; anything but 0 ends the transfer.
int on_progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return interrupted ? 1 : 0;
}

struct CleanUp {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CleanUp>;

/// mod_ssl, on the same thread, would take an error that libcurl left in OpenSSL's queue for a failure of its own connection.
struct ErrorQueueCleaner {
    ErrorQueueCleaner() noexcept = default;
    ~ErrorQueueCleaner() { ERR_clear_error(); }
    ErrorQueueCleaner(const ErrorQueueCleaner&) = delete;
    ErrorQueueCleaner& operator=(const ErrorQueueCleaner&) = delete;
};

/// The request's header lines as libcurl takes them; wiped at the end, because one may be a token.
class HeaderLines {
public:
    HeaderLines() noexcept = default;
    ~HeaderLines() {
        for (curl_slist* line = lines_; line != nullptr; line = line->next) {
            core::wipe(line->data, std::strlen(line->data));
        }
        curl_slist_free_all(lines_);
    }
    HeaderLines(const HeaderLines&) = delete;
    HeaderLines& operator=(const HeaderLines&) = delete;

    /// @return false when the line would be two, or memory is short
    [[nodiscard]] bool add(std::string_view name, std::string_view value) {
        constexpr std::string_view kForbidden{"\r\n\0", 3};
        if (name.find_first_of(kForbidden) != std::string_view::npos || value.find_first_of(kForbidden) != std::string_view::npos) {
            return false;
        }
        std::string line;
        line.reserve(name.size() + value.size() + 2);
        line.append(name).append(": ").append(value);
        curl_slist* longer = curl_slist_append(lines_, line.c_str());
        core::wipe(line.data(), line.size());
        if (longer == nullptr) {
            return false;
        }
        lines_ = longer;
        return true;
    }
    [[nodiscard]] curl_slist* get() const noexcept { return lines_; }

private:
    curl_slist* lines_ = nullptr;
};

/// What one exchange receives. The body may hold tokens: it grows without leaving copies, and is wiped unless taken.
class Receiver {
public:
    enum class Stop { none, body_too_large, headers_too_large, no_memory };

    explicit Receiver(std::size_t max_body_bytes) noexcept : max_body_bytes_(max_body_bytes) {}
    ~Receiver() { core::wipe(body_.data(), body_.capacity()); }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    // libcurl's callbacks: anything but the given size stops the transfer.
    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
        return static_cast<Receiver*>(self)->take_body({data, size});
    }
    static std::size_t on_header(char*, std::size_t, std::size_t size, void* self) noexcept {
        return static_cast<Receiver*>(self)->count_header(size);
    }

    [[nodiscard]] Stop stop() const noexcept { return stop_; }
    [[nodiscard]] std::string take() noexcept { return std::move(body_); }

private:
    std::size_t take_body(std::string_view piece) noexcept {
        if (piece.size() > max_body_bytes_ - body_.size()) {
            stop_ = Stop::body_too_large;
            return 0;
        }
        try {
            const std::size_t size = body_.size() + piece.size();
            if (size > body_.capacity()) {
                std::string larger;
                larger.reserve(std::min(max_body_bytes_, std::max<std::size_t>(2 * size, 4096)));
                larger.append(body_);
                body_.swap(larger);
                core::wipe(larger.data(), larger.capacity());
            }
            body_.append(piece);
        } catch (...) {
            stop_ = Stop::no_memory;
            return 0;
        }
        return piece.size();
    }

    // All of them together, those of interim answers and trailers too.
    std::size_t count_header(std::size_t size) noexcept {
        header_bytes_ += size;
        if (header_bytes_ > kMaxHeaderBytes) {
            stop_ = Stop::headers_too_large;
            return 0;
        }
        return size;
    }

    std::size_t max_body_bytes_;
    std::size_t header_bytes_ = 0;
    std::string body_;
    Stop stop_ = Stop::none;
};

/// Sets options and remembers whether one was refused: none of them is optional.
class Options {
public:
    explicit Options(CURL* handle) noexcept : handle_(handle) {}

    template <typename T>
    Options& set(CURLoption option, T value) noexcept {
        if (result_ == CURLE_OK) {
            result_ = curl_easy_setopt(handle_, option, value);
        }
        return *this;
    }
    [[nodiscard]] CURLcode result() const noexcept { return result_; }

private:
    CURL* handle_;
    CURLcode result_ = CURLE_OK;
};

// There is no total-time exemption for a slow answer, so a server that drips is cut off like one that hangs; libcurl's
// low-speed limit would only punish a provider that thinks for a moment.
void set_bounds(Options& options, std::chrono::milliseconds timeout, std::size_t max_body_bytes) {
    using std::chrono::milliseconds;
    const milliseconds connect = std::min(timeout, std::max(timeout / 2, milliseconds{1000}));
    options.set(CURLOPT_NOSIGNAL, 1L)  // a library must not install signal handlers in httpd
        .set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()))
        .set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()))
        // A name lookup that hangs is abandoned to its own thread instead of being waited for beyond the time-out.
        .set(CURLOPT_QUICK_EXIT, 1L)
        .set(CURLOPT_NOPROGRESS, 0L)
        .set(CURLOPT_XFERINFOFUNCTION, &on_progress)
        .set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(max_body_bytes))
        .set(CURLOPT_MAXCONNECTS, kConnectionsPerHandle)
        .set(CURLOPT_FOLLOWLOCATION, 0L)
        .set(CURLOPT_PROTOCOLS_STR, "http,https")
        .set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1))
        .set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED))
        .set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void set_tls(Options& options, const CurlSettings& settings) {
    options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
        .set(CURLOPT_SSL_VERIFYPEER, 1L)
        .set(CURLOPT_SSL_VERIFYHOST, 2L)
        .set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2))
        .set(CURLOPT_PROXY_SSL_VERIFYPEER, 1L)
        .set(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    if (!settings.ca_file.empty()) {
        // The directory of the system's authorities would be trusted besides the file.
        options.set(CURLOPT_CAINFO, settings.ca_file.c_str())
            .set(CURLOPT_CAPATH, static_cast<const char*>(nullptr))
            .set(CURLOPT_PROXY_CAINFO, settings.ca_file.c_str())
            .set(CURLOPT_PROXY_CAPATH, static_cast<const char*>(nullptr));
    }
}

// "" instead of the default, which would be the environment's http_proxy and no_proxy. Never plain http, which goes to
// this very machine only.
void set_proxy(Options& options, const std::string& proxy) {
    options.set(CURLOPT_PROXY, proxy.c_str()).set(CURLOPT_NOPROXY, "");
}

void set_method(Options& options, const Request& request) {
    if (request.method == Request::Method::get) {
        options.set(CURLOPT_HTTPGET, 1L);
        return;
    }
    // Not copied by libcurl; the request outlives the transfer.
    options.set(CURLOPT_POST, 1L)
        .set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()))
        .set(CURLOPT_POSTFIELDS, request.body.reveal().data());
}

bool add_headers(HeaderLines& lines, const Request& request) {
    return lines.add("Accept", request.accept) &&
           std::ranges::all_of(request.headers, [&](const auto& header) { return lines.add(header.first, header.second.reveal()); });
}

Response response_of(CURL* handle, Receiver& receiver) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    Response response;
    response.status = static_cast<int>(status);
    response.content_type = content_type_of(handle);
    response.body = receiver.take();
    response.max_age = max_age_of(handle);
    response.date = date_of(handle);
    return response;
}

Error failure_of(CURL* handle, CURLcode code, const Receiver& receiver, const std::string& where, bool uses_proxy) {
    switch (receiver.stop()) {
        case Receiver::Stop::body_too_large:
            return {ErrorCode::provider_body_too_large, where + ": the answer is beyond the limit"};
        case Receiver::Stop::headers_too_large:
            return {ErrorCode::provider_body_too_large, where + ": the headers of the answer are beyond the limit"};
        case Receiver::Stop::no_memory:
            return {ErrorCode::internal_error, "no memory for the provider's answer"};
        case Receiver::Stop::none:
            break;
    }
    return transfer_error(handle, code, where, uses_proxy);
}

std::expected<core::Url, Error> check_url(const std::string& text) {
    std::optional<core::Url> url = core::parse_url(text);
    if (!url) {
        return std::unexpected(Error{ErrorCode::provider_url_refused, "not an http or https URL"});
    }
    if (!url->is_https() && !url->is_loopback()) {
        return std::unexpected(Error{ErrorCode::provider_url_refused, url->host + ": plain http is for loopback hosts only"});
    }
    return *std::move(url);
}

}  // namespace

struct CurlClient::Impl {
    explicit Impl(CurlSettings given) : settings(std::move(given)) { idle.reserve(kMaxIdleHandles); }

    Handle take_handle() {
        const std::scoped_lock lock(mutex);
        if (idle.empty()) {
            return Handle{curl_easy_init()};
        }
        // The one used last: its connection is the most likely to be still open.
        Handle handle = std::move(idle.back());
        idle.pop_back();
        return handle;
    }

    void give_back(Handle handle) {
        // Forgets every pointer to this call's data; connections and TLS sessions stay.
        curl_easy_reset(handle.get());
        const std::scoped_lock lock(mutex);
        if (idle.size() < kMaxIdleHandles) {
            idle.push_back(std::move(handle));
        }
    }

    std::expected<Response, Error> perform(CURL* handle, const Request& request, const core::Url& url, std::chrono::milliseconds timeout) const;

    const CurlSettings settings;
    const std::string no_proxy;
    std::mutex mutex;
    std::vector<Handle> idle;
};

std::expected<Response, Error> CurlClient::Impl::perform(CURL* handle, const Request& request, const core::Url& url, std::chrono::milliseconds timeout) const {
    const std::string where = url.host + ":" + std::to_string(url.port);
    const std::string& proxy = url.is_loopback() && !url.is_https() ? no_proxy : settings.proxy;
    HeaderLines headers;
    if (!add_headers(headers, request)) {
        return std::unexpected(Error{ErrorCode::internal_error, "a request header holds a line break, or memory is short"});
    }
    Receiver receiver(request.max_body_bytes);
    Options options(handle);
    set_bounds(options, timeout, request.max_body_bytes);
    set_tls(options, settings);
    set_proxy(options, proxy);
    set_method(options, request);
    options.set(CURLOPT_URL, request.url.c_str())
        .set(CURLOPT_USERAGENT, settings.user_agent.c_str())
        .set(CURLOPT_HTTPHEADER, headers.get())
        .set(CURLOPT_PROXYHEADER, static_cast<curl_slist*>(nullptr))
        .set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE))  // a proxy must not see the request's headers
        .set(CURLOPT_WRITEFUNCTION, &Receiver::on_body)
        .set(CURLOPT_WRITEDATA, static_cast<void*>(&receiver))
        .set(CURLOPT_HEADERFUNCTION, &Receiver::on_header)
        .set(CURLOPT_HEADERDATA, static_cast<void*>(&receiver));

    const CURLcode code = options.result() == CURLE_OK ? curl_easy_perform(handle) : options.result();
    if (code != CURLE_OK) {
        return std::unexpected(failure_of(handle, code, receiver, where, !proxy.empty()));
    }
    return response_of(handle, receiver);
}

// Never undone: other modules of the process use libcurl too, and a cleanup under them would pull it away.
std::expected<void, Error> CurlClient::initialize_process() {
    static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (result != CURLE_OK) {
        return std::unexpected(Error{ErrorCode::internal_error, std::string("libcurl cannot start: ") + curl_easy_strerror(result)});
    }
    const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
    if ((info->features & CURL_VERSION_SSL) == 0 || (info->features & CURL_VERSION_ASYNCHDNS) == 0) {
        return std::unexpected(Error{ErrorCode::internal_error, "this libcurl lacks TLS or time-limited name lookups"});
    }
    return {};
}

void CurlClient::interrupt_process() noexcept {
    interrupted = true;
}

int CurlClient::calls_under_way() noexcept {
    return under_way;
}

CurlClient::CurlClient(CurlSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}

CurlClient::~CurlClient() {
    const ErrorQueueCleaner cleaner;
    impl_.reset();
}

std::expected<Response, Error> CurlClient::send(const Request& request) {
    const std::expected<core::Url, Error> url = check_url(request.url);
    if (!url) {
        return std::unexpected(url.error());
    }
    const CallCounter counter;   // before the flag is read: who waits for zero either sees this call or has stopped it
    if (interrupted) {
        return std::unexpected(Error{ErrorCode::server_stopping, "this process of httpd is stopping"});
    }
    const auto timeout = core::CallDeadline::remaining(impl_->settings.timeout);
    if (timeout.count() <= 0) {
        return std::unexpected(Error{ErrorCode::provider_timeout, url->host + " was not asked: the calls before took all the time there is"});
    }
    const ErrorQueueCleaner cleaner;
    Handle handle = impl_->take_handle();
    if (!handle) {
        return std::unexpected(Error{ErrorCode::internal_error, "libcurl has no memory for another handle"});
    }
    std::expected<Response, Error> response = impl_->perform(handle.get(), request, *url, timeout);
    impl_->give_back(std::move(handle));
    return response;
}

}  // namespace proconnect::http
