#include "cmd/fairlead/version.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <string_view>

namespace fairlead::cmd {
namespace {

// The names that container images use.
std::string_view architecture(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return machine;
}

}  // namespace

std::string version_text() {
  utsname system{};
  ::uname(&system);
  return fmt::format(
      "Version:      {}\nCodename:     {}\nCompiler:     {}\nSchema:       Traefik 3.7\nOS/Arch:      "
      "linux/{}\n",
      kVersion, kCodename, __VERSION__, architecture(system.machine));
}

}  // namespace fairlead::cmd
