#pragma once

#include "engine/exchange/carry_over.h"
#include "engine/model/http.h"
#include "engine/schema/node.h"
#include "engine/schema/problem.h"
#include "engine/schema/type.h"
#include "engine/tcp/middleware.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::tcp {

// What a middleware may ask for while it is built, on the control thread.
struct Making {
  std::string name;  // qualified: "few@docker"
  exchange::CarryOver& carry_over;
  std::uint64_t options_hash = 0;  // equal options keep their state; set by make()
  schema::Problems notices{};      // what is worth saying about one that works; filled by make()
};

// One kind of TCP middleware: a line of registry.cpp.
struct Type {
  const char* name;  // exactly Traefik's: "inFlightConn"
  const char* sentence;
  // Errors name the option.
  Configured<MiddlewarePtr> (*make)(const schema::Node& options, Making& making);
  // Only reads: an object described by options_type(), with all defaults in place. For the API.
  std::shared_ptr<const void> (*read)(const schema::Node& options, schema::Problems& problems);
  const schema::TypeInfo& (*options_type)();
  const char* replaced_by = nullptr;  // deprecated: the type to use instead
};

// In alphabetical order.
std::span<const Type> types();
// The names alone, in the same order.
std::span<const std::string_view> type_names();
// By name, compared without case; null when there is none.
const Type* find(std::string_view name);
// The options of a middleware as JSON, with all defaults: for the API.
std::string options_json(const model::Middleware& middleware);

}  // namespace fairlead::tcp
