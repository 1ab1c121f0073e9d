#pragma once

#include "engine/model/observability.h"

namespace fairlead::cmd {

// The program's own log, as the install configuration wants it: spdlog's default logger, writing from a
// thread of its own, so that no worker ever waits for a disk or a terminal. What comes too fast pushes out
// the oldest.
//
// May be called again when the options change. The thread it starts inherits the signal mask of the caller.
void set_up_log(const model::Log& options);
// SIGUSR1: the file was moved away.
void reopen_log();
// Writes what waits; nothing is logged afterwards.
void finish_log();

}  // namespace fairlead::cmd
