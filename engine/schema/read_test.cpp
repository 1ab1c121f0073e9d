#include "engine/schema/read.h"

#include "engine/schema/file.h"
#include "engine/schema/labels.h"
#include "engine/schema/sample_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::schema {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Reading {
  sample::Root root;
  Problems problems;
};

Reading from_labels(const Labels& labels) {
  Reading out;
  const Node node = read_labels(labels, "container shop-1", out.problems);
  read(node, out.root, out.problems);
  return out;
}

Reading from_yaml(std::string_view text) {
  Reading out;
  const auto node = read_yaml(text, "dynamic.yml");
  EXPECT_TRUE(node) << node.error().what;
  if (node) read(*node, out.root, out.problems);
  return out;
}

TEST(Read, FillsARouterFromLabels) {
  const Reading got = from_labels({{"traefik.http.routers.web.rule", "Host(`a.example`)"},
                                   {"traefik.http.routers.web.EntryPoints", "web, websecure"},
                                   {"traefik.http.routers.web.priority", "+7"},
                                   {"traefik.http.routers.web.tls.domains[0].main", "a.example"},
                                   {"traefik.http.routers.web.tls.domains[0].sans", "b.example,c.example"}});

  EXPECT_THAT(got.problems, IsEmpty());
  const sample::Router& web = got.root.http.routers.at("web");
  EXPECT_EQ(web.rule, "Host(`a.example`)");
  EXPECT_THAT(web.entry_points, ElementsAre("web", "websecure"));
  EXPECT_EQ(web.priority, 7);
  ASSERT_TRUE(web.tls);
  EXPECT_EQ(web.tls->domains.at(0).main, "a.example");
  EXPECT_THAT(web.tls->domains.at(0).sans, ElementsAre("b.example", "c.example"));
}

TEST(Read, ABadValueKeepsItsSiblingsAndNamesTheWholeLabel) {
  const Reading got = from_labels({{"traefik.http.routers.web.priority", "high"},
                                   {"traefik.http.routers.web.rule", "Host(`a.example`)"}});

  EXPECT_EQ(got.root.http.routers.at("web").rule, "Host(`a.example`)");
  ASSERT_EQ(got.problems.size(), 1u);
  const Problem& problem = got.problems[0];
  EXPECT_EQ(problem.kind, Problem::Kind::BadValue);
  EXPECT_THAT(problem.segments, ElementsAre("http", "routers", "web", "priority"));
  EXPECT_EQ(problem.text(),
            "traefik.http.routers.web.priority (container shop-1): expected an integer, got \"high\"");
}

TEST(Read, UnknownKeysByTheThousandAreQuickAndShort) {
  schema::Labels labels;
  for (int i = 0; i < 20'000; ++i)
    labels["traefik.http.services.web.loadbalancer.prot" + std::to_string(i)] = "80";
  labels["traefik.http.services.web." + std::string(100'000, 'a')] = "80";

  const auto begun = std::chrono::steady_clock::now();
  const Reading got = from_labels(labels);

  // Generous: debug builds under a sanitizer run this too. With a suggestion for each it takes ten times as
  // long.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  ASSERT_EQ(got.problems.size(), 20'001u);
  for (const Problem& problem : got.problems) EXPECT_LT(problem.what.size(), 200u);
}

TEST(Read, AnUnknownKeyIsReportedWithTheNearestSpelling) {
  const Reading got = from_labels({{"traefik.http.services.web.loadbalancer.prot", "80"},
                                   {"traefik.http.services.web.loadbalancer.server.url", "http://x"}});

  EXPECT_EQ(got.root.http.services.at("web").load_balancer->servers.at(0).url, "http://x");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].kind, Problem::Kind::UnknownKey);
  EXPECT_EQ(got.problems[0].key, "prot");
  EXPECT_EQ(got.problems[0].path, "traefik.http.services.web.loadbalancer.prot");
  EXPECT_EQ(got.problems[0].suggestion, "loadbalancer.server.port");
}

TEST(Read, AnOptionOfAnotherSectionIsShownItsPlace) {
  const Reading got = from_labels({{"traefik.http.routers.web.loadbalancer.server.port", "80"}});

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].suggestion, "http.services.<name>.loadbalancer.server.port");
}

