#pragma once

#include "engine/schema/check.h"
#include "engine/schema/node.h"
#include "engine/schema/type.h"

#include <array>
#include <cstddef>
#include <type_traits>

// One table of options: a row per option, next to the struct it describes.
//
//   struct Cookie { std::string name; bool secure = false; int max_age = 0; };
//
//   template <>
//   inline constexpr auto fairlead::schema::options<Cookie> = fairlead::schema::table(
//       option<&Cookie::name>("name", "Name of the cookie."),
//       option<&Cookie::secure>("secure", "Send the cookie over HTTPS only."),
//       option<&Cookie::max_age>("maxAge", "Lifetime in seconds; 0 ends when the browser closes."));
//   static_assert(fairlead::schema::complete<Cookie>());
//
// Type and default come from the member, so the two cannot disagree. Labels, YAML, TOML, flags,
// environment, the API's JSON, --help and the printed reference all follow from the rows.
//
// Members may be: bool, int, std::int64_t, double, std::string, Duration, Node (left unread),
// std::optional<T> ("not set" differs from zero), std::vector<T>, std::map<std::string, T> (free
// names), and structs that have a table of their own.

namespace fairlead::schema {

// Specialised beside each struct.
template <class T>
inline constexpr auto options = nullptr;

template <std::size_t N>
struct Table {
  std::array<Option, N> rows;
};

namespace detail {

template <class S, class M>
M member_type(M S::*);
template <class S, class M>
S struct_type(M S::*);

// Stands for a member's initialiser when members are counted; never converted at run time.
struct Anything {
  template <class T>
  operator T() const;
};

template <class T, class... Args>
consteval std::size_t count_members() {
  if constexpr (requires { T{Args{}..., Anything{}}; })
    return count_members<T, Args..., Anything>();
  else
    return sizeof...(Args);
}

template <class T>
consteval auto rows_of() {
  static_assert(!std::is_same_v<decltype(options<T>), const std::nullptr_t>,
                "this struct has no table: specialise fairlead::schema::options for it");
  return &options<T>.rows;
}

}  // namespace detail

// A row. `name` is spelled exactly as Traefik spells it; `sentence` explains it to users.
template <auto Member>
constexpr Option option(const char* name, const char* sentence, Traits traits = {}) {
  using S = decltype(detail::struct_type(Member));
  using M = decltype(detail::member_type(Member));
  return Option{name, sentence, traits, &type_of<M>,
                [](void* object) -> void* { return &(static_cast<S*>(object)->*Member); }};
}

template <class... Rows>
constexpr auto table(Rows... rows) {
  return Table<sizeof...(Rows)>{{rows...}};
}

// Whether every member of the aggregate T has a row (rows are counted, so a member named twice and
// another forgotten would pass).
template <class T>
consteval bool complete() {
  static_assert(std::is_aggregate_v<T>);
  return options<T>.rows.size() == detail::count_members<T>();
}

}  // namespace fairlead::schema

#include "engine/schema/type_of.h"
