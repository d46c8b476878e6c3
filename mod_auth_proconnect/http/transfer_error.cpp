#include "http/transfer_error.hpp"

#include <cerrno>

namespace proconnect::http {
namespace {

using core::Error;
using core::ErrorCode;

long number_info(CURL* handle, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

/// Whether a phase of the exchange was completed, by its time stamp.
bool is_reached(CURL* handle, CURLINFO phase_time) {
    curl_off_t microseconds = 0;
    return curl_easy_getinfo(handle, phase_time, &microseconds) == CURLE_OK && microseconds > 0;
}

/// "connection refused" and its like; "" when the system gave no reason.
std::string system_reason(CURL* handle) {
    switch (number_info(handle, CURLINFO_OS_ERRNO)) {
        case ECONNREFUSED:
            return "connection refused";
        case ECONNRESET:
        case EPIPE:
            return "connection reset";
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EADDRNOTAVAIL:
            return "no route";
        case EACCES:
        case EPERM:
            return "connection forbidden by this machine";
        case EMFILE:
        case ENFILE:
            return "no file descriptor left";
        default:
            return "";
    }
}

/// OpenSSL's X509_V_ERR_… numbers, which are part of its stable interface; libcurl hands them through as they are.
std::string certificate_reason(long verify_result) {
    switch (verify_result) {
        case 0:
        case 1:  // libcurl's "not known": its own check of the name failed before it asked for the result
        case 62:
            return "wrong host: the certificate is not for this name";
        case 9:
            return "the certificate is not yet valid (is this machine's clock right?)";
        case 10:
            return "the certificate has expired";
        case 2:
        case 18:
        case 19:
        case 20:
        case 21:
            return "unknown issuer: the certificate's authority is not among the trusted ones";
        case 23:
            return "the certificate is revoked";
        case 66:
        case 67:
        case 68:
            return "the certificate's key or digest is too weak";
        default:
            return "the certificate is refused, X509 error " + std::to_string(verify_result);
    }
}

Error certificate_error(CURL* handle, const std::string& where) {
    const long of_proxy = number_info(handle, CURLINFO_PROXY_SSL_VERIFYRESULT);
    if (of_proxy != 0) {
        return {ErrorCode::provider_tls, "TLS with the proxy for " + where + ": " + certificate_reason(of_proxy)};
    }
    return {ErrorCode::provider_tls, "TLS with " + where + ": " + certificate_reason(number_info(handle, CURLINFO_SSL_VERIFYRESULT))};
}

Error timeout_error(CURL* handle, const std::string& where) {
    const char* phase = "while the answer was received";
    if (!is_reached(handle, CURLINFO_NAMELOOKUP_TIME_T)) {
        phase = "while its name was looked up (DNS)";
    } else if (!is_reached(handle, CURLINFO_PRETRANSFER_TIME_T)) {
        phase = "while connecting or during the TLS handshake";
    } else if (!is_reached(handle, CURLINFO_STARTTRANSFER_TIME_T)) {
        phase = "while waiting for the answer";
    }
    return {ErrorCode::provider_timeout, where + " took too long, " + phase};
}

Error unreachable(const std::string& where, std::string reason) {
    return {ErrorCode::provider_unreachable, where + ": " + std::move(reason)};
}

Error connection_error(CURL* handle, CURLcode code, const std::string& where, bool uses_proxy) {
    const long tunnel_status = number_info(handle, CURLINFO_HTTP_CONNECTCODE);
    if (uses_proxy && tunnel_status >= 300) {
        return unreachable(where, "the proxy refused the tunnel with status " + std::to_string(tunnel_status));
    }
    std::string reason = system_reason(handle);
    if (reason.empty()) {
        reason = curl_easy_strerror(code);
    }
    return unreachable(where, uses_proxy ? "through the proxy: " + reason : reason);
}

}  // namespace

Error transfer_error(CURL* handle, CURLcode code, const std::string& where, bool uses_proxy) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return unreachable(where, "DNS: the name cannot be resolved");
        case CURLE_COULDNT_RESOLVE_PROXY:
            return unreachable(where, "proxy: its name cannot be resolved (DNS)");
        case CURLE_COULDNT_CONNECT:
        case CURLE_PROXY:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
            return connection_error(handle, code, where, uses_proxy);
        case CURLE_ABORTED_BY_CALLBACK:
            return {ErrorCode::server_stopping, where + ": given up, this process of httpd is stopping"};
        case CURLE_OPERATION_TIMEDOUT:
            return timeout_error(handle, where);
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificate_error(handle, where);
        case CURLE_SSL_CACERT_BADFILE:
            return {ErrorCode::provider_tls, "the file of trusted authorities cannot be read"};
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_SHUTDOWN_FAILED:
        case CURLE_USE_SSL_FAILED: {
            const std::string reason = system_reason(handle);
            return {ErrorCode::provider_tls, "TLS with " + where + ": the handshake failed" + (reason.empty() ? "" : " (" + reason + ")")};
        }
        case CURLE_PARTIAL_FILE:
            return unreachable(where, "the answer was cut off");
        case CURLE_GOT_NOTHING:
            return unreachable(where, "the connection was closed without an answer");
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:  // what libcurl says of bytes that do not begin like HTTP
        case CURLE_BAD_CONTENT_ENCODING:
            return unreachable(where, "the answer is not valid HTTP");
        case CURLE_FILESIZE_EXCEEDED:
            return {ErrorCode::provider_body_too_large, where + ": the announced length is beyond the limit"};
        case CURLE_OUT_OF_MEMORY:
        case CURLE_FAILED_INIT:
        case CURLE_BAD_FUNCTION_ARGUMENT:
        case CURLE_UNKNOWN_OPTION:
        case CURLE_NOT_BUILT_IN:
            return {ErrorCode::internal_error, std::string("libcurl: ") + curl_easy_strerror(code)};
        default:
            return connection_error(handle, code, where, uses_proxy);
    }
}

}  // namespace proconnect::http
