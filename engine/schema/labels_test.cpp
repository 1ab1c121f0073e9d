#include "engine/schema/labels.h"

#include "engine/schema/json.h"
#include "engine/schema/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::schema {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
  std::string tree;
  Problems problems;
};

Read labels(const Labels& from) {
  Read out;
  out.tree = node_text(read_labels(from, "container c", out.problems));
  return out;
}

TEST(Labels, BecomeOneTreeWithoutTheirPrefix) {
  const Read got = labels({{"traefik.enable", "true"},
                           {"traefik.http.routers.web.rule", "r"},
                           {"traefik.docker.network", "proxy"},
                           {"com.example", "not ours"}});

  EXPECT_EQ(got.tree,
            R"({"docker":{"network":"proxy"},"enable":"true","http":{"routers":{"web":{"rule":"r"}}}})");
  EXPECT_THAT(got.problems, IsEmpty());
}

TEST(Labels, OfFairleadWinOverThoseOfTraefik) {
  const Read got =
      labels({{"fairlead.http.routers.web.rule", "new"}, {"traefik.http.routers.web.rule", "old"}});

  EXPECT_EQ(got.tree, R"({"http":{"routers":{"web":{"rule":"new"}}}})");
}

TEST(Labels, MergeNamesIgnoringCaseAndKeepTheFirstSpelling) {
  const Read got = labels({{"traefik.http.routers.Foo.rule", "a"},
                           {"traefik.http.routers.foo.SERVICE", "s"},
                           {"traefik.http.routers.foo.rule", "b"}});

  EXPECT_EQ(got.tree, R"({"http":{"routers":{"Foo":{"rule":"b","SERVICE":"s"}}}})")
      << "byte order: the later one wins";
}

TEST(Labels, KeepValuesVerbatim) {
  const Read got =
      labels({{"traefik.http.middlewares.m.headers.customresponseheaders.X-A", " \"a, b\" $$ "}});

  EXPECT_EQ(
      got.tree,
      R"({"http":{"middlewares":{"m":{"headers":{"customresponseheaders":{"X-A":" \"a, b\" $$ "}}}}}})");
}

TEST(Labels, IndicesMakeListsInByteOrder) {
  const Read got = labels({{"traefik.http.routers.w.tls.domains[10].main", "c"},
                           {"traefik.http.routers.w.tls.domains[2].main", "b"},
                           {"traefik.http.routers.w.tls.domains[0].main", "a"},
                           {"traefik.http.routers.w.tls.domains[0].sans", "x,y"}});

  EXPECT_EQ(
      got.tree,
      R"({"http":{"routers":{"w":{"tls":{"domains":[{"main":"a","sans":"x,y"},{"main":"c"},{"main":"b"}]}}}}})");
}

TEST(Labels, AnElementWithoutAnIndexStandsBesideTheOthers) {
  const Read got = labels({{"traefik.http.routers.w.tls.domains.main", "a"},
                           {"traefik.http.routers.w.tls.domains[0].main", "b"},
                           {"traefik.http.routers.w.tls.domains.sans", "c"}});

  EXPECT_EQ(got.tree,
            R"({"http":{"routers":{"w":{"tls":{"domains":[{"main":"a","sans":"c"},{"main":"b"}]}}}}})");
}

TEST(Labels, BadKeysAreOneProblemEachAndSiblingsStay) {
  const Read got = labels({{"traefik.http.routers.web.rule", "r"},
                           {"traefik.http.routers.web..middlewares", "auth"},
                           {"traefik.http.routers.api.", "x"},
                           {"traefik.http.[0].x", "x"},
                           {"traefik.http.foo]", "x"}});

  EXPECT_EQ(got.tree, R"({"http":{"routers":{"web":{"rule":"r"}}}})");
  ASSERT_EQ(got.problems.size(), 4u);
  EXPECT_EQ(got.problems[0].path, "traefik.http.[0].x");
  EXPECT_EQ(got.problems[1].what, "segment `foo]` has a `]` without `[`");
  EXPECT_THAT(got.problems[2].segments, ElementsAre("http", "routers", "api"));
  EXPECT_THAT(got.problems[3].segments, ElementsAre("http", "routers", "web"))
      << "the router that lost its middleware can be told";
  for (const Problem& problem : got.problems) EXPECT_EQ(problem.kind, Problem::Kind::BadSyntax);
}

TEST(Labels, ThePrefixIsLowerCase) {
  const Read got = labels({{"Traefik.http.routers.web.rule", "r"}});

  EXPECT_EQ(got.tree, "{}");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].suggestion, "traefik.http.routers.web.rule");
  EXPECT_THAT(got.problems[0].segments, ElementsAre("http", "routers", "web", "rule"));
}

TEST(Labels, ExposeNothingThatWasToBeHiddenByAMisspeltLabel) {
  EXPECT_EQ(labels({{"Traefik.Enable", "False"}}).tree, R"({"enable":"False"})");
  EXPECT_EQ(labels({{"Traefik.Enable", "true"}}).tree, "{}");
  EXPECT_EQ(labels({{"TRAEFIK.ENABLE", "false"}, {"traefik.enable", "true"}}).tree, R"({"enable":"true"})");
  for (const char* label : {"traefik.enabled", "traefik.Enabled", "traefik.enabel", "traefik.enable ",
                            "traefik.enable.", "fairlead.enabled"}) {
    EXPECT_EQ(labels({{label, "false"}}).tree, R"({"enable":"false"})") << label;
    EXPECT_EQ(labels({{label, "true"}}).tree, "{}") << label;
    EXPECT_EQ(labels({{label, "false"}}).problems.size(), 1u) << label;
  }
  EXPECT_EQ(labels({{"traefik.disable", "false"}}).tree, "{}");
}

