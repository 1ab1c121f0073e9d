#include "engine/schema/file.h"
#include "engine/schema/json.h"

#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

std::string toml(std::string_view text) {
  const auto node = read_toml(text, "f.toml");
  return node ? node_text(*node) : node.error().path + ": " + node.error().what;
}

TEST(Toml, BecomesATreeOfTexts) {
  EXPECT_EQ(
      toml("[http.routers.web]\nrule = \"r\"\npriority = 7\n[http.routers.web.tls]\n"
           "[[http.services.s.loadBalancer.servers]]\nurl = 'http://a'\nweight = 2\n"),
      R"x({"http":{"routers":{"web":{"priority":"7","rule":"r","tls":{}}},"services":{"s":{"loadBalancer":)x"
      R"x({"servers":[{"url":"http://a","weight":"2"}]}}}}})x");
  EXPECT_EQ(toml("a = true\nb = 1.5\nc = [1, 2]\nd = 0x10\ne = 1_000\n"),
            R"({"a":"true","b":"1.5","c":["1","2"],"d":"16","e":"1000"})");
}

TEST(Toml, ErrorsNameLineAndColumn) {
  EXPECT_EQ(toml("a = 1\na = 2\n").substr(0, 9), "f.toml:2:");
  EXPECT_EQ(toml("a = \n").substr(0, 9), "f.toml:1:");
  EXPECT_NE(toml("a = \"PathRegexp(`\\d`)\"\n").find("in single quotes a backslash stands for itself"),
            std::string::npos);
  EXPECT_NE(
      toml("entryPoints:\n  web: {}\n").find("if this is YAML, the name of the file must end with .yml"),
      std::string::npos);
}

TEST(Toml, ATableNameThatTripsTheLibraryIsRefused) {
  EXPECT_EQ(toml(" [+"), "f.toml: this is not TOML");
  EXPECT_EQ(toml(" [ \xc6\xa8\xd8\x8f").substr(0, 7), "f.toml:");
  EXPECT_EQ(toml("[a.]\n").substr(0, 7), "f.toml:");
}

TEST(Toml, NodesKnowTheirPosition) {
  const auto node = read_toml("[log]\nlevel = 'INFO'\n", "f.toml");

  ASSERT_TRUE(node);
  EXPECT_EQ(node->find("log")->find("level")->origin().text(), "f.toml:2:9");
}

TEST(Toml, DepthOfKeysIsBounded) {
  std::string dots = "a";
  for (int i = 0; i < 200'000; ++i) dots += ".a";

  for (const std::string& text :
       {dots + " = 1", "[" + dots + "]", "[[" + dots + "]]", "x = [[1, 2], {b = 1, " + dots + " = 2}]",
        "'[' = \"#\"\n" + dots + " = 1", "a = '''\n' ''''\n" + dots + " = 1",
        "a = \"\"\"\\\"\"\"\"\"\"\n" + dots + " = 1"})
    EXPECT_EQ(toml(text), "f.toml: a key nests deeper than 60 levels") << text.substr(0, 40);
}

TEST(Toml, DotsThatAreNoLevelsAreNotCounted) {
  std::string numbers = "a = [1.5", text = "a = \"", lines = "a = '''";
  for (int i = 0; i < 200; ++i) {
    numbers += ", 1.5";
    text += "1.5";
    lines += "1.5\n";
  }

  for (const std::string& each :
       {numbers + "]", text + "\"", lines + "'''", "a = 1 # " + std::string(200, '.')})
    EXPECT_EQ(toml(each).find("f.toml"), std::string::npos) << each.substr(0, 40);
}

TEST(Toml, DepthIsBounded) { EXPECT_EQ(toml("a = " + std::string(100'000, '[')).substr(0, 7), "f.toml:"); }

TEST(Toml, TemplateActionsAreRefused) {
  EXPECT_EQ(toml("a = \"{{ .X }}\"\n").substr(0, 16), "f.toml: line 1: ");
}

TEST(Files, TheEndingChoosesTheReader) {
  EXPECT_TRUE(read_text("a = 1", "x.TOML"));
  EXPECT_FALSE(read_text("[a]\nb = 1\n", "x.yml"));
  EXPECT_TRUE(read_text("a: 1", "x.yaml"));
  EXPECT_TRUE(is_readable_file("/etc/a.yml"));
  EXPECT_FALSE(is_readable_file("/etc/a.yml.swp"));
  EXPECT_FALSE(is_readable_file(".yml"));
}

}  // namespace
}  // namespace fairlead::schema