TEST(Read, AnEmptyChoiceIsNoChoice) {
  const Reading got = from_labels({{"traefik.http.services.web.loadbalancer.strategy", ""}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.root.http.services.at("web").load_balancer->strategy, sample::LoadBalancer().strategy);
}

TEST(Read, TheSingularServerFillsTheFirstElement) {
  const Reading got = from_labels({{"traefik.http.services.web.loadbalancer.server.port", "8080"},
                                   {"traefik.http.services.web.loadbalancer.server.weight", "0"}});

  EXPECT_THAT(got.problems, IsEmpty());
  ASSERT_EQ(got.root.http.services.at("web").load_balancer->servers.size(), 1u);
  EXPECT_EQ(got.root.http.services.at("web").load_balancer->servers[0].port, "8080");
  EXPECT_EQ(got.root.http.services.at("web").load_balancer->servers[0].weight, 0);
}

TEST(Read, ADomainWithoutItsIndexWorksAsMeant) {
  const Reading got = from_labels({{"traefik.http.routers.web.tls.domains.main", "a.example"}});

  EXPECT_THAT(got.problems, IsEmpty());
  ASSERT_EQ(got.root.http.routers.at("web").tls->domains.size(), 1u);
  EXPECT_EQ(got.root.http.routers.at("web").tls->domains[0].main, "a.example");
}

TEST(Read, AStringListWithIndicesWorksAsMeant) {
  sample::Auth auth;
  Problems problems;
  const Node node = read_labels({{"traefik.http.middlewares.a.basicauth.users[0]", "a:1"},
                                 {"traefik.http.middlewares.a.basicauth.users[1]", "b:2"}},
                                "c", problems);

  read(*node.find("http")->find("middlewares")->find("a")->find("basicauth"), auth, problems,
       {"http", "middlewares", "a", "basicauth"});

  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(auth.users, ElementsAre("a:1", "b:2"));
}

TEST(Read, AStructThatMayStandAloneIsMadeByTrueOrNothing) {
  for (const char* value : {"true", "TRUE", ""}) {
    const Reading got = from_labels({{"traefik.http.routers.web.tls", value}});
    EXPECT_THAT(got.problems, IsEmpty());
    EXPECT_TRUE(got.root.http.routers.at("web").tls) << value;
  }
}

TEST(Read, AnyOtherValueDisablesTheStructAndItsChildren) {
  const Reading got = from_labels(
      {{"traefik.http.routers.web.tls", "false"}, {"traefik.http.routers.web.tls.certresolver", "le"}});

  EXPECT_FALSE(got.root.http.routers.at("web").tls);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].kind, Problem::Kind::Ignored);
}

TEST(Read, OtherStructsRefuseAValue) {
  const Reading got = from_labels({{"traefik.http.services.web.loadbalancer", "true"}});

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].what, "cannot have a value itself; set one of its options");
}

TEST(Read, TrueBesideOptionsOfAStructOrMapIsNothing) {
  const Reading got = from_labels({{"traefik.http.services", "true"},
                                   {"traefik.http.services.web", "True"},
                                   {"traefik.http.services.web.loadbalancer", ""},
                                   {"traefik.http.services.web.loadbalancer.server.port", "80"}});

  EXPECT_TRUE(got.problems.empty());
  EXPECT_TRUE(got.root.http.services.contains("web"));
  EXPECT_EQ(from_labels({{"traefik.http.services.web.loadbalancer", "false"},
                         {"traefik.http.services.web.loadbalancer.server.port", "80"}})
                .problems.size(),
            1u);
}

TEST(Read, AChildBelowAScalarIsAProblemAndTheScalarCounts) {
  const Reading got =
      from_labels({{"traefik.http.routers.web.rule", "Path(`/`)"}, {"traefik.http.routers.web.rule.x", "1"}});

  EXPECT_EQ(got.root.http.routers.at("web").rule, "Path(`/`)");
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].path, "traefik.http.routers.web.rule.x");
}

TEST(Read, ReadsTheSameFromYaml) {
  const Reading got = from_yaml(R"(
http:
  routers:
    web:
      rule: Host(`a.example`)
      entrypoints: [web, websecure]
      tls: {}
    plain:
      rule: Path(`/`)
      tls:
  services:
    web:
      loadBalancer:
        flushInterval: 2
        passHostHeader: false
        codes: [200, 404]
        sticky:
          cookie: {}
        servers:
          - url: http://10.0.0.1
            weight: 3
          - url: http://10.0.0.2
ratio: 0.5
)");

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].path, "http.routers.plain.tls");
  EXPECT_EQ(got.problems[0].what, "is empty, which sets nothing; write `tls: {}` for all defaults");
  EXPECT_EQ(got.problems[0].severity, Severity::Notice);
  EXPECT_TRUE(got.root.http.routers.at("web").tls);
  EXPECT_FALSE(got.root.http.routers.at("plain").tls) << "null is not set";
  const sample::LoadBalancer& balancer = *got.root.http.services.at("web").load_balancer;
  EXPECT_EQ(balancer.flush_interval, std::chrono::seconds(2));
  EXPECT_FALSE(balancer.pass_host_header);
  EXPECT_EQ(balancer.strategy, "wrr");
  EXPECT_TRUE(balancer.sticky->cookie);
  EXPECT_THAT(balancer.codes, ElementsAre(200, 404));
  ASSERT_EQ(balancer.servers.size(), 2u);
  EXPECT_EQ(balancer.servers[0].weight, 3);
  EXPECT_EQ(balancer.servers[1].weight, std::nullopt);
  EXPECT_EQ(got.root.ratio, 0.5);
}

TEST(Read, ProblemsOfFilesNamePathAndPosition) {
  const Reading got = from_yaml(
      "http:\n  services:\n    web:\n      loadBalancer:\n        servers:\n          - url: a\n          - "
      "weight: x\n");

  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(
      got.problems[0].text(),
      "http.services.web.loadBalancer.servers[1].weight (dynamic.yml:7:21): expected an integer, got \"x\"");
}

