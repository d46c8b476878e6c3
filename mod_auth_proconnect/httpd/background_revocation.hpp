#pragma once
#include <httpd.h>

#include "core/secret.hpp"
#include "httpd/request.hpp"

namespace proconnect::httpd {

/// Revokes a refresh token after the answer to this request has left: when httpd frees the request, which it does behind the last byte of it. The connection
/// is closed, so that no later request of this browser waits. A logout holds a worker for at most kRevocationTimeout longer, and only while one of the
/// permits to wait for ProConnect is free; otherwise, and when ProConnect does not answer, the token ends by its own age.
void revoke_after_answer(request_rec* r, const RequestState& state, core::Secret refresh_token);

}  // namespace proconnect::httpd
