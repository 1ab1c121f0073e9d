#pragma once

#include "engine/schema/option.h"

#include <cstdint>

namespace fairlead::model {

// A 64-bit hash of an options struct over the names and values of its rows: equal definitions hash equally,
// in every process. Key of state that survives a change of configuration.
std::uint64_t hash_options(const schema::TypeInfo& type, const void* object);

template <class T>
std::uint64_t hash_of(const T& object) {
  return hash_options(schema::type_of<T>(), &object);
}

}  // namespace fairlead::model
