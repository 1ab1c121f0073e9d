#pragma once

#include "engine/model/static.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::cmd {

// `fairlead healthcheck`: asks the ping of a running instance with the same install configuration. Prints
// what it found; 0 when it answers 200 within 5 s, else 1.
int healthcheck(const model::Static& install);

// What this program was started with as the first process of this container, or as the child of its init
// (`docker run --init`): the health check of an image knows none of its flags.
std::optional<std::vector<std::string>> arguments_of_container();

// Status of HEAD (or GET) http://host:port/path within 5 s; 0 with `problem` when there was no answer.
int ask_status(const std::string& host, std::uint16_t port, const std::string& path, bool head,
               std::string& problem);

}  // namespace fairlead::cmd
