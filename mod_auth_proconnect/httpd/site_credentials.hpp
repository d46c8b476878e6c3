#pragma once
#include "httpd/site.hpp"

namespace proconnect::httpd {

/// The part of a site that is secret: how it proves to ProConnect which client it is, and what it decrypts with; and the public halves of its keys. Reads
/// their files, and runs the program that prints the secret, if it may.
std::expected<void, ConfigProblem> resolve_credentials(server_rec* s, const ServerConfig& config, bool run_programs, Site& site);

}  // namespace proconnect::httpd
