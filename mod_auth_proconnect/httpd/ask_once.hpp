#pragma once
#include <httpd.h>

#include "httpd/request.hpp"

namespace proconnect::httpd {

// httpd asks all Require lines twice: before it knows the user, for places that are open to everybody, and again with the user. Where the last request
// of a connection was let in by our rules, the next one is most likely for such a place too, and is asked about with its user at once. What the first
// question would have said is found out afterwards when it matters: whenever it was not a rule of ours, met by this user, that let the request in.

/// In front of httpd's question without a user. @return OK to leave it out; DECLINED otherwise
int leave_out_userless(request_rec* r);

/// Where it was left out, OK still means that a user has to be found.
int want_user(request_rec* r);

/// After httpd's rules were asked about the user.
/// @param status  what they said
/// @return what they would have said, had the question not been left out
int settle_userless(request_rec* r, RequestState& state, int status);

}  // namespace proconnect::httpd
