#include "httpd/connection_session.hpp"

#include <chrono>

#include <http_config.h>

#include "httpd/pool.hpp"
#include "httpd/runtime.hpp"

namespace proconnect::httpd {
namespace {

constexpr std::chrono::seconds kAskedForWithin{15};

/// What hangs on a connection. Requests share the session's ownership: an answer that is still being sent keeps what its variables point to.
struct ConnectionMemory {
    std::shared_ptr<session::RememberedSession> session;
    core::UnixTime asked_for{};
};

ConnectionMemory* memory_of(const conn_rec* connection) {
    return static_cast<ConnectionMemory*>(ap_get_module_config(connection->conn_config, &auth_proconnect_module));
}

bool has_one_request_at_a_time(const conn_rec* connection) {
    return connection->master == nullptr;
}

core::UnixTime time_of(const request_rec* r) {
    return core::UnixTime{std::chrono::seconds{apr_time_sec(r->request_time)}};
}

}  // namespace

std::shared_ptr<session::RememberedSession> remembered_session(const request_rec* r, std::string_view cookie, const session::RealmTag& realm) {
    auto* memory = has_one_request_at_a_time(r->connection) ? memory_of(r->connection) : nullptr;
    if (memory == nullptr || memory->session == nullptr || !memory->session->is_of(cookie, realm)) {
        return nullptr;
    }
    memory->asked_for = time_of(r);
    return memory->session;
}

void remember_session(const request_rec* r, const session::SessionHandle& handle, const session::OpenedPart& opened) {
    // The only request of a connection, as most robots' are, shall not pay for others.
    if (!has_one_request_at_a_time(r->connection) || r->connection->keepalives == 0) {
        return;
    }
    auto* memory = memory_of(r->connection);
    const auto now = time_of(r);
    if (memory == nullptr) {
        memory = pool_make<ConnectionMemory>(r->connection->pool);
        ap_set_module_config(r->connection->conn_config, &auth_proconnect_module, memory);
    } else if (memory->session != nullptr && now - memory->asked_for < kAskedForWithin && now >= memory->asked_for) {
        return;
    }
    memory->session = session::RememberedSession::make(handle, opened);
    memory->asked_for = now;
}

void forget_session(const request_rec* r) {
    if (auto* memory = has_one_request_at_a_time(r->connection) ? memory_of(r->connection) : nullptr) {
        memory->session.reset();
    }
}

}  // namespace proconnect::httpd
