#pragma once

#include "engine/schema/check.h"

#include <cstddef>
#include <span>
#include <string_view>

namespace fairlead::schema {

// How many users meet an option: T1 most, T2 a minority, T3 few.
enum class Tier : unsigned char { T1, T2, T3 };

// What a row says besides name and sentence. All members have defaults; name only what applies.
struct Traits {
  Check check = nullptr;
  const char* choices = nullptr;      // "wrr|p2c|hrw": the only texts allowed, compared exactly
  bool secret = false;                // printed as "xxxx" in JSON
  bool allow_empty = false;           // a struct that `key=true`, `key=` or `{}` creates with its defaults
  bool not_in_labels = false;         // a label of that name is reported and left out
  bool deprecated = false;            // works, and is reported with `replaced_by`
  bool not_yet = false;               // read and reported as not yet in effect
  bool out_of_scope = false;          // accepted with a notice; has no effect
  const char* refusal = nullptr;      // for out_of_scope: what that keeps from working
  bool always = false;                // in JSON even when empty (Go: no omitempty)
  bool hidden_in_json = false;        // never in JSON (Go: json:"-")
  const char* alias = nullptr;        // second spelling; in labels the usual one: `server` for `servers`
  const char* replaced_by = nullptr;  // for deprecated: what to write instead
  Tier tier = Tier::T1;
};

enum class TypeKind : unsigned char {
  Bool,
  Int,
  Int64,
  Real,
  Text,
  Duration,
  Raw,
  Struct,
  Optional,
  List,
  Map
};

struct Option;

// A C++ type as the readers and writers see it: what it is and how to reach into it.
struct TypeInfo {
  TypeKind kind;
  const TypeInfo& (*element)() = nullptr;       // of Optional, List, Map
  std::span<const Option> (*rows)() = nullptr;  // of Struct
  const void* (*defaults)() = nullptr;          // of Struct: one default-constructed object
  void* (*make)(void* object,
                std::string_view key) = nullptr;  // Optional: engage; List: append; Map: entry of that name
  void (*clear)(void* object) = nullptr;          // of Optional, List, Map
  std::size_t (*size)(const void* object) = nullptr;  // of Optional (0 or 1), List, Map
  // Calls visit(context, key, element) for each element, in order; key is empty but in maps.
  using Visit = void (*)(void* context, std::string_view key, const void* element);
  void (*each)(const void* object, void* context, Visit visit) = nullptr;
};

// A row of a table.
struct Option {
  const char* name;
  const char* sentence;
  Traits traits;
  const TypeInfo& (*type)();
  void* (*member)(void* object);

  const void* of(const void* object) const { return member(const_cast<void*>(object)); }
};

template <class T>
const TypeInfo& type_of();  // defined in type_of.h

}  // namespace fairlead::schema
