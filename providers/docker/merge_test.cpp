#include "providers/docker/merge.h"

#include "engine/model/static.h"
#include "engine/model/validate.h"
#include "providers/docker/test_containers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using model::ReasonKind;
using model::ServerState;
using test::at;
using test::container;
using test::replica;

std::vector<std::string> urls(const model::Dynamic& d, const std::string& service) {
  std::vector<std::string> out;
  for (const auto& server : d.http.services.at(service).options.load_balancer->servers)
    out.push_back(server.url);
  return out;
}

template <class T>
bool has(const model::Element<T>& element, ReasonKind kind) {
  for (const auto& reason : element.reasons)
    if (reason.kind == kind) return true;
  return false;
}

TEST(Merge, UnitesTheServersOfReplicas) {
  Catalog catalog = test::catalog();
  catalog.seen(replica("shop", "web", 2), true, at(0s));
  catalog.seen(replica("shop", "web", 3), true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_EQ(d.http.routers.size(), 1u);
  EXPECT_EQ(urls(d, "web-shop"), (std::vector<std::string>{"http://172.17.0.2:80", "http://172.17.0.3:80"}));
  EXPECT_EQ(d.http.standings.at("web-shop").size(), 2u);
  EXPECT_EQ(d.http.standings.at("web-shop")[0].name, "container shop-web-2");
}

TEST(Merge, TheNewestReadyReplicaDefinesTheRouter) {
  Catalog catalog = test::catalog();
  const auto rule = [](const char* host) {
    return Labels{{"traefik.http.routers.r.rule", std::string("Host(`") + host + "`)"}};
  };
  catalog.seen(replica("shop", "web", 2, rule("old")), true, at(0s));
  Container next = replica("shop", "web", 3, rule("new"));
  next.health = Health::Starting;
  catalog.seen(next, false, at(1s));
  EXPECT_EQ(catalog.compose().http.routers.at("r").options.rule, "Host(`old`)") << "the new one is not ready";

  next.health = Health::Healthy;
  catalog.seen(next, false, at(2s));

  const model::Dynamic d = catalog.compose();
  EXPECT_EQ(d.http.routers.at("r").options.rule, "Host(`new`)");
  EXPECT_FALSE(has(d.http.routers.at("r"), ReasonKind::Conflict));
}

TEST(Merge, TheOlderOwnerKeepsANameAndTheOtherIsFlagged) {
  Catalog catalog = test::catalog();
  const Labels first{{"traefik.http.routers.r.rule", "Host(`a`)"},
                     {"traefik.http.services.s.loadbalancer.server.port", "1"}};
  const Labels second{{"traefik.http.routers.r.rule", "Host(`b`)"},
                      {"traefik.http.routers.other.rule", "Host(`c`)"},
                      {"traefik.http.services.s.loadbalancer.strategy", "p2c"},
                      {"traefik.http.services.s.loadbalancer.server.port", "1"}};
  catalog.seen(container("younger", 9, second), true, at(0s));
  catalog.seen(container("older", 2, first), true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_EQ(d.http.routers.at("r").options.rule, "Host(`a`)");
  EXPECT_TRUE(has(d.http.routers.at("r"), ReasonKind::Conflict));
  EXPECT_FALSE(d.http.routers.at("r").broken());
  EXPECT_EQ(urls(d, "s"), (std::vector<std::string>{"http://172.17.0.2:1"}))
      << "a different definition does not join";
  EXPECT_TRUE(d.http.routers.at("other").broken()) << "it meant the younger container's service";
}

// What an older container defines too, differently, and the labels that build upon it.
struct Taken {
  const char* name;
  Labels first;
  Labels second;
};

class MergeOfTakenNames : public testing::TestWithParam<Taken> {};

TEST_P(MergeOfTakenNames, NothingStandsOnAnothersElement) {
  Catalog catalog = test::catalog();
  catalog.seen(container("older", 2, GetParam().first), true, at(0s));
  catalog.seen(container("younger", 9, GetParam().second), true, at(0s));

  model::Dynamic d = catalog.compose();
  model::validate(d, model::Static{});

  const auto broken = [](const auto& elements, const std::string& name) {
    const auto found = elements.find(name);
    return found != elements.end() && found->second.broken();
  };
  EXPECT_TRUE(broken(d.http.routers, "r") || broken(d.http.services, "s") ||
              broken(d.http.middlewares, "m") || broken(d.tcp.routers, "r") || broken(d.udp.routers, "r"));
}

const Labels kAppElsewhere{{"traefik.http.services.app.loadbalancer.server.port", "1"}};
const Labels kApp{{"traefik.http.routers.r.rule", "Host(`b`)"},
                  {"traefik.http.routers.r.service", "s"},
                  {"traefik.http.services.app.loadbalancer.strategy", "p2c"}};

Labels with(Labels labels, std::initializer_list<Labels::value_type> more) {
  labels.insert(more);
  return labels;
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, MergeOfTakenNames,
    testing::Values(Taken{"weighted", kAppElsewhere,
                          with(kApp, {{"traefik.http.services.s.weighted.services[0].name", "app"}})},
                    Taken{"mirroring", kAppElsewhere,
                          with(kApp, {{"traefik.http.services.s.mirroring.service", "app@docker"}})},
                    Taken{"failover", kAppElsewhere,
                          with(kApp, {{"traefik.http.services.s.failover.service", "other@file"},
                                      {"traefik.http.services.s.failover.fallback", "app"}})},
                    Taken{"qualified",
                          kAppElsewhere,
                          {{"traefik.http.routers.r.service", "app@docker"},
                           {"traefik.http.services.app.loadbalancer.strategy", "p2c"}}},
                    Taken{"transport",
                          {{"traefik.http.serverstransports.t.insecureskipverify", "true"}},
                          {{"traefik.http.serverstransports.t.servername", "b"},
                           {"traefik.http.services.s.loadbalancer.serverstransport", "t"}}},
                    Taken{"options",
                          {{"traefik.tls.options.o.minversion", "VersionTLS12"}},
                          {{"traefik.http.routers.r.tls.options", "o"},
                           {"traefik.tls.options.o.clientauth.clientauthtype", "RequireAnyClientCert"}}},
                    Taken{"chain",
                          {{"traefik.http.middlewares.auth.headers.customrequestheaders.x", "y"}},
                          {{"traefik.http.routers.r.middlewares", "m@docker"},
                           {"traefik.http.middlewares.m.chain.middlewares", "auth"},
                           {"traefik.http.middlewares.auth.basicauth.users", "a:b"}}},
                    Taken{"parent",
                          {{"traefik.http.routers.top.rule", "Host(`a`)"}},
                          {{"traefik.http.routers.top.rule", "Host(`b`)"},
                           {"traefik.http.routers.r.rule", "PathPrefix(`/`)"},
                           {"traefik.http.routers.r.parentrefs", "top"}}},
                    Taken{"tcp",
                          {{"traefik.tcp.middlewares.m.ipallowlist.sourcerange", "0.0.0.0/0"}},
                          {{"traefik.tcp.middlewares.m.ipallowlist.sourcerange", "10.0.0.1"},
                           {"traefik.tcp.routers.r.rule", "HostSNI(`*`)"},
                           {"traefik.tcp.routers.r.middlewares", "m"}}},
                    Taken{"udp",
                          {{"traefik.udp.services.u.loadbalancer.server.port", "1"}},
                          {{"traefik.udp.services.u.weighted.services[0].name", "x"},
                           {"traefik.udp.routers.r.service", "u"}}}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(Merge, WhatUsesNothingThatIsTakenStands) {
  Catalog catalog = test::catalog();
  catalog.seen(container("older", 2, kAppElsewhere), true, at(0s));
  catalog.seen(container("younger", 9,
                         with(kApp, {{"traefik.http.services.s.weighted.services[0].name", "app@file"},
                                     {"traefik.http.routers.own.service", "mine"},
                                     {"traefik.http.services.mine.loadbalancer.server.port", "1"}})),
               true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_FALSE(d.http.services.at("s").broken()) << "another provider's";
  EXPECT_FALSE(d.http.routers.at("own").broken());
}

TEST(Merge, TheHolderKeepsItsNameThroughRecreation) {
  Catalog catalog = test::catalog();
  const auto rule = [](const char* host) {
    return Labels{{"traefik.http.routers.r.rule", std::string("Host(`") + host + "`)"}};
  };
  catalog.seen(container("holder", 2, rule("a")), true, at(0s));
  catalog.compose();
  catalog.seen(container("rival", 3, rule("b")), false, at(1s));
  catalog.removed("", "id-2", at(2s));
  EXPECT_EQ(catalog.compose().http.routers.at("r").options.rule, "Host(`a`)") << "remembered for 30 s";

  catalog.seen(container("holder", 4, rule("a")), false, at(3s));
  EXPECT_EQ(catalog.compose().http.routers.at("r").options.rule, "Host(`a`)")
      << "though the rival is older now";

  catalog.removed("", "id-4", at(4s));
  catalog.tick(at(40s));
  EXPECT_EQ(catalog.compose().http.routers.at("r").options.rule, "Host(`b`)");
}

TEST(Merge, EqualDefinitionsOfDifferentOwnersJoin) {
  Catalog catalog = test::catalog();
  const Labels labels{{"traefik.http.routers.r.rule", "Host(`a`)"},
                      {"traefik.http.services.s.loadbalancer.server.port", "1"}};
  catalog.seen(container("one", 2, labels), true, at(0s));
  catalog.seen(container("two", 3, labels), true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_EQ(urls(d, "s").size(), 2u);
  EXPECT_FALSE(has(d.http.services.at("s"), ReasonKind::Conflict));
}

TEST(Merge, OnTwoEnginesOnlyEqualComposeServicesJoin) {
  Catalog catalog(test::settings(), {{"", Place{}}, {"edge", Place{}}});
  Container far = replica("shop", "web", 3);
  far.host = "edge";
  Container plain = container("web", 4);
  Container far_plain = container("web", 5);
  far_plain.host = "edge";
  for (const Container& c : {replica("shop", "web", 2), far, plain, far_plain}) catalog.seen(c, true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_EQ(urls(d, "web-shop").size(), 2u);
  EXPECT_EQ(urls(d, "web"), (std::vector<std::string>{"http://172.17.0.4:80"}));
  ASSERT_TRUE(has(d.http.services.at("web"), ReasonKind::Conflict));
  EXPECT_EQ(
      d.http.services.at("web").reasons[0].text,
      "http.services.web is defined on two engines by container web and by container web on edge; the former "
      "counts");
}

TEST(Merge, WhatHasNoServersIsTheSameOnEveryEngineWhenItIsDefinedAlike) {
  Catalog catalog(test::settings(), {{"", Place{}}, {"edge", Place{}}});
  const auto labels = [](const char* name) {
    const std::string router = std::string("traefik.http.routers.") + name;
    return Labels{{router + ".rule", std::string("Host(`") + name + "`)"},
                  {router + ".middlewares", "m"},
                  {"traefik.http.middlewares.m.headers.customrequestheaders.x", "y"}};
  };
  Container far = container("b", 3, labels("b"));
  far.host = "edge";
  catalog.seen(container("a", 2, labels("a")), true, at(0s));
  catalog.seen(far, true, at(0s));

  const model::Dynamic d = catalog.compose();

  EXPECT_FALSE(d.http.routers.at("a").broken());
  EXPECT_FALSE(d.http.routers.at("b").broken());
  EXPECT_FALSE(has(d.http.middlewares.at("m"), ReasonKind::Conflict));
}

TEST(Merge, OfEqualRulesTheOneWithAReadyServerComesFirst) {
  Catalog catalog = test::catalog();
  const auto labels = [](const std::string& router) {
    return Labels{{"traefik.http.routers." + router + ".rule", "Host(`same`)"}};
  };
  catalog.seen(container("older", 2, labels("first")), true, at(0s));
  catalog.seen(container("younger", 3, labels("second")), true, at(0s));
  model::Dynamic d = catalog.compose();
  EXPECT_FALSE(has(d.http.routers.at("first"), ReasonKind::Shadowed));
  EXPECT_TRUE(has(d.http.routers.at("second"), ReasonKind::Shadowed));

  Container stopped = container("older", 2, labels("first"));
  stopped.running = Running::Exited;
  catalog.seen(stopped, false, at(1s));

  d = catalog.compose();
  EXPECT_TRUE(has(d.http.routers.at("first"), ReasonKind::Shadowed)) << "a stopped owner yields its hosts";
  EXPECT_FALSE(has(d.http.routers.at("second"), ReasonKind::Shadowed));
}

TEST(Merge, RoutersOfOtherEntryPointsOrTlsDoNotShadowEachOther) {
  Catalog catalog = test::catalog();
  catalog.seen(container("a", 2,
                         {{"traefik.http.routers.plain.rule", "Host(`same`)"},
                          {"traefik.http.routers.plain.entrypoints", "web"},
                          {"traefik.http.routers.admin.rule", "Host(`same`)"},
                          {"traefik.http.routers.admin.entrypoints", "admin"},
                          {"traefik.http.routers.secure.rule", "Host(`same`)"},
                          {"traefik.http.routers.secure.tls", "true"}}),
               true, at(0s));

  for (const auto& [name, router] : catalog.compose().http.routers)
    EXPECT_FALSE(has(router, ReasonKind::Shadowed)) << name;
}

TEST(Merge, RoutersBelowDifferentParentsDoNotShadowEachOther) {
  Catalog catalog = test::catalog();
  Labels labels;
  for (const char* parent : {"one", "two"}) {
    labels[fmt::format("traefik.http.routers.{}.rule", parent)] = fmt::format("Host(`{}`)", parent);
    labels[fmt::format("traefik.http.routers.below-{}.rule", parent)] = "PathPrefix(`/api`)";
    labels[fmt::format("traefik.http.routers.below-{}.parentrefs", parent)] = parent;
  }
  labels["traefik.http.routers.alone.rule"] = "PathPrefix(`/api`)";
  catalog.seen(container("a", 2, labels), true, at(0s));

  const model::Dynamic d = catalog.compose();

  for (const auto& [name, router] : d.http.routers) EXPECT_TRUE(router.reasons.empty()) << name;
  EXPECT_EQ(d.http.routers.at("one").options.service, "") << "it hands requests to those below it";
  EXPECT_EQ(d.http.routers.at("below-one").options.service, "a");
}

TEST(Merge, DoesNotDependOnTheOrderOfArrival) {
  std::vector<Container> all{replica("shop", "web", 2), replica("shop", "web", 3), container("db", 4),
                             container("x", 5, {{"traefik.http.routers.db.rule", "Host(`x`)"}})};
  Catalog forward = test::catalog(), backward = test::catalog();
  for (const Container& c : all) forward.seen(c, true, at(0s));
  std::ranges::reverse(all);
  for (const Container& c : all) backward.seen(c, true, at(0s));

  EXPECT_EQ(forward.compose(), backward.compose());
}

}  // namespace
}  // namespace fairlead::providers::docker
