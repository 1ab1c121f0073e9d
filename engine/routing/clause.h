#pragma once

#include "engine/routing/matcher_table.h"
#include "engine/routing/rule.h"
#include "engine/routing/rule_lexer.h"

#include <expected>
#include <string>
#include <vector>

namespace fairlead::routing {

// A call of a matcher as it stands in the rule: Name(`literal`, …).
struct Call {
  const MatcherForm* form = nullptr;
  std::size_t at = 0;            // of the name
  std::vector<Token> arguments;  // literals
};

// Checks the arguments of a call and appends its nodes: one Test, or, for several values in the old syntax,
// one group of them. What is legal but never matches as meant is added to the notices of the rule.
std::expected<void, RuleFault> append_clause(Rule& rule, const Call& call, Syntax syntax, bool negated);

}  // namespace fairlead::routing
