#pragma once

#include "engine/schema/node.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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

// Where the children of one tree's nodes stand, for readers of very many keys: a node itself looks through
// all of its children for one. Whoever uses it makes every node of the tree through it.
class ChildIndex {
 public:
  Node& child(Node& parent, std::string_view name);
  Node& element(Node& parent, std::string_view index);  // makes the parent a list
  void begin() { path_.clear(); }                       // at the root again

 private:
  void index_again(const Node& node, const std::string& path);

  std::string path_;                                 // of the node reached last, in lower case
  std::unordered_map<std::string, std::size_t> at_;  // position among its parent's children, by path
};

// Goes down from `root`, making maps and lists on the way; what is made gets `place`. Keys equal
// ignoring case are one child, with its first spelling. `domains.main` beside `domains[0].main` is
// the element without an index.
Node& descend(Node& root, const std::vector<Segment>& segments, const std::shared_ptr<const Place>& place,
              ChildIndex* index = nullptr);

// Goes down to what the last segment stands in. So a list that is empty, as one of a variable of Compose that
// nobody set, says that its section is there and nothing of the list itself.
void descend_to_section(Node& root, std::vector<Segment> segments, const std::shared_ptr<const Place>& place);

}  // namespace fairlead::schema
