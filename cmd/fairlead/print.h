#pragma once

#include <string_view>

namespace fairlead::cmd {

// Writes what a command has to say to stdout and gives the status it ends with: `status`, or 1 instead of 0
// when that could not be written, which stderr then says.
int print(std::string_view text, int status = 0);

}  // namespace fairlead::cmd
