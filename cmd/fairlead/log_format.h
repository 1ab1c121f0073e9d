#pragma once

#include <spdlog/formatter.h>

#include <memory>

namespace fairlead::cmd {

// How a message becomes a line: `2026-01-02T15:04:05Z INF text`, or as JSON with level, time and message,
// both as Traefik writes them. Control bytes of a text never reach the output: no message can forge another
// line.
std::unique_ptr<spdlog::formatter> log_formatter(bool json, bool color);

}  // namespace fairlead::cmd
