#pragma once

#include "engine/schema/problem.h"
#include "engine/schema/type.h"

#include <span>
#include <string>
#include <vector>

namespace fairlead::schema {

struct CommandLine {
  Node options;                    // everything that the flags set
  std::vector<std::string> words;  // what follows the flags, from the first word that is none
  bool wants_help = false;         // -h, --help
};

// Reads `-x`, `--x`, `--x=v`, `--x v`; names ignore case. A boolean, or a struct that may be switched
// on, takes a value only after `=`; alone it means true. Repeated lists append, anything else: the
// last wins. Unknown flags and missing values are problems of severity Error; the rest is read.
CommandLine read_flags(std::span<const std::string> arguments, const TypeInfo& root, Problems& problems);

}  // namespace fairlead::schema
