#include "engine/schema/file.h"
#include "engine/schema/json.h"
#include "engine/schema/read.h"
#include "engine/schema/sample_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::schema {
namespace {

std::string yaml(std::string_view text) {
  const auto node = read_yaml(text, "f.yml");
  return node ? node_text(*node) : node.error().path + ": " + node.error().what;
}

TEST(Yaml, BecomesATreeOfTexts) {
  EXPECT_EQ(yaml("a:\n  b: [1, 'two', \"three\"]\n  c: true\nd: |\n  x\n  y\n"),
            R"({"a":{"b":["1","two","three"],"c":"true"},"d":"x\ny\n"})");
}

TEST(Yaml, NullsAreNullOnlyWhenPlain) {
  EXPECT_EQ(yaml("a:\nb: ~\nc: null\nd: 'null'\ne: ''\n"),
            R"({"a":null,"b":null,"c":null,"d":"null","e":""})");
}

TEST(Yaml, ValuesAreKeptAsWritten) {
  EXPECT_EQ(yaml("a: 007\nb: 1.50\nc: yes\nd: '1_000'\n"), R"({"a":"007","b":"1.50","c":"yes","d":"1_000"})");
}

TEST(Yaml, IntegersMayBeWrittenInOtherWays) {
  EXPECT_EQ(yaml("[1_000, 0x1F, -0b101, +0o17, 0xffffffffffffffffff, 0x, 1_a, _1, 1__0]"),
            R"(["1000","31","-5","15","0xffffffffffffffffff","0x","1_a","_1","10"])");
}

TEST(Yaml, AnEmptyFileIsNothing) {
  EXPECT_EQ(yaml(""), "null");
  EXPECT_EQ(yaml("# only a comment\n"), "null");
  EXPECT_EQ(yaml("---\n"), "null");
}

TEST(Yaml, ReadsJson) {
  EXPECT_EQ(yaml("{\n\t\"a\": [1, {\"b\": null}],\n\t\"c\": \"x\\u00e9\\n\"\n}\n"),
            R"({"a":["1",{"b":null}],"c":"xé\n"})");
}

TEST(Yaml, AKeyGivenTwiceIsRefusedWithItsPosition) {
  EXPECT_EQ(yaml("a: 1\nb:\n  x: 1\n  x: 2\n"), "f.yml:4:3: the key `x` is given twice");

  std::string many = "m:\n";
  for (int i = 0; i < 40; ++i) many += fmt::format("  k{}: 1\n", i);
  EXPECT_EQ(yaml(many + "  k3: 2\n"), "f.yml:42:3: the key `k3` is given twice");
}

TEST(Yaml, AnchorsAreCopied) {
  EXPECT_EQ(yaml("a: &x [1, 2]\nb: *x\n"), R"({"a":["1","2"],"b":["1","2"]})");
  EXPECT_EQ(yaml("a: *nowhere\n"), "f.yml:1:5: no anchor `&nowhere` before this alias");
}

TEST(Yaml, MergeKeysAreResolved) {
  EXPECT_EQ(yaml("base: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\n"),
            R"({"base":{"x":"1","y":"2"},"a":{"y":"3","x":"1"}})");
  EXPECT_EQ(yaml("p: &p {x: 1}\nq: &q {x: 2, z: 4}\na:\n  <<: [*p, *q]\n"),
            R"({"p":{"x":"1"},"q":{"x":"2","z":"4"},"a":{"x":"1","z":"4"}})");
  EXPECT_EQ(yaml("a:\n  <<: text\n"), "f.yml:2:7: `<<` takes a map or a list of maps");
  EXPECT_EQ(yaml("p: &p {x: 1}\nq: &q {y: 2}\na:\n  <<: *p\n  <<: *q\n"),
            "f.yml:5:3: the key `<<` is given twice; write `<<: [*a, *b]`")
      << "what the first one says must not be lost";
}

TEST(Yaml, WhatYamlMakesOfRulesAndWildcardsIsToldWithItsRemedy) {
  const auto has = [](std::string_view text, std::string_view remedy) {
    const std::string said = yaml(text);
    EXPECT_NE(said.find(remedy), said.npos) << text << " → " << said;
  };
  has("rule: !Host(`a`)\n", "at the front of a value ! means a type; put the value in quotes");
  has("- !PathPrefix(`/`) && Host(`a`)\n", "put the value in quotes");
  has("main: *.example.com\n", "at the front of a value * means what an & named; put the value in quotes");
  has("sans: [a.example.com, *.example.com]\n", "put the value in quotes");
  has("rule: `Host(x)`\n", "put the value in quotes");
  has("service: @internal\n", "put the value in quotes");
  has("rule: Host(`a`) && Header(`b`, `c: d`)\n", "put a value with a colon and a blank in quotes");
  has("rule: \"PathRegexp(`\\d`)\"\n", "in single quotes a backslash stands for itself");
  has("a:\n  rule:Host(`a`)\n  service: b\n", "a blank belongs behind the colon");
  has("middlewares:\n- auth\n-\n", "a `-` with nothing behind it can be left out");
  has("[entryPoints.web]\naddress = ':80'\n", "if this is TOML, the name of the file must end with .toml");
  EXPECT_EQ(yaml("a: [1\n").find("quotes"), std::string::npos);
}

TEST(Yaml, AliasBombsAreBounded) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{0}: &a{0} [*a{1}", i, i - 1);
    for (int j = 1; j < 10; ++j) bomb += fmt::format(", *a{}", i - 1);
    bomb += "]\n";
  }

