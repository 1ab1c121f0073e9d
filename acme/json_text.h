#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace fairlead::acme {

// Compact; what is no UTF-8 is replaced, as an authority may have said anything.
std::string dump(const nlohmann::json& json);
std::string dump_in_order(const nlohmann::ordered_json& json);

}  // namespace fairlead::acme
