#pragma once

#include <span>
#include <string>

namespace fairlead::cmd {

// `fairlead certs list|renew|prune|export`: asks the instance that runs on this machine over its control
// socket. The result is the exit status: 0 done, 1 not done, 2 for a command line that is not understood.
int certs(std::span<const std::string> arguments);

}  // namespace fairlead::cmd
