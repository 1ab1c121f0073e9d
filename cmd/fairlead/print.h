#pragma once

#include <string>
#include <string_view>

namespace fairlead::cmd {

// Writes what a command has to say to stdout and gives the status it ends with: `status`, or 1 instead of 0
// when that could not be written, which stderr then says.
int print(std::string_view text, int status = 0);

// As one line of a log or terminal, whoever wrote it: control bytes as \xNN.
void append_one_line(std::string& out, std::string_view text);
std::string one_line(std::string_view text);

}  // namespace fairlead::cmd
