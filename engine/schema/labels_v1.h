#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::schema {

// Labels of Traefik 1 (`traefik.frontend.rule`, `traefik.port`, `traefik.<segment>.backend`): answers
// what to write today, given the key without its `traefik.`; empty when the key is none of them.
std::optional<std::string> replacement_of_v1_label(std::string_view key);

}  // namespace fairlead::schema
