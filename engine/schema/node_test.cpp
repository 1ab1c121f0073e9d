#include "engine/schema/node.h"

#include <gtest/gtest.h>

#include <memory>

namespace fairlead::schema {
namespace {

Node map_of(std::initializer_list<std::pair<const char*, Node>> entries) {
  Node out = Node::map();
  for (const auto& [key, value] : entries) out.add(key, value);
  return out;
}

TEST(Node, FindsOptionNamesWithoutRegardToCase) {
  const Node node = map_of({{"entryPoints", Node::scalar("web")}});

  EXPECT_NE(node.find_ignoring_case("ENTRYPOINTS"), nullptr);
  EXPECT_EQ(node.find("entrypoints"), nullptr);
}

TEST(Node, KeepsAValueBesideItsChildren) {
  Node node = Node::scalar("true");
  node.child("certresolver").set_value("le");

  EXPECT_TRUE(node.is_map());
  EXPECT_EQ(node.text(), "true");
  EXPECT_EQ(node.find("certresolver")->text(), "le");
}

TEST(Node, AMapThatBecomesAListIsItsFirstElement) {
  Node node = map_of({{"main", Node::scalar("a.example")}});
  node.become_list();

  ASSERT_EQ(node.size(), 1u);
  EXPECT_EQ(node.entries()[0].value.find("main")->text(), "a.example");
}

TEST(Merge, LaysOneMapOverAnotherKeyByKey) {
  const Node base =
      map_of({{"log", map_of({{"level", Node::scalar("INFO")}, {"format", Node::scalar("json")}})}});
  const Node over =
      map_of({{"Log", map_of({{"LEVEL", Node::scalar("DEBUG")}})}, {"ping", Node::scalar("true")}});

  const Node merged = merge(base, over);

  EXPECT_EQ(merged,
            map_of({{"log", map_of({{"level", Node::scalar("DEBUG")}, {"format", Node::scalar("json")}})},
                    {"ping", Node::scalar("true")}}));
}

TEST(Merge, ANameIsMeantAsAFlagSpellsItNotAsAVariable) {
  const auto named = [](const char* name, Format format) {
    Node option = map_of({{"address", Node::scalar(":80")}});
    option.set_place(std::make_shared<const Place>(Place{{}, {}, format}));
    return map_of({{name, option}});
  };
  const Node variable = named("websecure", Format::Environment);

  EXPECT_EQ(merge(variable, named("webSecure", Format::Flag)).entries()[0].key, "webSecure");
  EXPECT_EQ(merge(named("webSecure", Format::Yaml), variable).entries()[0].key, "webSecure");
  EXPECT_EQ(merge(named("webSecure", Format::Yaml), named("WEBSECURE", Format::Flag)).entries()[0].key,
            "webSecure");
}

TEST(Merge, ReplacesListsAndScalars) {
  Node one = Node::list();
  one.push(Node::scalar("a"));
  Node two = Node::list();
  two.push(Node::scalar("b"));

  EXPECT_EQ(merge(one, two), two);
  EXPECT_EQ(merge(one, Node()), one);
  EXPECT_EQ(merge(Node::scalar("x"), one), one);
}

TEST(Merge, ASwitchUponAMapKeepsTheChildren) {
  const Node base = map_of({{"dashboard", Node::scalar("false")}});

  Node merged = merge(base, Node::scalar("true"));

  EXPECT_EQ(merged.text(), "true");
  EXPECT_EQ(merged.find("dashboard")->text(), "false");
}

TEST(Merge, ChildrenSwitchOnWhatALowerSourceSwitchedOff) {
  Node base = map_of({{"dashboard", Node::scalar("true")}});
  base.set_value("false");

  EXPECT_FALSE(merge(base, map_of({{"insecure", Node::scalar("true")}})).has_value());
}

TEST(Origin, NamesLineAndColumnWhereTheSourceHasThem) {
  EXPECT_EQ((Origin{"a.yml", 3, 7}).text(), "a.yml:3:7");
  EXPECT_EQ((Origin{"container shop-1"}).text(), "container shop-1");
}

}  // namespace
}  // namespace fairlead::schema
