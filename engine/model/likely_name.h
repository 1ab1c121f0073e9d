#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

// What was probably meant by the qualified name `missing`: the same name of another provider (`auth@file` for
// `auth@docker`, the `@file` that is easily forgotten), else the nearest one of its own provider. Empty when
// none is near.
std::string likely_name(std::string_view missing, const std::vector<std::string_view>& known);

}  // namespace fairlead::model
