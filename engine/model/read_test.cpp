#include "engine/model/read.h"

#include "engine/model/attach.h"
#include "engine/schema/file.h"
#include "engine/schema/labels.h"

#include <gtest/gtest.h>

namespace fairlead::model {
namespace {

constexpr std::string_view kHttp[] = {"addPrefix", "basicAuth", "chain", "compress", "stripPrefix"};
constexpr std::string_view kTcp[] = {"inFlightConn", "ipAllowList"};

Dynamic from_labels(const schema::Labels& labels) {
  schema::Problems problems;
  const schema::Origin origin{.source = "container shop-1"};
  Dynamic out = read_dynamic(schema::read_labels(labels, origin.source, problems), origin, {kHttp, kTcp});
  for (const schema::Problem& problem : problems) attach(out, problem, origin);
  return out;
}

Dynamic from_yaml(const char* text, schema::Problems* loose = nullptr) {
  const auto node = schema::read_yaml(text, "sites.yml");
  EXPECT_TRUE(node) << node.error().what;
  return read_dynamic(*node, {.source = "sites.yml"}, {kHttp, kTcp}, loose);
}

TEST(ReadDynamic, BreaksARouterWhoseOptionIsMisspelt) {
  const Dynamic d = from_labels({{"traefik.http.routers.web.rule", "Host(`a.example.com`)"},
                                 {"traefik.http.routers.web.middlewars", "auth"}});

  const Element<HttpRouter>& web = d.http.routers.at("web");
  EXPECT_EQ(web.options.rule, "Host(`a.example.com`)");
  ASSERT_EQ(web.reasons.size(), 1u);
  EXPECT_TRUE(web.broken());
  EXPECT_EQ(web.reasons[0].hint, "did you mean `middlewares`?");
}

TEST(ReadDynamic, KeepsTheRuleOfARouterWhosePriorityIsNoNumber) {
  const Dynamic d = from_labels({{"traefik.http.routers.web.rule", "Host(`a.example.com`)"},
                                 {"traefik.http.routers.web.priority", "high"}});

  const Element<HttpRouter>& web = d.http.routers.at("web");
  EXPECT_EQ(web.options.priority, 0);
  EXPECT_TRUE(web.broken());
  EXPECT_EQ(web.reasons.at(0).text, "traefik.http.routers.web.priority: expected an integer, got \"high\"");
}

TEST(ReadDynamic, OnlyWarnsOfAnUnknownKeyOfAService) {
  const Dynamic d = from_labels({{"traefik.http.services.app.loadbalancer.server.port", "80"},
                                 {"traefik.http.services.app.loadbalancer.colour", "blue"}});

  const Element<HttpService>& app = d.http.services.at("app");
  EXPECT_FALSE(app.broken());
  EXPECT_EQ(app.reasons.size(), 1u);
  EXPECT_EQ(app.options.load_balancer->servers.at(0).port, "80");
}

TEST(ReadDynamic, BreaksAServiceWhoseValueIsOfTheWrongType) {
  const Dynamic d = from_labels({{"traefik.http.services.app.loadbalancer.passhostheader", "maybe"}});

  EXPECT_TRUE(d.http.services.at("app").broken());
}

TEST(ReadDynamic, LeavesTheNeighboursOfABadElementAlone) {
  const Dynamic d = from_labels({{"traefik.http.routers.bad.priority", "x"},
                                 {"traefik.http.routers.good.rule", "Host(`a.example.com`)"}});

  EXPECT_TRUE(d.http.routers.at("bad").broken());
  EXPECT_TRUE(d.http.routers.at("good").reasons.empty());
}

TEST(ReadDynamic, BreaksTheElementOfALabelThatCannotBeSplit) {
  const Dynamic d = from_labels({{"traefik.http.routers.web.rule", "Host(`a.example.com`)"},
                                 {"traefik.http.routers.web.tls.domains[0.main", "a.example.com"}});

  EXPECT_TRUE(d.http.routers.at("web").broken());
}

TEST(ReadDynamic, TakesTheTypeOfAMiddlewareInAnyCase) {
  const Dynamic d = from_labels({{"traefik.http.middlewares.m.STRIPprefix.prefixes", "/a,/b"}});

  const Element<Middleware>& m = d.http.middlewares.at("m");
  EXPECT_EQ(m.options.type, "stripPrefix");
  EXPECT_EQ(m.options.options.find("prefixes")->text(), "/a,/b");
  EXPECT_FALSE(m.broken());
}

TEST(ReadDynamic, MakesACompressionFromTrueAlone) {
  const Dynamic d = from_labels({{"traefik.http.middlewares.m.compress", "true"}});

  EXPECT_FALSE(d.http.middlewares.at("m").broken());
  EXPECT_TRUE(d.http.middlewares.at("m").options.options.is_map());
  EXPECT_FALSE(d.http.middlewares.at("m").options.options.has_value());
}

TEST(ReadDynamic, BreaksAMiddlewareOfTwoTypes) {
  const Dynamic d = from_labels({{"traefik.http.middlewares.m.addprefix.prefix", "/a"},
                                 {"traefik.http.middlewares.m.stripprefix.prefixes", "/b"}});

  EXPECT_TRUE(d.http.middlewares.at("m").broken());
}

TEST(ReadDynamic, NamesTheNearestTypeOfAMisspeltMiddleware) {
  const Dynamic d = from_labels({{"traefik.http.middlewares.m.basicaut.users", "a:b"}});

  ASSERT_TRUE(d.http.middlewares.at("m").broken());
  EXPECT_EQ(d.http.middlewares.at("m").reasons[0].hint, "did you mean `basicAuth`?");
}

TEST(ReadDynamic, SwitchesTlsOffByFalseWithAllThatStandsBelow) {
  const Dynamic d = from_labels({{"traefik.http.routers.web.rule", "Host(`a.example.com`)"},
                                 {"traefik.http.routers.web.tls", "false"},
                                 {"traefik.http.routers.web.tls.certresolver", "le"}});

  EXPECT_FALSE(d.http.routers.at("web").options.tls);
  EXPECT_FALSE(d.http.routers.at("web").broken());
}

TEST(ReadDynamic, BreaksTlsOptionsThatAreMisspelt) {
  const Dynamic d = from_yaml("tls:\n  options:\n    strict:\n      clientAuht: {caFiles: [a.pem]}\n");

  EXPECT_TRUE(d.tls.options.at("strict").broken());
}

TEST(ReadDynamic, PutsAProblemOnTheCertificateItConcerns) {
  const Dynamic d = from_yaml(
      "tls:\n  certificates:\n    - {certFile: a, keyFile: b}\n    - {certFile: [a], keyFile: {b: c}}\n");

  ASSERT_EQ(d.tls.certificates.size(), 2u);
  EXPECT_FALSE(d.tls.certificates[0].broken());
  EXPECT_TRUE(d.tls.certificates[1].broken());
}

TEST(ReadDynamic, TellsOfASectionThatIsMisspelt) {
  schema::Problems loose;
  const Dynamic d = from_yaml("http:\n  router:\n    web: {rule: x}\n", &loose);

  ASSERT_EQ(d.reasons.size(), 1u);
  EXPECT_EQ(d.reasons[0].hint, "did you mean `routers`?");
  EXPECT_EQ(loose.size(), 1u);
}

TEST(ReadDynamic, TellsOfAnInstallFileOnce) {
  const Dynamic d =
      from_yaml("api: {}\nentryPoints: {web: {address: ':80'}}\nx-common: {a: 1}\nhttp: {routers: {}}\n");

  ASSERT_EQ(d.reasons.size(), 1u);
  EXPECT_EQ(d.reasons[0].text,
            "sites.yml: api, entryPoints belong to the install configuration and do not count here; an "
            "install file is best kept out of providers.file.directory");
}

TEST(ReadDynamic, SaysHowADottedKeyIsNested) {
  const Dynamic d = from_yaml("http.routers: {}\n");

  ASSERT_EQ(d.reasons.size(), 1u);
  EXPECT_NE(d.reasons[0].text.find("a dot in a key does not nest: write `routers` below `http`"),
            std::string::npos);
}

TEST(ReadDynamic, SaysThatAnEmptyTlsSetsNothing) {
  const Element<HttpRouter> web =
      from_yaml("http:\n  routers:\n    web:\n      rule: x\n      tls:\n").http.routers.at("web");

  EXPECT_FALSE(web.options.tls);
  EXPECT_FALSE(web.broken());
  ASSERT_EQ(web.reasons.size(), 1u);
  EXPECT_NE(web.reasons[0].text.find("write `tls: {}`"), std::string::npos);
}

TEST(ReadDynamic, SaysWhatALabelOfAServerSets) {
  const Dynamic d = from_labels({{"traefik.udp.services.dns.loadbalancer.servers", "10.0.0.10:53"}});

  EXPECT_EQ(d.udp.services.at("dns").reasons.at(0).text,
            "traefik.udp.services.dns.loadbalancer.servers: needs an option below it (address, port), got a "
            "single value");
}

TEST(ReadDynamic, SendsCertificatesOfLabelsToAFile) {
  const Dynamic d = from_labels({{"traefik.tls.certificates[0].certfile", "/a.pem"}});

  ASSERT_EQ(d.reasons.size(), 1u);
  EXPECT_NE(d.reasons[0].text.find("cannot be set by a label; put it in a file"), std::string::npos)
      << d.reasons[0].text;
  EXPECT_EQ(d.reasons[0].hint, "");
}

TEST(ReadDynamic, TellsOfAHundredMistakesAndForgetsNoneThatBreaks) {
  schema::Labels labels{{"traefik.http.services.web.loadbalancer.zzz", "1"},
                        {"traefik.http.services.web.loadbalancer.server.weight", "heavy"}};
  for (int i = 0; i < 5000; ++i) {
    labels.emplace("traefik.http.services.web.loadbalancer.a" + std::to_string(i), "1");
    labels.emplace("traefik.nothing" + std::to_string(i), "1");
  }

  const Dynamic d = from_labels(labels);

  EXPECT_LE(d.http.services.at("web").reasons.size(), 101u);
  EXPECT_TRUE(d.http.services.at("web").broken());
  EXPECT_EQ(d.reasons.size(), 100u);
}

TEST(ReadDynamic, SaysWhereInAFileAnElementStands) {
  const Dynamic d = from_yaml("http:\n  routers:\n    web:\n      rule: x\n");

  EXPECT_EQ(d.http.routers.at("web").origin.source, "sites.yml");
  EXPECT_GT(d.http.routers.at("web").origin.line, 0);
}

TEST(ReadDynamic, TakesAnythingForASourceWithoutFailing) {
  EXPECT_EQ(from_yaml("just text").reasons.size(), 1u);
  EXPECT_EQ(from_yaml("http: [1, 2]").reasons.size(), 1u);
  EXPECT_EQ(from_yaml("http: {routers: 7, services: [], middlewares: {a: 1}}").reasons.size(), 2u);
  EXPECT_TRUE(from_yaml("http: {middlewares: {a: 1}}").http.middlewares.at("a").broken());
  EXPECT_TRUE(from_yaml("http: {routers: {a: [1]}}").http.routers.at("a").broken());
  EXPECT_TRUE(from_yaml("{}").reasons.empty());
}

}  // namespace
}  // namespace fairlead::model
