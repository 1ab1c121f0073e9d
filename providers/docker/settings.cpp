#include "providers/docker/settings.h"

#include <spdlog/spdlog.h>

namespace fairlead::providers::docker {
namespace {

template <class Options>
Configured<Settings> common(const Options& options, const model::MiddlewareTypes& types,
                            const model::ShortLabelDefaults& short_labels, const std::string& path) {
  Settings out;
  out.exposed_by_default = options.exposed_by_default;
  out.allow_empty_services = options.allow_empty_services;
  out.types = types;
  out.short_labels = short_labels;
  if (!options.default_rule.empty()) {
    auto rule = Template::parse(options.default_rule);
    if (!rule) return misconfigured(path + ".defaultRule", rule.error());
    out.default_rule = std::move(*rule);
  }
  if (auto constraints = Constraints::parse(options.constraints)) {
    for (const std::string& complaint : constraints->complaints())
      spdlog::error("{}.constraints: {}", path, complaint);
    out.constraints = std::move(*constraints);
  } else {
    spdlog::error("{}.constraints: {}; no container is exposed", path, constraints.error());
    out.constraints.reset();
  }
  return out;
}

}  // namespace

Configured<Settings> make_settings(const model::DockerProvider& options, const model::MiddlewareTypes& types,
                                   const model::ShortLabelDefaults& short_labels) {
  auto out = common(options, types, short_labels, "providers.docker");
  if (!out) return out;
  out->forget_stopped = options.forget_stopped;
  out->remember_removed = options.remember_removed;
  return out;
}

Configured<Settings> make_settings(const model::SwarmProvider& options, const model::MiddlewareTypes& types,
                                   const model::ShortLabelDefaults& short_labels) {
  auto out = common(options, types, short_labels, "providers.swarm");
  if (!out) return out;
  out->swarm = true;
  return out;
}

}  // namespace fairlead::providers::docker
