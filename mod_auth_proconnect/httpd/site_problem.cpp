#include "httpd/site_problem.hpp"

namespace proconnect::httpd {

Problem problem(const Place& place, const std::string& what) {
    return Problem{{place.text() + ": " + what}};
}

Problem missing_directive(const server_rec* s, const ServerConfig& config, const std::string& directive, const std::string& advice) {
    std::string text = directive + " is missing for " + name_of(s);
    if (config.own) {
        text += ", beside " + config.own->text();
    } else if (config.platform) {
        text += ", beside " + config.platform->place.text();
    }
    return Problem{{text + ": " + advice}};
}

std::string name_of(const server_rec* s) {
    std::string text = s->is_virtual ? "the virtual host " : "the server ";
    text += s->server_hostname != nullptr ? s->server_hostname : "without ServerName";
    if (s->defn_name != nullptr) {
        text += std::string{" ("} + s->defn_name + ":" + std::to_string(s->defn_line_number) + ")";
    }
    return text;
}

}  // namespace proconnect::httpd
