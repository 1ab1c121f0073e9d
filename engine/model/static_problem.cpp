#include "engine/model/static_problem.h"

#include <fmt/format.h>

#include <utility>

namespace fairlead::model {

schema::Problem& say(schema::Problems& problems, const schema::Node& root, schema::Severity severity,
                     schema::Path path, std::string what) {
  const schema::Node* node = &root;
  for (const std::string& segment : path) {
    const schema::Node* next = node->find_ignoring_case(segment);
    if (!next) break;
    node = next;
  }
  schema::Problem& problem = problems.emplace_back();
  problem.kind = schema::Problem::Kind::BadValue;
  problem.severity = severity;
  problem.path = fmt::format("{}", fmt::join(path, "."));
  problem.key = path.back();
  problem.origin = node->origin();
  problem.segments = std::move(path);
  problem.what = std::move(what);
  return problem;
}

}  // namespace fairlead::model
