#pragma once
#include <httpd.h>
#include <mod_auth.h>

namespace proconnect::httpd {

/// `Require proconnect …`: says of one rule whether it lets the user in. httpd combines the answers.
/// A claim that is missing lets nobody in: a rule that is negated then answers as if it were met, so that its negation refuses.
extern const authz_provider kAuthzProvider;

}  // namespace proconnect::httpd
