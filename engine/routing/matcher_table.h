#pragma once

#include "engine/routing/rule.h"
#include "engine/routing/template.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::routing {

enum class Syntax : std::uint8_t { V3, V2 };

// How the arguments of a matcher are read.
enum class Arguments : std::uint8_t {
  One,          // exactly one value; several are alternatives in the old syntax
  Pair,         // key and value
  KeyAndValue,  // key, and perhaps a value
  Pairs,        // old syntax: key, value, key, value, …: all of them
  Assignments,  // old syntax: `key=value`, …: all of them
};

struct MatcherForm {
  std::string_view name;
  Matcher matcher;
  Arguments arguments;
};

// The form with that name in one of its four spellings: exact, lower case, upper case, Capitalised. Null when
// there is none. Forms are static.
const MatcherForm* find_form(std::string_view name, Protocol protocol, Syntax syntax);

// What to write instead of an unknown name, as the end of a message: "did you mean Host?".
std::string form_remedy(std::string_view name, Protocol protocol, Syntax syntax);

}  // namespace fairlead::routing
