#pragma once

#include <string>
#include <string_view>

namespace fairlead::schema {

// What to write instead, to be put behind `complaint` of the YAML reader; empty where it says enough. Rules
// and wildcard names begin with characters, or hold some, that mean something else in YAML.
std::string yaml_remedy(std::string_view complaint);

}  // namespace fairlead::schema
