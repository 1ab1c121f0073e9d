#include "engine/middleware/entry.h"

#include "engine/base/strings.h"

namespace fairlead::middleware::detail {

std::optional<schema::Node> without_value(const schema::Node& options, bool may_be_empty) {
  if (!options.has_value() || !may_be_empty) return options;
  if (!options.text().empty() && !iequals(options.text(), "true")) return std::nullopt;
  schema::Node tree = options;
  tree.become_map();
  tree.clear_value();
  return tree;
}

std::optional<ConfigError> sort_out(schema::Problems problems, schema::Problems& notices) {
  std::optional<ConfigError> first;
  for (schema::Problem& problem : problems) {
    if (problem.severity != schema::Severity::Error) {
      notices.push_back(std::move(problem));
      continue;
    }
    if (first) continue;
    first.emplace(join(problem.segments, "."), problem.what);
    if (!problem.suggestion.empty()) first->what += "; did you mean `" + problem.suggestion + "`?";
  }
  return first;
}

std::uint64_t hash_of(const schema::Node& options) {
  // Lengths in front keep ("ab", "c") and ("a", "bc") apart.
  const auto mix = [](std::string_view text, std::uint64_t seed) {
    return fnv1a(text, fnv1a(std::to_string(text.size()) + ':', seed));
  };
  std::uint64_t hash = mix(options.text(), fnv1a("node"));
  for (const schema::Node::Entry& entry : options.entries()) {
    hash = mix(lower(entry.key), hash);
    hash = mix(std::to_string(hash_of(entry.value)), hash);
  }
  return hash;
}

}  // namespace fairlead::middleware::detail
