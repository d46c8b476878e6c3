#include "httpd/audit.hpp"

#include <fcntl.h>
#include <limits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include <apr_portable.h>
#include <http_config.h>
#include <http_log.h>

#include "httpd/log.hpp"
#include "json/document.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::string_view kSyslog = "syslog:";
constexpr std::size_t kMaxValueBytes = 256;
constexpr std::size_t kShortValueBytes = 32;
constexpr std::int64_t kComplaintInterval = 60;
constexpr mode_t kLogMode = 0640;

/// RFC 3339, UTC.
std::string utc(core::UnixTime time) {
    const time_t seconds = core::to_unix_seconds(time);
    tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// Cut between two characters, not inside one.
std::string_view cut(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) {
        return text;
    }
    while (limit != 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) {
        --limit;
    }
    return text.substr(0, limit);
}

/// What a terminal obeys, or a reader takes for the end of a line or the other direction, becomes a space: the second controls (U+0080 to U+009F) and
/// those of lines and directions (U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069). JSON itself takes care of the first controls.
std::string plain(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0U;
        const auto third = text.size() > 2 ? static_cast<unsigned char>(text[2]) : 0U;
        const bool controls = (text[0] == '\xc2' && second >= 0x80 && second < 0xa0) || (text[0] == '\xd8' && second == 0x9c);
        const bool turns = text[0] == '\xe2' && ((second == 0x80 && (third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae))) || (second == 0x81 && third >= 0xa6 && third <= 0xa9));
        out += controls || turns || text[0] == '\x7f' ? ' ' : text[0];
        text.remove_prefix(turns ? 3 : controls ? 2 : 1);
    }
    return out;
}

/// The claims of an event: who, from where, at which level.
struct Identity {
    std::string sub, idp_id, siret, acr, session;
    std::vector<std::string> amr;

    void take(std::string_view variable, std::string_view value) {
        const std::pair<std::string_view, std::string*> texts[] = {
            {"PROCONNECT_SUB", &sub}, {"PROCONNECT_IDP_ID", &idp_id}, {"PROCONNECT_SIRET", &siret}, {"PROCONNECT_ACR", &acr}, {"PROCONNECT_SESSION", &session}};
        for (const auto& [name, text] : texts) {
            if (name == variable) {
                *text = value;
            }
        }
        if (variable == "PROCONNECT_AMR") {
            amr = session::split_list(value);
        }
    }
};

Identity identity_of(const RequestState& state) {
    Identity identity;
    if (state.user) {
        state.user->attributes.for_each([&](const session::AttributeBlock::Item& item) { identity.take(item.variable_view, item.value_view); });
    }
    return identity;
}

/// One line; values in the order of the manual.
class Line {
public:
    Line(std::string_view event, core::UnixTime now, std::size_t limit) : limit_(limit) {
        writer_.begin_object();
        text("time", utc(now)).text("event", event);
    }
    Line& text(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            writer_.key(name).string(plain(cut(value, limit_)));
        }
        return *this;
    }
    Line& number(std::string_view name, std::int64_t value) {
        writer_.key(name).number(value);
        return *this;
    }
    Line& flag(std::string_view name, bool value) {
        writer_.key(name).boolean(value);
        return *this;
    }
    Line& list(std::string_view name, const std::vector<std::string>& values) {
        constexpr std::size_t kMaxElements = 16;
        writer_.key(name).begin_array();
        for (std::size_t i = 0; i < values.size() && i < kMaxElements; ++i) {
            writer_.string(plain(cut(values[i], std::min<std::size_t>(limit_, 80))));
        }
        writer_.end_array();
        return *this;
    }
    Line& request(const request_rec* r, const RequestState& state) {
        return text("vhost", state.site->site->base_url.host).text("address", r->useragent_ip != nullptr ? r->useragent_ip : "");
    }
    Line& person(const Identity& who) {
        return text("sub", who.sub).text("idp_id", who.idp_id).text("siret", who.siret).text("acr", who.acr).list("amr", who.amr).text("session", who.session);
    }
    [[nodiscard]] std::string take() { return writer_.end_object().take(); }

private:
    json::Writer writer_;
    std::size_t limit_;
};

/// Makes the line, with values cut shorter when it would be too long for one write into a pipe.
template <typename Fill>
void write_event(const request_rec* r, const RequestState& state, std::string_view event, Fill&& fill) {
    auto* log = state.site->audit;
    if (log == nullptr) {
        return;
    }
    std::string text;
    for (const auto limit : {kMaxValueBytes, kShortValueBytes}) {
        Line line{event, state.now, limit};
        fill(line);
        text = line.take();
        if (text.size() < PIPE_BUF) {
            break;
        }
    }
    log->write(r->server, std::move(text));
}

std::string condition_of(const RequestState& state) {
    const auto& failed = state.rules.failed;
    return failed == nullptr ? "Require" : std::string{failed->negated ? "Require not proconnect " : "Require proconnect "} + failed->rule->text();
}

