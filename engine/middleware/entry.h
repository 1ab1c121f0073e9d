#pragma once

#include "engine/middleware/registry.h"
#include "engine/schema/option.h"
#include "engine/schema/read.h"

#include <concepts>
#include <memory>
#include <optional>
#include <utility>

// How a middleware class becomes a line of registry.cpp.
//
// The class names its option struct `Options`. It is built by a constructor that takes the options, or, when
// more can be wrong than the table checks, by
//   static Configured<std::shared_ptr<const M>> make(Options options, Making& making);
namespace fairlead::middleware {

namespace detail {

// The options below a type key as a tree that the reader takes: a key that may stand alone has no value.
// Nothing when its value switches it off (`compress=false`).
std::optional<schema::Node> without_value(const schema::Node& options, bool may_be_empty);
// The first thing that breaks the middleware; the others go to `notices`.
std::optional<ConfigError> sort_out(schema::Problems problems, schema::Problems& notices);
// Of what was written, for carry-over keys.
std::uint64_t hash_of(const schema::Node& options);

template <class M, bool may_be_empty>
std::shared_ptr<const void> read_options(const schema::Node& node, schema::Problems& problems) {
  auto options = std::make_shared<typename M::Options>();
  if (const auto tree = without_value(node, may_be_empty)) schema::read(*tree, *options, problems);
  return options;
}

template <class M, bool may_be_empty>
Configured<MiddlewarePtr> make(const schema::Node& node, Making& making) {
  const auto tree = without_value(node, may_be_empty);
  if (!tree) return misconfigured("", "is switched off, so it cannot be used");
  typename M::Options options{};
  schema::Problems problems;
  schema::read(*tree, options, problems);
  if (auto error = sort_out(std::move(problems), making.notices)) return std::unexpected(std::move(*error));
  making.options_hash = hash_of(*tree);
  if constexpr (requires { M::make(std::move(options), making); }) {
    auto made = M::make(std::move(options), making);
    if (!made) return std::unexpected(std::move(made.error()));
    return MiddlewarePtr(std::move(*made));
  } else {
    return std::make_shared<const M>(std::move(options));
  }
}

}  // namespace detail

// may_be_empty: `compress=true` and `compress: {}` mean all defaults.
template <class M, bool may_be_empty = false>
constexpr Type entry(const char* name, const char* sentence) {
  return {.name = name,
          .sentence = sentence,
          .make = &detail::make<M, may_be_empty>,
          .read = &detail::read_options<M, may_be_empty>,
          .options_type = &schema::type_of<typename M::Options>,
          .may_be_empty = may_be_empty};
}

constexpr Type deprecated(Type type, const char* replaced_by) {
  type.replaced_by = replaced_by;
  return type;
}

}  // namespace fairlead::middleware
