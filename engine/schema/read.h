#pragma once

#include "engine/schema/option.h"
#include "engine/schema/problem.h"

namespace fairlead::schema {

// Fills `object` with what is good in `node` and appends one problem for each thing that is not.
// What the node does not mention keeps its value. `prefix` is where the node stands in the whole
// tree; it begins the segments of each problem.
void read_into(const Node& node, const TypeInfo& type, void* object, Problems& problems, Path prefix = {});

template <class T>
void read(const Node& node, T& out, Problems& problems, Path prefix = {}) {
  read_into(node, type_of<T>(), &out, problems, std::move(prefix));
}

}  // namespace fairlead::schema
