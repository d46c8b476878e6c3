#pragma once
#include <expected>
#include <string>

#include "session/server_key.hpp"

namespace proconnect::httpd {

/// Reads the server's key, and `PATH.previous` where that exists. A key file that does not exist is made (32 random bytes, mode 0600).
/// Refused, with the end of a sentence: another size, or a file that group or others can reach.
std::expected<session::ServerKeys, std::string> load_server_keys(const std::string& path);

/// The same check without making anything, for configtest: the end of a sentence when load_server_keys() would fail.
std::expected<void, std::string> check_server_keys(const std::string& path);

}  // namespace proconnect::httpd
