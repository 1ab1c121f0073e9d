#pragma once

#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

// The one place where C++ types become TypeInfo; everything that walks them is ordinary code.

namespace fairlead::schema {
namespace detail {

template <class T>
struct Shape {
  static constexpr bool is_struct = true;
  static std::span<const Option> rows() { return *rows_of<T>(); }
  static const void* defaults() {
    static const T object{};
    return &object;
  }
  static constexpr TypeInfo info{.kind = TypeKind::Struct, .rows = &rows, .defaults = &defaults};
};

template <TypeKind K>
struct Plain {
  static constexpr TypeInfo info{.kind = K};
};
template <>
struct Shape<bool> : Plain<TypeKind::Bool> {};
template <>
struct Shape<int> : Plain<TypeKind::Int> {};
template <>
struct Shape<std::int64_t> : Plain<TypeKind::Int64> {};
template <>
struct Shape<double> : Plain<TypeKind::Real> {};
template <>
struct Shape<std::string> : Plain<TypeKind::Text> {};
template <>
struct Shape<Duration> : Plain<TypeKind::Duration> {};
template <>
struct Shape<Node> : Plain<TypeKind::Raw> {};

template <class E>
struct Shape<std::optional<E>> {
  using O = std::optional<E>;
  static void* make(void* object, std::string_view) {
    O& o = *static_cast<O*>(object);
    return o ? &*o : &o.emplace();
  }
  static void clear(void* object) { static_cast<O*>(object)->reset(); }
  static std::size_t size(const void* object) { return static_cast<const O*>(object)->has_value() ? 1 : 0; }
  static void each(const void* object, void* context, TypeInfo::Visit visit) {
    if (const O& o = *static_cast<const O*>(object)) visit(context, {}, &*o);
  }
  static constexpr TypeInfo info{.kind = TypeKind::Optional,
                                 .element = &type_of<E>,
                                 .make = &make,
                                 .clear = &clear,
                                 .size = &size,
                                 .each = &each};
};

template <class E>
struct Shape<std::vector<E>> {
  static_assert(!std::is_same_v<E, bool>, "std::vector<bool> has no addressable elements");
  using V = std::vector<E>;
  static void* make(void* object, std::string_view) { return &static_cast<V*>(object)->emplace_back(); }
  static void clear(void* object) { static_cast<V*>(object)->clear(); }
  static std::size_t size(const void* object) { return static_cast<const V*>(object)->size(); }
  static void each(const void* object, void* context, TypeInfo::Visit visit) {
    for (const E& element : *static_cast<const V*>(object)) visit(context, {}, &element);
  }
  static constexpr TypeInfo info{.kind = TypeKind::List,
                                 .element = &type_of<E>,
                                 .make = &make,
                                 .clear = &clear,
                                 .size = &size,
                                 .each = &each};
};

template <class E, class Less>
struct Shape<std::map<std::string, E, Less>> {
  using M = std::map<std::string, E, Less>;
  static void* make(void* object, std::string_view key) {
    M& m = *static_cast<M*>(object);
    return &m.try_emplace(m.end(), std::string(key))->second;
  }
  static void clear(void* object) { static_cast<M*>(object)->clear(); }
  static std::size_t size(const void* object) { return static_cast<const M*>(object)->size(); }
  static void each(const void* object, void* context, TypeInfo::Visit visit) {
    for (const auto& [key, element] : *static_cast<const M*>(object)) visit(context, key, &element);
  }
  static constexpr TypeInfo info{.kind = TypeKind::Map,
                                 .element = &type_of<E>,
                                 .make = &make,
                                 .clear = &clear,
                                 .size = &size,
                                 .each = &each};
};

}  // namespace detail

template <class T>
const TypeInfo& type_of() {
  return detail::Shape<T>::info;
}

}  // namespace fairlead::schema
