#pragma once

#include <string>
#include <vector>

namespace fairlead::cmd {

// The program: sub-command or router. The result is the exit status: 0 after a clean end, 1 for a failure, 2
// for a command line or install configuration that cannot be used.
int run(std::vector<std::string> arguments);

}  // namespace fairlead::cmd
