#pragma once

#include "engine/schema/type.h"

#include <string>
#include <string_view>

namespace fairlead::schema {

// Parses a scalar of that kind into the object and runs the check. Empty when all is well, else what
// was expected: "expected an integer". The object is only written when all is well.
std::string parse_scalar(std::string_view text, TypeKind kind, void* object, const Check& check);

// "an integer", "true or false", "a duration such as 30s or 1m30s".
std::string_view describe(TypeKind kind);

// Bool in Go's spellings: 1 t T TRUE true True and the same for false.
std::optional<bool> parse_bool(std::string_view text);

// The row of that name or alias, ASCII case ignored; null when there is none.
const Option* find_row(const TypeInfo& structure, std::string_view name);

// "a|b|c" contains the text exactly.
bool is_choice(std::string_view choices, std::string_view text);

std::string_view trim(std::string_view text);  // spaces, tabs, line ends

// For messages: at most 60 characters, control characters replaced.
std::string clip(std::string_view text);

}  // namespace fairlead::schema