TEST(Labels, AreTheSameTreeWithAnIndexAndInEveryOrder) {
  std::vector<std::string> keys = {"a.b", "a.B.c", "a.b[0].C", "a.b[1].c", "a.x[0]", "A.X.y"};
  std::ranges::sort(keys);
  do {
    Node plain = Node::map(), indexed = Node::map();
    ChildIndex index;
    for (const std::string& key : keys) {
      descend(plain, split_key(key).segments, nullptr).set_value(key);
      descend(indexed, split_key(key).segments, nullptr, &index).set_value(key);
    }
    ASSERT_EQ(plain, indexed) << ::testing::PrintToString(keys);
  } while (std::ranges::next_permutation(keys).found);
}

TEST(Labels, UnknownSectionsAreReportedWithTheNearestOne) {
  const Read got = labels({{"traefik.httpx.y", "1"},
                           {"traefik.enabled", "true"},
                           {"traefik.foo.bar", "1"},
                           {"traefik.enable.x", "1"},
                           {"traefik.http", "1"}});

  EXPECT_EQ(got.tree, "{}");
  ASSERT_EQ(got.problems.size(), 5u);
  EXPECT_EQ(got.problems[0].what, "`enable` has no options below it");
  EXPECT_EQ(got.problems[1].suggestion, "traefik.enable");
  EXPECT_EQ(got.problems[2].suggestion, "");
  EXPECT_EQ(got.problems[3].what, "needs an option below it");
  EXPECT_EQ(got.problems[4].suggestion, "traefik.http.y");
  for (const Problem& problem : got.problems) EXPECT_EQ(problem.severity, Severity::Warning);
}

TEST(Labels, WhatStandsBehindABlankOrAQuotationMarkIsAProblemOfItsElement) {
  const Read got = labels({{" traefik.http.routers.x.middlewares", "auth"},
                           {"\"traefik.http.routers.x.rule", "Host(`x`)\""},
                           {"- traefik.http.routers.x.tls", "true"},
                           {"\u00A0fairlead.enable", "false"}});

  EXPECT_EQ(got.tree, R"({"enable":"false"})") << "hidden, as it was meant";
  ASSERT_EQ(got.problems.size(), 4u);
  EXPECT_EQ(got.problems[0].suggestion, "traefik.http.routers.x.middlewares");
  for (const Problem& problem : got.problems) EXPECT_EQ(problem.kind, Problem::Kind::BadSyntax);
}

TEST(Labels, AMisspeltRootIsTold) {
  const Read got = labels({{"treafik.http.routers.x.rule", "Host(`x`)"},
                           {"Traefic.enable", "true"},
                           {"trafik.enable", "false"},
                           {"farilead.tcp.routers.x.rule", "HostSNI(`*`)"},
                           {"fairlaed.host", "x"},
                           // Somebody else's, or put out of use.
                           {"xtraefik.http.routers.x.rule", "a"},
                           {"traefik2.http.routers.x.rule", "a"},
                           {"#traefik.http.routers.x.rule", "a"},
                           {"traffic.weight", "1"},
                           {"traefik", "a"}});

  EXPECT_EQ(got.tree, R"({"enable":"false"})");
  std::vector<std::string> meant;
  for (const Problem& problem : got.problems) {
    EXPECT_EQ(problem.severity, Severity::Warning);
    meant.push_back(problem.suggestion);
  }
  EXPECT_THAT(meant, ElementsAre("traefik.enable", "fairlead.host", "fairlead.tcp.routers.x.rule",
                                 "traefik.enable", "traefik.http.routers.x.rule"));
}

TEST(Labels, OfVersionOneGetTheirSpellingOfToday) {
  const Read got = labels({{"traefik.frontend.rule", "Host:a"},
                           {"traefik.port", "80"},
                           {"traefik.admin.frontend.rule", "Host:b"},
                           {"traefik.backend", "x"},
                           {"traefik.frontend.auth.basic.users", "a:b"}});

  EXPECT_EQ(got.tree, "{}");
  std::vector<std::string> today;
  for (const Problem& problem : got.problems) today.push_back(problem.suggestion);
  EXPECT_THAT(today,
              ElementsAre("traefik.http.routers.<name>.rule", "traefik.http.routers.<name>.service",
                          "traefik.http.middlewares.<name>.basicauth", "traefik.http.routers.<name>.rule",
                          "traefik.http.services.<name>.loadbalancer.server.port"));
}

TEST(Labels, ShortFormsBelongToFairleadAlone) {
  const Read got = labels({{"fairlead.host", "a.example.com"},
                           {"fairlead.port", "80"},
                           {"traefik.host", "b"},
                           {"fairlead.hots", "c"}});

  EXPECT_EQ(got.tree, R"({"host":"a.example.com","port":"80"})");
  ASSERT_EQ(got.problems.size(), 2u);
  EXPECT_EQ(got.problems[1].suggestion, "fairlead.host");
}

TEST(Labels, NodesKnowTheirLabel) {
  Problems problems;
  const Node root = read_labels({{"traefik.http.routers.web.rule", "r"}}, "container shop-1", problems);

  const Node& rule = *root.find("http")->find("routers")->find("web")->find("rule");
  EXPECT_EQ(rule.label(), "traefik.http.routers.web.rule");
  EXPECT_EQ(rule.origin().source, "container shop-1");
  EXPECT_EQ(rule.format(), Format::Label);
}

TEST(Labels, EndlessKeysAreRefused) {
  std::string key = "traefik.http";
  for (int i = 0; i < 100; ++i) key += ".a";

  const Read got = labels({{key, "x"}});

  EXPECT_EQ(got.tree, "{}");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].what, "has more than 32 segments");
}

}  // namespace
}  // namespace fairlead::schema
