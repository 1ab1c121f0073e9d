#include "providers/docker/read_labels.h"

#include "engine/base/strings.h"
#include "engine/model/attach.h"
#include "engine/model/read.h"
#include "engine/model/short_labels.h"

namespace fairlead::providers::docker {

ReadLabels read_labels(const schema::Labels& labels, const std::string& source, const std::string& name,
                       const Settings& settings) {
  const schema::Origin origin{source, 0, 0};
  schema::Problems problems;
  schema::Node root = schema::read_labels(labels, source, problems);
  // `traefik.constraint-label` means something to the constraints alone.
  if (settings.constraints)
    std::erase_if(problems, [&](const schema::Problem& problem) {
      return problem.kind == schema::Problem::Kind::UnknownKey && settings.constraints->names(problem.path);
    });
  model::expand_short_labels(root, name, settings.short_labels, problems);
  ReadLabels out{read_own_labels(root, settings.swarm), model::read_dynamic(root, origin, settings.types)};
  // Said of a container that is not exposed, too: by this label it was meant to be, or not to be.
  std::erase_if(problems, [&](const schema::Problem& problem) {
    const bool is_enable =
        iequals(problem.suggestion, "traefik.enable") || iequals(problem.suggestion, "fairlead.enable");
    if (is_enable) out.own.warnings.push_back(model::reason_at(problem, origin));
    return is_enable;
  });
  for (const schema::Problem& problem : problems) model::attach(out.dynamic, problem, origin);
  return out;
}

}  // namespace fairlead::providers::docker
