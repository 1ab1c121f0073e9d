#pragma once

#include "engine/base/result.h"
#include "engine/exchange/carry_over.h"
#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"
#include "engine/schema/node.h"
#include "engine/schema/problem.h"
#include "engine/schema/type.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

using MiddlewarePtr = std::shared_ptr<const exchange::Middleware>;

// What a middleware may ask for while it is built, on the control thread.
struct Making {
  std::string name;  // qualified: "auth@docker"
  exchange::CarryOver& carry_over;
  // Another element of the configuration, relative to this middleware's provider; null when it does not exist
  // or is broken. For `errors` and `chain`.
  std::function<std::shared_ptr<const exchange::Service>(std::string_view)> service;
  std::function<Configured<MiddlewarePtr>(std::string_view)> middleware;
  // Qualified names of the chains that this one is made for, outermost first. Whoever makes a member of a
  // chain hands on this list with the chain's own name behind it: that is how recursion is seen.
  std::vector<std::string> outer_chains{};
  // Identifies the options in carry-over keys: equal options keep their state. Set by make().
  std::uint64_t options_hash = 0;
  // What is worth saying about a middleware that works: deprecated options and the like. Filled by make().
  schema::Problems notices{};
};

// One kind of middleware: the line of registry.cpp.
struct Type {
  const char* name;  // exactly Traefik's: "addPrefix"
  const char* sentence;
  // Reads and checks the options and builds it. Errors name the option: {"prefix", "must start with a
  // slash"}.
  Configured<MiddlewarePtr> (*make)(const schema::Node& options, Making& making);
  // Only reads: an object described by options_type(), with all defaults in place. For the API.
  std::shared_ptr<const void> (*read)(const schema::Node& options, schema::Problems& problems);
  const schema::TypeInfo& (*options_type)();  // the option table, for the printed reference
  bool may_be_empty = false;                  // `compress=true` and `compress: {}` mean all defaults
  const char* replaced_by = nullptr;          // deprecated: the type to use instead
};

// In alphabetical order.
std::span<const Type> types();
// The names alone, in the same order.
std::span<const std::string_view> type_names();
// By name, compared without case; null when there is none.
const Type* find(std::string_view name);

}  // namespace fairlead::middleware
