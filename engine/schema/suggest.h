#pragma once

#include "engine/schema/type.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::schema {

// Damerau-Levenshtein distance (insert, delete, replace, swap neighbours), ASCII case ignored.
// Texts beyond 64 characters count as far apart.
std::size_t distance(std::string_view a, std::string_view b);

// The nearest valid spelling for `written` (dotted, relative to the struct `type`), or empty when
// nothing is near. Looks at every option below the struct, so that `prot` finds `server.port`.
// as_label: lower case and aliases, the way labels are usually written.
std::string nearest_option(const TypeInfo& type, std::string_view written, bool as_label);

// An option of that exact ending somewhere else in the table of `root`, with `<name>` for free
// names: `certresolver` finds `http.routers.<name>.tls.certResolver`. Empty when there is none.
std::string same_option_elsewhere(const TypeInfo& root, std::string_view written, bool as_label);

// The nearest of "a|b|c", or empty.
std::string nearest_choice(std::string_view choices, std::string_view written);

// Whether `written` is several segments that lead to an option below the struct: `providers.file`.
bool is_dotted_option(const TypeInfo& type, std::string_view written);

// How such a key is written in a file: "`file` below `providers`".
std::string nested(std::string_view dotted);

// Every dotted spelling below a type, structs included, to a depth of 10; free names print as `<name>`.
std::vector<std::string> spellings(const TypeInfo& type, bool as_label, bool through_free_names);

}  // namespace fairlead::schema
