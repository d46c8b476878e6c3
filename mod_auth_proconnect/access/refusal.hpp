#pragma once
#include "access/rule.hpp"
#include "core/error.hpp"

namespace proconnect::access {

/// What a refused user is told of the condition. Never a value of the rule but levels and roles, which are no secret.
[[nodiscard]] core::Message refusal_message(const Rule& rule, Outcome outcome, bool negated, core::Language language);

}  // namespace proconnect::access