TEST(Read, ANameWithADotInALabelIsToldAsThat) {
  const Reading got = from_labels({{"traefik.http.routers.my.app.example.rule", "Host(`a`)"},
                                   {"traefik.http.routers.web.frobnicate.x", "1"}});

  ASSERT_EQ(got.problems.size(), 2u);
  EXPECT_EQ(got.problems[0].what, "there is no option `app` here; a name in a label holds no dot");
  EXPECT_EQ(got.problems[1].what, "there is no option `frobnicate` here");

  Problems problems;
  const Node node = read_labels({{"traefik.http.routers.my.app.rule", "Host(`a`)"}}, "container x", problems);
  sample::Router alone;
  read(*node.find("http")->find("routers")->find("my"), alone, problems, {"http", "routers", "my"});
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].what, "there is no option `app` here; a name in a label holds no dot");
}

TEST(Read, AnOptionInTwoSpellingsIsAProblem) {
  const Reading got = from_yaml("http:\n  routers:\n    web: {middlewares: [auth], Middlewares: []}\n");

  ASSERT_EQ(got.problems.size(), 1u) << "else the site might stand open";
  EXPECT_EQ(got.problems[0].path, "http.routers.web.Middlewares");
  EXPECT_EQ(got.problems[0].what, "is given twice, in different spellings");
}

TEST(Read, WrongShapesAreNamed) {
  const Reading got = from_yaml(
      "http:\n  routers: [a]\n  services:\n    s: text\nentryPoints: yes\nlog:\n  level: {a: b}\nratio: "
      "[1]\n");

  std::vector<std::string> what;
  for (const Problem& problem : got.problems) what.push_back(problem.path + ": " + problem.what);
  EXPECT_THAT(what,
              ElementsAre("http.routers: expected a map of names, got a list",
                          "http.services.s: cannot have a value itself; set one of its options",
                          "entryPoints: expected names with values below, got \"yes\"",
                          "log.level: expected text, got a map", "ratio: expected a number, got a list"));
}

TEST(Read, ChecksAndChoicesSpeakUp) {
  const Reading got = from_labels({{"traefik.http.services.a.loadbalancer.strategy", "wwr"},
                                   {"traefik.http.services.a.loadbalancer.server.weight", "-1"}});

  ASSERT_EQ(got.problems.size(), 2u);
  EXPECT_EQ(got.problems[0].text(),
            "traefik.http.services.a.loadbalancer.server.weight (container shop-1): must not be negative, "
            "got \"-1\"");
  EXPECT_EQ(got.problems[1].what, "expected one of wrr|p2c|hrw, got \"wwr\"");
  EXPECT_EQ(got.problems[1].suggestion, "wrr");
}

TEST(Read, TraitsAreReported) {
  const Reading labels =
      from_labels({{"traefik.http.services.a.mirrors", "b"}, {"traefik.http.routers.a.rulesyntax", "v2"}});
  ASSERT_EQ(labels.problems.size(), 2u);
  EXPECT_EQ(labels.problems[0].kind, Problem::Kind::Deprecated);
  EXPECT_EQ(labels.problems[0].suggestion, "rule");
  EXPECT_EQ(labels.problems[1].kind, Problem::Kind::Ignored);
  EXPECT_EQ(labels.root.http.routers.at("a").rule_syntax, "v2");
  EXPECT_THAT(labels.root.http.services.at("a").mirrors, IsEmpty());

  const Reading file = from_yaml("log:\n  filePath: /x\nkubernetes:\n  ingress: {}\n");
  ASSERT_EQ(file.problems.size(), 2u);
  EXPECT_EQ(file.problems[0].kind, Problem::Kind::NotYet);
  EXPECT_EQ(file.problems[1].kind, Problem::Kind::Ignored);
  EXPECT_EQ(file.problems[1].severity, Severity::Notice);
}

TEST(Read, ASecretIsNotRepeatedInAMessage) {
  sample::Auth auth;
  Problems problems;
  Node node = Node::map();
  node.add("users", Node::map());

  read(node, auth, problems);

  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].what, "expected a list, got a map");
}

TEST(Read, AnEmptyMapIsAnEmptyList) {
  const Reading got = from_yaml("http: {services: {s: {loadBalancer: {servers: {}}}}}");

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_THAT(got.root.http.services.at("s").load_balancer->servers, IsEmpty());
}

TEST(Read, AnEmptyListLabelLeavesTheDefault) {
  const Reading got = from_labels({{"traefik.http.routers.a.entrypoints", ""}});

  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_THAT(got.root.http.routers.at("a").entry_points, IsEmpty());
}

TEST(Read, FreeFormIsKeptAsItIs) {
  const Reading got = from_yaml("plugin:\n  a: [1, {b: c}]\n");

  EXPECT_EQ(got.root.plugin.find("a")->entries()[1].value.find("b")->text(), "c");
}

}  // namespace
}  // namespace fairlead::schema
