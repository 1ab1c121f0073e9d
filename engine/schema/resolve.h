#pragma once

#include "engine/schema/key.h"
#include "engine/schema/type.h"

#include <span>

namespace fairlead::schema {

// Where a dotted spelling leads in a table.
struct Target {
  const TypeInfo* type = nullptr;  // of what the spelling names, or of the last good part
  const Option* row = nullptr;     // the row it was reached by, last
  std::size_t good = 0;            // how many segments were found; all of them when the spelling is known
};

// Free names take any segment; Raw takes all that follow.
Target resolve(const TypeInfo& root, std::span<const Segment> segments);

// What a flag or variable without further dots sets: optionals and lists of scalars looked through.
const TypeInfo& inner(const TypeInfo& type);

// A flag of this kind may stand without a value, meaning true: booleans and structs that allow it.
bool may_stand_bare(const Target& target);

// Bool, number, text, duration, or a list of them.
bool is_scalar_option(const TypeInfo& type);

}  // namespace fairlead::schema
