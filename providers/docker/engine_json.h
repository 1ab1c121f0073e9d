#pragma once

#include <nlohmann/json.hpp>

#include <expected>
#include <string>
#include <string_view>

namespace fairlead::providers::docker {

// An engine's answer as JSON. What nests deeper than any answer does is left out: json's own functions that
// copy or print a value recurse, so the depth must not be the sender's to say. The error is short, whatever
// the answer holds.
std::expected<nlohmann::json, std::string> parse_json(std::string_view text);

// A member of an object. Members may be missing, null or (Podman) of another type; then they count as empty.
// By reference: copying a json is recursive.
const nlohmann::json& member(const nlohmann::json& object, const char* key);
// A text, or a number as text (Podman: StopSignal 15).
std::string text(const nlohmann::json& object, const char* key);

}  // namespace fairlead::providers::docker
