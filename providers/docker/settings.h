#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/model/dynamic.h"
#include "engine/model/providers.h"
#include "engine/model/short_labels.h"
#include "providers/docker/constraints.h"
#include "providers/template.h"

#include <optional>
#include <string>

namespace fairlead::providers::docker {

// The options of providers.docker (or swarm) that decide what a container becomes, ready for use.
struct Settings {
  bool swarm = false;
  bool exposed_by_default = true;
  bool allow_empty_services = false;
  bool forget_stopped = false;
  Duration remember_removed = std::chrono::seconds(30);
  std::optional<Template> default_rule;                    // unset: routers need rules of their own
  std::optional<Constraints> constraints = Constraints();  // unset: its text is wrong, nothing is exposed
  model::MiddlewareTypes types;
  model::ShortLabelDefaults short_labels;
};

// Fails when the default rule is no template that can be read. Unreadable constraints are logged and let
// nothing pass, as in Traefik.
Configured<Settings> make_settings(const model::DockerProvider& options, const model::MiddlewareTypes& types,
                                   const model::ShortLabelDefaults& short_labels);
Configured<Settings> make_settings(const model::SwarmProvider& options, const model::MiddlewareTypes& types,
                                   const model::ShortLabelDefaults& short_labels);

}  // namespace fairlead::providers::docker
