#pragma once

#include "engine/model/dynamic.h"
#include "engine/schema/problem.h"

#include <span>
#include <string_view>

namespace fairlead::model {

struct Static;

// One option that is declared and read, and that this version does not act upon. The path is the option's,
// with `*` for a free name; everything below it is meant too. This list (not_yet.cpp) is the only place to
// edit when a capability lands.
struct NotYet {
  std::string_view path;  // "http.serversTransports.*.spiffe"
  bool breaks = false;    // serving without it would be unsafe: the element is broken, its routers answer 503
  bool out_of_scope = false;      // never will: an area that exists in Traefik only
  const char* refusal = nullptr;  // of one that breaks: what does not work any more
};

std::span<const NotYet> not_yet();

// Marks the elements that set such an option.
void mark_not_yet(Dynamic& dynamic);
// Notices for the install configuration.
void report_not_yet(const Static& install, schema::Problems& problems);

}  // namespace fairlead::model
