#pragma once
#include <expected>
#include <string>

#include <httpd.h>

#include "httpd/config.hpp"
#include "httpd/site.hpp"

namespace proconnect::httpd {

// The sentences of a configuration that cannot be used: which directive, where, and what to write instead.

using Problem = std::unexpected<ConfigProblem>;

[[nodiscard]] Problem problem(const Place& place, const std::string& what);
/// Of a directive that should stand in this server or virtual host.
[[nodiscard]] Problem missing_directive(const server_rec* s, const ServerConfig& config, const std::string& directive, const std::string& advice);
/// "the virtual host agents.example.gouv.fr (/etc/apache2/…:12)"
[[nodiscard]] std::string name_of(const server_rec* s);

}  // namespace proconnect::httpd
