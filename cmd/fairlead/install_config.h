#pragma once

#include "engine/model/static.h"
#include "engine/schema/environment.h"
#include "engine/schema/problem.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fairlead::cmd {

// The install configuration as found: flags over environment over file, combined.
struct InstallConfig {
  std::shared_ptr<const model::Static> options;
  std::string file;                 // path of the install file; empty: none
  std::string file_text;            // its content when it was read
  std::vector<std::string> errors;  // with any, the program does not start (or the change is not applied)
  std::vector<std::string> notices;
  bool wants_help = false;
  std::vector<std::string> words;  // after the flags
};

// Reads all sources again. `arguments` are those after the program's name (and sub-command).
InstallConfig read_install(std::span<const std::string> arguments, const schema::Environment& environment);

}  // namespace fairlead::cmd
