#pragma once

#include "engine/base/fd.h"

#include <sys/types.h>

#include <expected>
#include <string>

namespace fairlead {

// Opens a file of lines to append to; makes it, and the directories above it. Never waits: a pipe that nobody
// reads is refused instead. The error says what is wrong, in words for the log.
std::expected<Fd, std::string> open_for_appending(const std::string& path, mode_t mode);

}  // namespace fairlead
