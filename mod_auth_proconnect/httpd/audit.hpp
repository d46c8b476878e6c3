#pragma once
#include <atomic>
#include <expected>
#include <string>
#include <string_view>

#include <httpd.h>

#include "httpd/login_demand.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// ProConnectAuditLog: where the events of a site are written, one JSON object a line. Each line is one write() of at most PIPE_BUF bytes, so that
/// lines of several processes never mix, not even in a pipe. Opened by the parent before rights are given up; children inherit it.
class AuditLog {
public:
    /// @param destination  a path, "|program ARGS" or "syslog:"
    /// @return the log, or the end of a sentence
    static std::expected<std::unique_ptr<AuditLog>, std::string> open(apr_pool_t* pconf, const std::string& destination);
    ~AuditLog();
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    /// @param line  without its end. What cannot be written is said in the error log, once a minute.
    void write(const server_rec* s, std::string line);

private:
    AuditLog() = default;

    int descriptor_ = -1;        ///< -1 = syslog
    bool owns_ = false;          ///< a pipe belongs to httpd's pool
    std::atomic<std::int64_t> complained_at_{0};
};

/// What a destination must look like; the end of a sentence, or "" when it is sound.
[[nodiscard]] std::string check_audit_destination(std::string_view destination);
/// Opens the logs of all sites, each destination once.
std::expected<void, std::string> open_audit_logs(apr_pool_t* pconf, Runtime& runtime);

// The events. Each does nothing on a site without ProConnectAuditLog.

void audit_login(const request_rec* r, const RequestState& state, const std::vector<session::Attribute>& attributes, core::UnixTime expires, bool step_up);
void audit_logout(const request_rec* r, const RequestState& state);
/// Somebody signed in is sent to log in at another level, because of the rule that failed.
void audit_step_up(const request_rec* r, const RequestState& state, const LoginDemand& demand);
/// A signed-in user whom a rule refuses.
void audit_refusal(const request_rec* r, const RequestState& state, core::ErrorCode code, std::string_view reference);
/// A login that failed: nobody is known.
void audit_failed_login(const request_rec* r, const RequestState& state, const core::Error& error, std::string_view reference);
/// Sessions whose time ran out since the last sweep. Whose they were is sealed under keys that only the browsers had.
void audit_expiries(const server_rec* s, const Runtime& runtime, std::uint64_t count, core::UnixTime now);

}  // namespace proconnect::httpd
