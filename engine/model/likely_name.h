#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

// Among more names than these some are always near; looking through them for each of many routers takes long.
inline constexpr std::size_t kMostKnown = 1000;

// What was probably meant by the qualified name `missing`: the same name of another provider (`auth@file` for
// `auth@docker`, the `@file` that is easily forgotten), else the nearest one of its own provider. Empty when
// none is near.
std::string likely_name(std::string_view missing, const std::vector<std::string_view>& known);

}  // namespace fairlead::model
