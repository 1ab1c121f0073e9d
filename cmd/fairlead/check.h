#pragma once

#include "cmd/fairlead/install_config.h"

namespace fairlead::cmd {

// `fairlead check`: what the log would say of this install configuration and of the files of providers.file,
// without starting, obtaining or asking anything, and without writing a file. The result is the exit status:
// 0 all would work, 1 something would not, 2 Fairlead would not start.
int check(const InstallConfig& install);

}  // namespace fairlead::cmd
