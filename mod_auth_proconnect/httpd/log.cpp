#include "httpd/log.hpp"

#include <array>
#include <cstdlib>

#include <http_log.h>

#include "crypto/random.hpp"

APLOG_USE_MODULE(auth_proconnect);

namespace proconnect::httpd {
namespace {

int apache_level(core::LogLevel level) noexcept {
    switch (level) {
        case core::LogLevel::info: return APLOG_INFO;
        case core::LogLevel::notice: return APLOG_NOTICE;
        case core::LogLevel::warning: return APLOG_WARNING;
        case core::LogLevel::error: return APLOG_ERR;
    }
    return APLOG_ERR;
}

std::string failure_line(const core::Error& error, std::string_view reference) {
    std::string line = core::code_text(error.code) + ' ' + std::string{core::catalogue_entry(error.code).name};
    if (!reference.empty()) {
        line += " ref=" + std::string{reference};
    }
    return line + ": " + printable(error.detail);
}

}  // namespace

std::string make_reference() {
    // No vowels and no look-alikes: the reference is read out on the telephone.
    static constexpr std::string_view kAlphabet = "23456789BCDFGHJKMNPQRSTVWXYZ";
    std::array<std::uint8_t, 10> bytes{};
    if (!crypto::fill_random(bytes)) {
        return "NORANDOM";
    }
    std::string reference;
    for (const auto byte : bytes) {
        reference += kAlphabet[byte % kAlphabet.size()];
    }
    return reference;
}

std::string printable(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::size_t kMaxBytes = 400;
    std::string out;
    for (const char c : text.substr(0, kMaxBytes)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '\\') {
            out += "\\x";
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        } else {
            out += c;
        }
    }
    if (text.size() > kMaxBytes) {
        out += "...";
    }
    return out;
}

void log_failure(const request_rec* r, const core::Error& error, std::string_view reference) {
    const auto line = failure_line(error, reference);
    ap_log_rerror(APLOG_MARK, apache_level(core::catalogue_entry(error.code).log_level), 0, r, "%s", line.c_str());
}

void log_server_failure(const server_rec* s, const core::Error& error) {
    const auto line = failure_line(error, "");
    ap_log_error(APLOG_MARK, apache_level(core::catalogue_entry(error.code).log_level), 0, s, "%s", line.c_str());
}

void log_server_notice(const server_rec* s, std::string_view message) {
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "%.*s", static_cast<int>(message.size()), message.data());
}

void log_server_warning(const server_rec* s, std::string_view message) {
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "%.*s", static_cast<int>(message.size()), message.data());
}

void log_startup_error(const server_rec* s, std::string_view message) {
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, s, "%.*s", static_cast<int>(message.size()), message.data());
}

void log_startup_warning(const server_rec* s, std::string_view message) {
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, s, "%.*s", static_cast<int>(message.size()), message.data());
}

void log_internal_error(const request_rec* r, const char* what) noexcept {
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "PC9001 internal_error: %.200s", what);
}

void log_internal_error(const server_rec* s, const char* what) noexcept {
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "PC9001 internal_error: %.200s", what);
}

void log_and_end_process(apr_pool_t* pool, const char* what) noexcept {
    ap_log_perror(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, 0, pool, "PC9001 internal_error: the configuration cannot be read: %.200s; aborting process", what);
    std::abort();
}

}  // namespace proconnect::httpd
