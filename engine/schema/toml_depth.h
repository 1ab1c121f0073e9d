#pragma once

#include <cstddef>
#include <string_view>

namespace fairlead::schema {

// How many tables the keys of one TOML statement open inside each other at most, in headers, dotted keys and
// inline tables. toml++ bounds the depth of values but not that of `a.a.a…`, and destroys what it made of it
// recursively: such a text must not reach it.
std::size_t deepest_toml_key(std::string_view text);

}  // namespace fairlead::schema
