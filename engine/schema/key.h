#pragma once

#include "engine/schema/node.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::schema {

// One dotted segment of a label or flag: `domains[0]` is the name `domains` with the index `0`.
struct Segment {
  std::string_view name;
  std::optional<std::string_view> index;
};

struct Key {
  std::vector<Segment> segments;  // as far as they are good
  std::string complaint;          // empty when all are
};

// Splits at dots. Empty segments, a leading `[`, a `]` without `[` and more than 32 segments are
// complaints. The views point into `text`.
Key split_key(std::string_view text);

// "domains[0]"
std::string spell(const Segment& segment);

// Goes down from `root`, making maps and lists on the way; what is made gets `place`. Keys equal
// ignoring case are one child, with its first spelling. `domains.main` beside `domains[0].main` is
// the element without an index.
Node& descend(Node& root, const std::vector<Segment>& segments, const std::shared_ptr<const Place>& place);

}  // namespace fairlead::schema
