#include "engine/schema/yaml_remedy.h"

namespace fairlead::schema {
namespace {

struct Remedy {
  std::string_view complaint;  // a part of it
  std::string_view remedy;
};

constexpr Remedy kRemedies[] = {
    {"tag", "at the front of a value ! means a type; put the value in quotes"},
    {"no anchor `&.", "at the front of a value * means what an & named; put the value in quotes"},
    {"plain scalar cannot start with", "put the value in quotes"},
    {"nested block mapping on the same line", "put a value with a colon and a blank in quotes"},
    {"in double-quoted string", "in single quotes a backslash stands for itself"},
    // libfyaml takes no entry without a value in a list that is not indented.
    {"did not find expected node content", "a `-` with nothing behind it can be left out"},
    {"invalid multiline plain key", "a blank belongs behind the colon"},
    {"missing document start", "if this is TOML, the name of the file must end with .toml"},
};

}  // namespace

std::string yaml_remedy(std::string_view complaint) {
  for (const Remedy& known : kRemedies)
    if (complaint.find(known.complaint) != complaint.npos) return "; " + std::string(known.remedy);
  return {};
}

}  // namespace fairlead::schema
