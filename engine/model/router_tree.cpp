#include "engine/model/router_tree.h"

#include <fmt/format.h>

#include <unordered_map>
#include <vector>

namespace fairlead::model {
namespace {

// A sane nesting is two or three deep.
constexpr int kDeepestRouter = 16;

class Tree {
 public:
  using Routers = std::map<std::string, Element<HttpRouter>>;

  explicit Tree(Routers& routers) : routers_(routers) {
    for (const auto& [name, element] : routers)
      for (const std::string& parent : element.options.parent_refs) children_[parent].push_back(name);
  }

  void settle() {
    if (children_.empty()) return;
    for (const auto& [name, element] : routers_)
      if (element.options.parent_refs.empty()) descend(name, 0);
    for (auto& [name, element] : routers_)
      if (!seen_.contains(name) && !element.broken())
        element.break_off(ReasonKind::BadOption,
                          "cannot be reached: its parentRefs lead to no router without parentRefs");
  }

 private:
  struct Seen {
    bool open = false;  // on the way down from a root just now
    int depth = -1;     // the greatest at which it was reached
  };

  void descend(const std::string& name, int depth) {
    Seen& seen = seen_[name];  // stays where it is when the map grows
    seen = {.open = true, .depth = depth};
    if (const auto below = children_.find(name); below != children_.end())
      std::erase_if(below->second, [&](const std::string& child) { return !step(name, child, depth); });
    seen.open = false;
  }

  // False: the link is left out. Whoever is reached anew, and deeper than before, takes those below it along.
  bool step(const std::string& name, const std::string& child, int depth) {
    Seen& seen = seen_[child];
    Element<HttpRouter>& element = routers_.find(child)->second;
    if (seen.open) {
      // It was reached from above, so it keeps another parent.
      std::erase(element.options.parent_refs, name);
      element.warn(
          ReasonKind::BadOption,
          fmt::format("parentRefs: the router \"{}\" is below this one; the link is left out", name));
      return false;
    }
    if (seen.depth > depth) return true;
    if (depth < kDeepestRouter) {
      descend(child, depth + 1);
    } else {
      seen.depth = depth + 1;
      element.break_off(ReasonKind::BadOption, "parentRefs are nested too deeply");
    }
    return true;
  }

  Routers& routers_;
  std::unordered_map<std::string, std::vector<std::string>> children_;
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace

void settle_parents(std::map<std::string, Element<HttpRouter>>& routers) { Tree(routers).settle(); }

}  // namespace fairlead::model
