#pragma once

#include <string>

namespace fairlead::cmd {

inline constexpr const char* kVersion = FAIRLEAD_VERSION;
inline constexpr const char* kCodename = "bowsprit";
// What `fairlead version` prints: lines as Traefik's.
std::string version_text();

}  // namespace fairlead::cmd
