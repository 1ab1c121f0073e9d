#include "engine/schema/key.h"

#include <fmt/format.h>

namespace fairlead::schema {
namespace {

constexpr std::size_t kMaxSegments = 32;

Node& element(Node& list, std::string_view index) {
  list.become_list();
  for (Node::Entry& entry : list.entries())
    if (entry.key == index) return entry.value;
  return list.entries().emplace_back(std::string(index), Node()).value;
}

}  // namespace

Key split_key(std::string_view text) {
  Key key;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    if (key.segments.size() == kMaxSegments) {
      key.complaint = fmt::format("has more than {} segments", kMaxSegments);
      return key;
    }
    if (part.empty()) {
      key.complaint = "has an empty segment (a dot too many)";
      return key;
    }
    if (part.front() == '[') {
      key.complaint = fmt::format(
          "segment `{}` begins with a bracket; an index follows a name, as in `domains[0]`", part);
      return key;
    }
    const std::size_t bracket = part.find('[');
    if (part.back() == ']' && bracket == std::string_view::npos) {
      key.complaint = fmt::format("segment `{}` has a `]` without `[`", part);
      return key;
    }
    if (part.back() == ']')
      key.segments.push_back({part.substr(0, bracket), part.substr(bracket + 1, part.size() - bracket - 2)});
    else
      key.segments.push_back({part, std::nullopt});
    if (dot == std::string_view::npos) return key;
    text.remove_prefix(dot + 1);
  }
}

std::string spell(const Segment& segment) {
  return segment.index ? fmt::format("{}[{}]", segment.name, *segment.index) : std::string(segment.name);
}

Node& ChildIndex::child(Node& parent, std::string_view name) {
  path_ += '.';
  path_ += lower(name);
  const auto [found, is_new] = at_.try_emplace(path_, parent.size());
  return is_new ? parent.add(std::string(name), Node()) : parent.entries()[found->second].value;
}

Node& ChildIndex::element(Node& parent, std::string_view index) {
  if (!parent.is_list()) {
    parent.become_list();  // what it had is its first element now
    index_again(parent, path_);
  }
  path_ += fmt::format("[{}]", index);
  const auto [found, is_new] = at_.try_emplace(path_, parent.size());
  if (is_new) return parent.entries().emplace_back(std::string(index), Node()).value;
  return parent.entries()[found->second].value;
}

void ChildIndex::index_again(const Node& node, const std::string& path) {
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Node::Entry& entry = node.entries()[i];
    const std::string below = node.is_list() ? fmt::format("{}[{}]", path, entry.key)
                                             : fmt::format("{}.{}", path, lower(entry.key));
    at_[below] = i;
    index_again(entry.value, below);
  }
}

Node& descend(Node& root, const std::vector<Segment>& segments, const std::shared_ptr<const Place>& place,
              ChildIndex* index) {
  Node* at = &root;
  if (index) index->begin();
  const auto to_element = [&](std::string_view number) {
    at = index ? &index->element(*at, number) : &element(*at, number);
  };
  const auto mark = [&place](Node& node) {
    if (!node.place()) node.set_place(place);
  };
  for (const Segment& segment : segments) {
    if (at->is_list()) to_element({});
    if (!at->is_map()) at->become_map();
    at = index ? &index->child(*at, segment.name) : &at->child(segment.name);
    mark(*at);
    if (segment.index) {
      to_element(*segment.index);
      mark(*at);
    }
  }
  return *at;
}

void descend_to_section(Node& root, std::vector<Segment> segments,
                        const std::shared_ptr<const Place>& place) {
  segments.pop_back();
  Node& section = descend(root, segments, place);
  if (section.is_null()) section.become_map();
}

}  // namespace fairlead::schema
