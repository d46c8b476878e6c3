#pragma once
#include "httpd/site.hpp"

namespace proconnect::httpd {

/// The part of a site that people see: its name and support, what the login page says, the administrator's templates and image. Reads their files.
std::expected<void, ConfigProblem> resolve_pages(const server_rec* s, const ServerConfig& config, Site& site);

}  // namespace proconnect::httpd
