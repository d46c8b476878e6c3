#pragma once
#include <memory>
#include <string_view>

#include <httpd.h>

#include "session/remembered_session.hpp"

namespace proconnect::httpd {

/// The session that this connection remembers, if the request's cookie is that session's; the caller asks the store whether it still holds. Null on the
/// streams of HTTP/2: several of them run at once.
[[nodiscard]] std::shared_ptr<session::RememberedSession> remembered_session(const request_rec* r, std::string_view cookie,
                                                                             const session::RealmTag& realm);

/// After a session was opened. From the second request of a connection on, and for one session: a proxy in front may send many people's
/// requests through one connection. One that has not been asked for in a while makes room for another.
void remember_session(const request_rec* r, const session::SessionHandle& handle, const session::OpenedPart& opened);

/// The session has ended, or the store no longer has it.
void forget_session(const request_rec* r);

}  // namespace proconnect::httpd
