#pragma once

#include "engine/model/router_tls.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

// What is recorded about a router's requests; unset values come from the entry point.
struct RouterObservability {
  std::optional<bool> access_logs;
  std::optional<bool> metrics;
  std::optional<bool> tracing;
  std::optional<std::string> trace_verbosity;  // minimal, detailed

  bool operator==(const RouterObservability&) const = default;
};

struct HttpRouter {
  std::vector<std::string> entry_points;
  std::vector<std::string> middlewares;
  std::string service;
  std::string rule;
  std::vector<std::string> parent_refs;
  std::string rule_syntax;    // v3, v2, default
  std::int64_t priority = 0;  // 0: length of the rule in bytes
  std::optional<RouterTls> tls;
  std::optional<RouterObservability> observability;

  bool operator==(const HttpRouter&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::RouterObservability> = table(
    option<&model::RouterObservability::access_logs>("accessLogs", "Write access log lines for this router."),
    option<&model::RouterObservability::metrics>("metrics", "Count this router's requests."),
    option<&model::RouterObservability::tracing>("tracing", "Trace this router's requests."),
    option<&model::RouterObservability::trace_verbosity>(
        "traceVerbosity", "Detail of traces: minimal or detailed.", {.choices = "minimal|detailed"}));
static_assert(fairlead::schema::complete<fairlead::model::RouterObservability>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HttpRouter> = table(
    option<&model::HttpRouter::entry_points>("entryPoints",
                                             "Entry points that serve this router; the default ones "
                                             "when unset."),
    option<&model::HttpRouter::middlewares>("middlewares", "Middlewares in the order they are executed."),
    option<&model::HttpRouter::service>("service",
                                        "Service that answers; the only one of the container when unset."),
    option<&model::HttpRouter::rule>("rule", "Which requests the router takes."),
    option<&model::HttpRouter::parent_refs>("parentRefs", "Parent routers of a router that refines them."),
    option<&model::HttpRouter::rule_syntax>(
        "ruleSyntax", "Rule language: v3, v2 or default.",
        {.deprecated = true, .replaced_by = "a rule of the v3 language, and leave this out"}),
    option<&model::HttpRouter::priority>("priority", "Higher comes first; 0 means the length of the rule."),
    option<&model::HttpRouter::tls>("tls", "Serves the router over HTTPS only.", {.allow_empty = true}),
    option<&model::HttpRouter::observability>("observability",
                                              "What is recorded about the router's requests."));
static_assert(fairlead::schema::complete<fairlead::model::HttpRouter>());
