#pragma once

#include <string>
#include <string_view>

namespace fairlead::providers {

// Traefik's Normalize: runs of anything but Unicode letters and digits become one "-", none at the ends.
// Case is kept. "my_app.web" → "my-app-web".
std::string normalize(std::string_view name);

}  // namespace fairlead::providers
