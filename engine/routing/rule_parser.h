#pragma once

#include "engine/base/result.h"
#include "engine/routing/matcher_table.h"
#include "engine/routing/rule.h"

#include <string_view>

namespace fairlead::routing {

// Limits that keep a hostile label from costing memory or stack; far above any rule a person writes.
inline constexpr std::size_t kMaxRuleBytes = 256 << 10;
inline constexpr int kMaxRuleDepth = 64;  // open parentheses

// Reads a rule: ``Host(`a.example.com`) && !(Path(`/x`) || Method(`POST`))``. `!` binds strongest, then &&,
// ||. Syntax::V2 is the router option `ruleSyntax=v2`: several values per matcher, templates in braces.
//
// Never throws, and does nothing on a request path. Errors: path "rule", and in words the column (in bytes,
// from 1), what is wrong and what to write instead.
Configured<Rule> parse_rule(std::string_view text, Protocol protocol, Syntax syntax = Syntax::V3);

}  // namespace fairlead::routing
