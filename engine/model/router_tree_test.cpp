#include "engine/model/router_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::model {
namespace {

using Routers = std::map<std::string, Element<HttpRouter>>;

// {"child", {"parent", …}}, …
Routers routers(std::initializer_list<std::pair<std::string, std::vector<std::string>>> list) {
  Routers out;
  for (const auto& [name, parents] : list) out[name].options.parent_refs = parents;
  return out;
}

TEST(RouterTree, LeavesATreeAsItIs) {
  Routers all = routers({{"root", {}}, {"child", {"root"}}, {"grandchild", {"child"}}});

  settle_parents(all);

  for (const auto& [name, element] : all) EXPECT_TRUE(element.reasons.empty()) << name;
}

TEST(RouterTree, TakesOutTheLinkThatLeadsBackUp) {
  Routers all = routers({{"root", {}}, {"a", {"root", "b"}}, {"b", {"a"}}});

  settle_parents(all);

  EXPECT_EQ(all["a"].options.parent_refs, std::vector<std::string>{"root"});
  EXPECT_EQ(all["b"].options.parent_refs, std::vector<std::string>{"a"});
  ASSERT_EQ(all["a"].reasons.size(), 1u);
  EXPECT_FALSE(all["a"].broken());
  EXPECT_TRUE(all["b"].reasons.empty());
}

TEST(RouterTree, BreaksACircleThatNothingLeadsTo) {
  Routers all = routers({{"a", {"b"}}, {"b", {"a"}}, {"self", {"self"}}, {"below", {"a"}}});

  settle_parents(all);

  for (const auto& [name, element] : all) {
    EXPECT_TRUE(element.broken()) << name;
    EXPECT_FALSE(element.options.parent_refs.empty()) << name << " must not become one that stands alone";
  }
}

TEST(RouterTree, ARouterMayHaveSeveralParents) {
  Routers all = routers({{"x", {}}, {"y", {}}, {"both", {"x", "y"}}, {"below", {"both"}}});

  settle_parents(all);

  EXPECT_EQ(all["both"].options.parent_refs.size(), 2u);
  EXPECT_FALSE(all["below"].broken());
}

TEST(RouterTree, BreaksWhatIsNestedWithoutEnd) {
  Routers all;
  all["0"];
  for (int i = 1; i < 5000; ++i) all[std::to_string(i)].options.parent_refs = {std::to_string(i - 1)};

  settle_parents(all);

  EXPECT_FALSE(all["15"].broken());
  EXPECT_TRUE(all["4999"].broken());
}

// How many routers that are not broken lie in a row below `name`, which no chain of this test branches.
int in_a_row(const Routers& all, const std::string& name) {
  for (const auto& [child, element] : all)
    if (!element.broken() &&
        std::ranges::find(element.options.parent_refs, name) != element.options.parent_refs.end())
      return 1 + in_a_row(all, child);
  return 0;
}

TEST(RouterTree, BoundsTheDepthWhicheverRootIsSeenFirst) {
  // Each part of a long chain can also be reached from a root of its own, whose name comes before.
  Routers all;
  const auto link = [](int i) { return fmt::format("link{:02}", i); };
  all["root-last"];
  for (int i = 0; i < 60; ++i) {
    std::vector<std::string>& parents = all[link(i)].options.parent_refs;
    parents = {i == 0 ? "root-last" : link(i - 1)};
    if (i % 10 != 0) continue;
    const std::string root = fmt::format("a-root{:02}", 99 - i);
    all[root];
    parents.push_back(root);
  }

  settle_parents(all);

  EXPECT_LE(in_a_row(all, "root-last"), 16);
}

TEST(RouterTree, ACircleIsTakenOutOnceHoweverDeepItIsReached) {
  Routers all = routers({{"r1", {}}, {"r2", {}}, {"x", {"r2"}}, {"a", {"r1", "b"}}, {"b", {"a", "x"}}});

  settle_parents(all);

  EXPECT_EQ(all["a"].options.parent_refs, std::vector<std::string>{"r1"});
  EXPECT_EQ(all["b"].options.parent_refs, (std::vector<std::string>{"a", "x"}));
  EXPECT_EQ(all["a"].reasons.size(), 1u);
}

}  // namespace
}  // namespace fairlead::model
