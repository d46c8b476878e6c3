#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <httpd.h>

#include "access/rule.hpp"
#include "httpd/config.hpp"

namespace proconnect::httpd {

/// A line `Require proconnect …` of the configuration. Shared: one of an .htaccess goes with the request that read it, a subrequest perhaps, while
/// what it refused is yet to be explained. Only its pattern must not be used then, which belongs to the pool.
struct PreparedRule {
    std::unique_ptr<access::Rule> rule;
    std::string place;          ///< "Require proconnect at /etc/apache2/…:12"
    bool negated = false;   ///< an odd number of "not" and <RequireNone> stands around it
    std::uint64_t number = 0;   ///< no other rule of this process has or had it, not even one of an .htaccess read for another request
};

/// What the rules of one request are asked, and what came of it. httpd asks them one by one, through `Require` and its combinations.
struct RuleRun {
    const request_rec* judged = nullptr;   ///< the one request that this is about; others are asked in its course, by `Require expr "-U …"`

    // The question. Beside the session as it is, httpd can be asked what would be if the user had logged in at another level.
    bool supposes_level = false;
    std::string_view level;              ///< "" = none that is known
    bool supposes_methods = false;       ///< every rule on `amr` is met
    bool nobody_refuses = false;         ///< a negated rule does not pass over somebody who has no claims
    bool nested = false;                 ///< asked by ourselves

    // The answers.
    std::shared_ptr<const PreparedRule> failed;   ///< the first rule that did not let the user in
    access::Outcome outcome{};                 ///< what it found
    bool saw_level = false, saw_method = false;
    bool methods_imply_two_factors = true;     ///< of the rules on `amr` that were asked
};

}  // namespace proconnect::httpd
