#pragma once

#include "engine/model/dynamic.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace fairlead::providers::docker {

// Which elements of one container use, at any remove, a name of its own that another owner holds: they meant
// their container's element and must not get another's under that name, a stranger's service behind a
// weighted one, say, or TLS options that ask for no certificate. `lost`: keys such as "http.services.web".
// `provider` may stand behind a name, as in "web@docker". Answers the keys of those elements, each with the
// lost one.
std::map<std::string, std::string> users_of_lost_names(const model::Dynamic& own, std::string_view provider,
                                                       const std::set<std::string>& lost);

}  // namespace fairlead::providers::docker