  EXPECT_NE(yaml(bomb).find("aliases make this file too large"), std::string::npos);
}

TEST(Yaml, AFewLinesOfAliasesMakeNoHundredThousandValues) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 5; ++i)
    text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);

  EXPECT_EQ(yaml(text + "b: [*a4, *a4]\n"),
            "f.yml:5:46: aliases make this file too large: there is no room for what `*a3` copies");
}

TEST(Yaml, ALargeFileMayRepeatAMapInEachOfItsParts) {
  std::string text = "common: &c {a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 10}\nparts:\n";
  for (int i = 0; i < 20'000; ++i) text += fmt::format("  p{}: {{<<: *c, own: {}}}\n", i, i);

  EXPECT_EQ(yaml(text).substr(0, 2), "{\"");
}

TEST(Yaml, DepthIsBounded) {
  EXPECT_EQ(yaml(std::string(20'000'000, '[')), "f.yml: more than 100000 brackets are open at once");
  EXPECT_NE(yaml(std::string(100'000, '[')).find("f.yml:1:"), std::string::npos);
  std::string nested = "a: ";
  for (int i = 0; i < 1000; ++i) nested += "{a: ";
  EXPECT_NE(yaml(nested).find("f.yml:1:"), std::string::npos);
}

TEST(Yaml, ErrorsNameLineAndColumn) {
  EXPECT_EQ(yaml("a: [1, 2\nb: 3\n").substr(0, 8), "f.yml:3:");
  EXPECT_EQ(yaml("a: \"open\n").substr(0, 6), "f.yml:");
  EXPECT_EQ(yaml("a: 1\n---\nb: 2\n"), "f.yml:2:1: more than one document in the file");
  EXPECT_EQ(yaml("---\na: 1\n---\n# nothing more\n...\n"), yaml("a: 1"));
}

TEST(Yaml, OnlyCleanUtf8IsRead) {
  EXPECT_EQ(yaml("a: \xff"), "f.yml:1:4: this is not UTF-8");
  EXPECT_EQ(yaml("a: 1\nb: \xc0\x80\n"), "f.yml:2:4: this is not UTF-8");
  EXPECT_EQ(yaml(std::string_view("a: \0", 4)), "f.yml:1:4: control characters are not allowed");
  EXPECT_EQ(yaml("a: \u00e9\u20ac\U0001F600\n"), "{\"a\":\"\u00e9\u20ac\U0001F600\"}");
  EXPECT_EQ(yaml("%-\x1a\xff\xff"), "f.yml:1:3: control characters are not allowed") << "libfyaml would loop";
}

TEST(Yaml, NodesKnowTheirPosition) {
  const auto node = read_yaml("http:\n  routers:\n    web:\n      rule: x\n", "f.yml");

  ASSERT_TRUE(node);
  const Origin origin = node->find("http")->find("routers")->find("web")->find("rule")->origin();
  EXPECT_EQ(origin.text(), "f.yml:4:13");
}

TEST(Yaml, TemplateActionsAreRefusedUnlessSomeoneExpandsThem) {
  EXPECT_EQ(yaml("a: 1\nb: {{ env \"X\" }}\n").substr(0, 15), "f.yml: line 2: ");

  const auto expanded = read_yaml("a: {{ x }}\n", "f.yml",
                                  [](std::string_view) -> Configured<std::string> { return "a: 5\n"; });
  ASSERT_TRUE(expanded);
  EXPECT_EQ(expanded->find("a")->text(), "5");

  const auto kept = read_yaml("a: 'Host(`{{ .Name }}`)'\n", "f.yml", keep_templates);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->find("a")->text(), "Host(`{{ .Name }}`)");
}

TEST(Yaml, TenThousandRoutersAreQuick) {
  std::string text = "http:\n  routers:\n";
  for (int i = 0; i < 10'000; ++i)
    text += fmt::format(
        "    router-{0}:\n      rule: Host(`app-{0}.example.com`)\n      entryPoints: [websecure]\n"
        "      service: service-{0}\n      middlewares:\n        - auth\n      tls:\n        certResolver: "
        "le\n",
        i);
  const auto start = std::chrono::steady_clock::now();

  const auto node = read_yaml(text, "f.yml");
  sample::Root root;
  Problems problems;
  ASSERT_TRUE(node);
  read(*node, root, problems);

  EXPECT_EQ(root.http.routers.size(), 10'000u);
  EXPECT_TRUE(problems.empty());
  // Generous: debug builds under a sanitizer run this too. A release build takes about 60 ms.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace fairlead::schema
