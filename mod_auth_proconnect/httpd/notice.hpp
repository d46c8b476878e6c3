#pragma once
#include <string>

#include <httpd.h>

namespace proconnect::httpd {

/// The text of ProConnectNotice, read anew for each page that shows it, so that a change counts at once. "" without a file; one that cannot be
/// read, is no plain file, is larger than 4 KiB or is not UTF-8 is left out with a warning in the log.
[[nodiscard]] std::string read_notice(const server_rec* s, const std::string& path);

}  // namespace proconnect::httpd
