#pragma once

#include "providers/docker/container.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers::docker {

// Traefik's constraints: Label("key", "value"), LabelRegex("key", "expression"), &&, ||, !, parentheses.
// An absent label counts as empty; an invalid regular expression never matches.
class Constraints {
 public:
  Constraints() = default;  // no expression: true for all

  // The error says what was expected and where (a byte offset).
  static std::expected<Constraints, std::string> parse(std::string_view text);

  bool allow(const Labels& labels) const;
  // Whether the expression asks for the label of that key.
  bool names(std::string_view key) const;
  // Regular expressions of it that are invalid, and why.
  const std::vector<std::string>& complaints() const { return complaints_; }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  std::vector<std::string> complaints_;
};

}  // namespace fairlead::providers::docker
