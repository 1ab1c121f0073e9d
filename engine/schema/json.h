#pragma once

#include "engine/schema/option.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace fairlead::schema {

// Writes an object as Traefik's API shows it: option names, durations as "30s", rows in table order,
// free names sorted; what is unset or empty is left out unless its row says `always` (a struct that
// is no optional always shows); secrets read "xxxx".
void write_json(const TypeInfo& type, const void* object, nlohmann::ordered_json& out);

template <class T>
void write_json(const T& object, nlohmann::ordered_json& out) {
  write_json(type_of<T>(), &object, out);
}

// The same as text, without line ends.
std::string json_text(const TypeInfo& type, const void* object);

template <class T>
std::string json_text(const T& object) {
  return json_text(type_of<T>(), &object);
}

// A tree as JSON. Every scalar is a string, since only a table knows its type.
void write_node(const Node& node, nlohmann::ordered_json& out);
std::string node_text(const Node& node);

}  // namespace fairlead::schema
