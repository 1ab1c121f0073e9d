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
      if (!states_.contains(name) && !element.broken())
        element.break_off(ReasonKind::BadOption,
                          "cannot be reached: its parentRefs lead to no router without parentRefs");
  }

 private:
  enum class State : unsigned char { Open, Done };

  void descend(const std::string& name, int depth) {
    states_[name] = State::Open;
    if (const auto below = children_.find(name); below != children_.end())
      for (const std::string& child : below->second) step(name, child, depth);
    states_[name] = State::Done;
  }

  void step(const std::string& name, const std::string& child, int depth) {
    const auto known = states_.find(child);
    if (known != states_.end() && known->second == State::Done) return;
    Element<HttpRouter>& element = routers_.find(child)->second;
    if (known != states_.end()) {
      // It was reached from above, so it keeps another parent.
      std::erase(element.options.parent_refs, name);
      element.warn(
          ReasonKind::BadOption,
          fmt::format("parentRefs: the router \"{}\" is below this one; the link is left out", name));
    } else if (depth >= kDeepestRouter) {
      states_[child] = State::Done;
      element.break_off(ReasonKind::BadOption, "parentRefs are nested too deeply");
    } else {
      descend(child, depth + 1);
    }
  }

  Routers& routers_;
  std::unordered_map<std::string, std::vector<std::string>> children_;
  std::unordered_map<std::string, State> states_;
};

}  // namespace

void settle_parents(std::map<std::string, Element<HttpRouter>>& routers) { Tree(routers).settle(); }

}  // namespace fairlead::model
