#pragma once

#include "providers/docker/container.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::providers::docker {

// Traefik's constraints: Label("key", "value"), LabelRegex("key", "expression"), &&, ||, !, parentheses.
// An absent label counts as empty; an invalid regular expression never matches.
class Constraints {
 public:
  Constraints() = default;  // no expression: true for all

  // The error says what was expected and where (a byte offset).
  static std::expected<Constraints, std::string> parse(std::string_view text);

  bool allow(const Labels& labels) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
};

}  // namespace fairlead::providers::docker
