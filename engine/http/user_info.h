#pragma once

#include <string>
#include <string_view>

namespace fairlead::http {

// "redis://user:password@host" as "redis://xxxx@host", wherever in the text it stands: for logs and dumps.
std::string without_user_info(std::string_view text);

// The same for a text that should be a URL, also where the scheme is what it lacks.
std::string url_without_user_info(std::string_view url);

}  // namespace fairlead::http