std::string place_of(const RequestState& state) {
    return state.rules.failed == nullptr ? std::string{} : state.rules.failed->place;
}

}  // namespace

std::string check_audit_destination(std::string_view destination) {
    if (destination == kSyslog) {
        return {};
    }
    if (destination.starts_with("syslog")) {
        return "writes to syslog as 'syslog:', without anything more";
    }
    if (destination.starts_with('|')) {
        return destination.find_first_not_of(" \t", 1) == std::string_view::npos ? "needs a program after '|'" : "";
    }
    return destination.starts_with('/') ? "" : "takes the whole path of a file, '|program', 'syslog:' or 'off'; not '" + std::string{destination} + "'";
}

std::expected<std::unique_ptr<AuditLog>, std::string> AuditLog::open(apr_pool_t* pconf, const std::string& destination) {
    std::unique_ptr<AuditLog> log{new AuditLog};
    if (destination == kSyslog) {
        return log;
    }
    if (destination.starts_with('|')) {
        auto* pipe = ap_open_piped_log(pconf, destination.c_str() + 1);
        if (pipe == nullptr || apr_os_file_get(&log->descriptor_, ap_piped_log_write_fd(pipe)) != APR_SUCCESS) {
            return std::unexpected("the program '" + destination.substr(1) + "' cannot be started");
        }
        return log;
    }
    log->descriptor_ = ::open(destination.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, kLogMode);
    log->owns_ = true;
    if (log->descriptor_ < 0) {
        return std::unexpected(destination + " cannot be opened: " + std::strerror(errno));
    }
    return log;
}

AuditLog::~AuditLog() {
    if (owns_ && descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

void AuditLog::write(const server_rec* s, std::string line) {
    if (descriptor_ < 0) {
        ::syslog(LOG_AUTHPRIV | LOG_INFO, "%s", line.c_str());
        return;
    }
    line += '\n';
    ssize_t written = 0;
    do {
        written = ::write(descriptor_, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<ssize_t>(line.size())) {
        return;
    }
    const int error = errno;
    const auto now = core::to_unix_seconds(core::now());
    auto last = complained_at_.load();
    if ((now < last || now - last >= kComplaintInterval) && complained_at_.compare_exchange_strong(last, now)) {
        log_server_failure(s, {core::ErrorCode::audit_log_unwritable, std::string{"ProConnectAuditLog: events are lost: "} + (written < 0 ? std::strerror(error) : "only part of a line was written")});
    }
}

std::expected<void, std::string> open_audit_logs(apr_pool_t* pconf, Runtime& runtime) {
    for (auto& site : runtime.sites) {
        const auto& destination = site->site->audit_log;
        if (destination.empty()) {
            continue;
        }
        auto& log = runtime.audit_logs[destination];
        if (!log) {
            auto opened = AuditLog::open(pconf, destination);
            if (!opened) {
                return std::unexpected("ProConnectAuditLog: " + opened.error());
            }
            log = std::move(*opened);
        }
        site->audit = log.get();
    }
    return {};
}

void audit_login(const request_rec* r, const RequestState& state, const std::vector<session::Attribute>& attributes, core::UnixTime expires, bool step_up) {
    Identity who;
    for (const auto& attribute : attributes) {
        who.take(session::variable_name(attribute.claim), attribute.value);
    }
    write_event(r, state, "login", [&](Line& line) { line.request(r, state).person(who).flag("step_up", step_up).text("expires", utc(expires)); });
}

void audit_logout(const request_rec* r, const RequestState& state) {
    write_event(r, state, "logout", [&](Line& line) { line.request(r, state).person(identity_of(state)); });
}

void audit_step_up(const request_rec* r, const RequestState& state, const LoginDemand& demand) {
    write_event(r, state, "step-up", [&](Line& line) {
        line.request(r, state).person(identity_of(state)).text("condition", condition_of(state)).text("place", place_of(state)).list("asked_acr", demand.acr_values);
    });
}

void audit_refusal(const request_rec* r, const RequestState& state, core::ErrorCode code, std::string_view reference) {
    write_event(r, state, "refusal", [&](Line& line) {
        line.text("reference", reference).request(r, state).person(identity_of(state));
        line.text("code", core::code_text(code)).text("reason", core::catalogue_entry(code).name).text("condition", condition_of(state)).text("place", place_of(state));
    });
}

void audit_failed_login(const request_rec* r, const RequestState& state, const core::Error& error, std::string_view reference) {
    write_event(r, state, "refusal", [&](Line& line) {
        line.text("reference", reference).request(r, state).text("code", core::code_text(error.code)).text("reason", core::catalogue_entry(error.code).name);
        line.text("condition", printable(error.detail));
    });
}

void audit_expiries(const server_rec* s, const Runtime& runtime, std::uint64_t count, core::UnixTime now) {
    for (const auto& [destination, log] : runtime.audit_logs) {
        log->write(s, Line{"expiry", now, kMaxValueBytes}.number("count", static_cast<std::int64_t>(count)).take());
    }
}

}  // namespace proconnect::httpd
