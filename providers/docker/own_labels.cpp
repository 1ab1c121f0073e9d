#include "providers/docker/own_labels.h"

#include "engine/model/attach.h"
#include "engine/schema/read.h"
#include "engine/schema/scalar.h"

#include <fmt/format.h>

namespace fairlead::providers::docker {
namespace {

void read_placement(const schema::Node& root, std::string_view key, OwnLabels& out) {
  const schema::Node* node = root.find_ignoring_case(key);
  if (node == nullptr) return;
  schema::Problems problems;
  schema::read(*node, out.placement, problems, {std::string(key)});
  for (const schema::Problem& problem : problems) out.warnings.push_back(model::reason_at(problem, {}));
}

}  // namespace

OwnLabels read_own_labels(const schema::Node& root, bool swarm) {
  OwnLabels out;
  if (const schema::Node* enable = root.find_ignoring_case("enable")) {
    out.enable = schema::parse_bool(enable->text());
    if (!out.enable) {
      out.enable_is_bad = true;
      out.warnings.push_back({model::ReasonKind::BadOption,
                              fmt::format("{} ({}): expected true or false, got \"{}\"; not exposed",
                                          enable->label(), enable->source(), schema::clip(enable->text())),
                              {},
                              false});
    }
  }
  read_placement(root, "docker", out);
  if (swarm) read_placement(root, "swarm", out);
  return out;
}

}  // namespace fairlead::providers::docker
