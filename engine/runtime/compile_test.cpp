#include "engine/runtime/compile.h"

#include "engine/middleware/registry.h"
#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/read.h"
#include "engine/model/validate.h"
#include "engine/schema/file.h"
#include "engine/service/health_check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

namespace fairlead::runtime {
namespace {

class CompileTest : public ::testing::Test {
 protected:
  // What a file of the provider `docker` would say, compiled.
  std::shared_ptr<const Snapshot> compile(const std::string& yaml, const Snapshot* previous = nullptr) {
    auto node = schema::read_yaml(yaml, "test.yml");
    EXPECT_TRUE(node) << (node ? "" : node.error().what);
    const model::MiddlewareTypes types{middleware::type_names(), {}};
    auto config = std::make_shared<const model::Dynamic>(model::read_dynamic(*node, {"test.yml"}, types));
    schema::Problems problems;
    auto install = std::make_shared<const model::Static>(model::read_static({}, problems));
    const std::vector<model::ProviderConfig> parts = {{"docker", config}};
    auto merged = std::make_shared<model::Dynamic>(model::merge(parts));
    model::validate(*merged, *install);
    return compiler_.compile(install, merged, previous);
  }
  const exchange::Route* route(const Snapshot& snapshot, const std::string& host,
                               const std::string& path = "/") {
    Arena arena;
    http::RequestHead head(arena);
    head.method = "GET";
    head.host = host;
    head.path = path;
    routing::Scratch scratch;
    return snapshot.entry_points.find("http")->second.entry.plain.find(head, {{}, scratch});
  }

  // Where the snapshot sends who waits at a service that is gone.
  std::optional<upstream::SetId> successor_of(const std::string& service, const Snapshot& snapshot) {
    for (const auto& [id, set] : snapshot.changed_sets)
      if (id == compiler_.set_id(service) && set) return set->successor;
    return std::nullopt;
  }

  Compiler compiler_{[](std::string_view) { return nullptr; }};
};

constexpr const char* kShop = R"yaml(
http:
  routers:
    shop: {rule: "Host(`shop.example.com`)", service: shop}
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1:80", weight: 3}, {url: "http://10.0.0.2:80"}]}}
)yaml";

TEST_F(CompileTest, PutsARouterInTheTableOfItsEntryPoint) {
  const auto snapshot = compile(kShop);

  const exchange::Route* found = route(*snapshot, "shop.example.com");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "shop@docker");
  EXPECT_EQ(found->service_name, "shop@docker");
  EXPECT_FALSE(route(*snapshot, "other.example.com"));
  EXPECT_EQ(snapshot->sets.find("shop@docker")->second->schedule.size(), 4u);
}

TEST_F(CompileTest, AnUnchangedServiceKeepsItsServerSetAndPosition) {
  const auto first = compile(kShop);
  first->sets.find("shop@docker")->second->state->position = 41;

  const auto second = compile(kShop, first.get());

  EXPECT_TRUE(second->changed_sets.empty());
  EXPECT_EQ(second->sets.find("shop@docker")->second->state->position, 41u);
}

TEST_F(CompileTest, AServiceThatIsGoneIsTakenFromTheWorkers) {
  const auto first = compile(kShop);

  const auto second = compile("http: {}", first.get());

  ASSERT_EQ(second->changed_sets.size(), 1u);
  EXPECT_EQ(second->changed_sets[0].second, nullptr);
}

TEST_F(CompileTest, NoHttpServiceIsNamedLikeATcpOne) {
  const auto snapshot = compile(R"yaml(
http:
  services:
    tcp db: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}
tcp:
  services:
    db: {loadBalancer: {servers: [{address: "10.0.0.2:5432"}]}}
)yaml");

  ASSERT_EQ(snapshot->changed_sets.size(), 2u);
  EXPECT_NE(snapshot->changed_sets[0].first, snapshot->changed_sets[1].first);
  EXPECT_NE(snapshot->changed_sets[0].second->state, snapshot->changed_sets[1].second->state);
}

TEST_F(CompileTest, RoutersBelowOthersHaveNoPlaceOfTheirOwn) {
  const auto snapshot = compile(R"yaml(
http:
  routers:
    site: {rule: "Host(`shop.example.com`)"}
    cart: {rule: "PathPrefix(`/cart`)", parentRefs: [site], service: shop}
    lost: {rule: "PathPrefix(`/lost`)", parentRefs: [nobody], service: shop}
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}
)yaml");

  const exchange::Route* found = route(*snapshot, "shop.example.com", "/cart");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "site@docker");
  EXPECT_FALSE(route(*snapshot, "other.example.com", "/cart"));
  EXPECT_FALSE(route(*snapshot, "other.example.com", "/lost"));
}

TEST_F(CompileTest, ARouterThatAnotherOneOfTheSameRuleComesBeforeIsTold) {
  const auto snapshot = compile(R"yaml(
http:
  routers:
    a: {rule: "Host(`a`)", service: shop}
    b: {rule: "Host(`a`)", service: shop, priority: 9}
    other-priority: {rule: "Host(`a`)", service: shop, priority: 10}
    secure: {rule: "Host(`a`)", service: shop, tls: {}}
    site: {rule: "Host(`site`)"}
    c: {rule: "Path(`/c`)", parentRefs: [site], service: shop}
    d: {rule: "Path(`/c`)", parentRefs: [site], service: shop}
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}
tcp:
  routers:
    t: {rule: "HostSNI(`*`)", service: shop}
    u: {rule: "HostSNI(`*`)", service: shop}
  services:
    shop: {loadBalancer: {servers: [{address: "10.0.0.1:80"}]}}
)yaml");

  const auto said = [](const auto& element) {
    return element.reasons.empty() ? "" : element.reasons.front().text;
  };
  const auto& routers = snapshot->dynamic->http.routers;
  const std::string behind = "the router {}@docker has the same rule and priority and comes first";
  EXPECT_EQ(said(routers.at("b@docker")), fmt::format(fmt::runtime(behind), "a"));
  EXPECT_EQ(said(routers.at("d@docker")), fmt::format(fmt::runtime(behind), "c"));
  EXPECT_EQ(said(snapshot->dynamic->tcp.routers.at("u@docker")), fmt::format(fmt::runtime(behind), "t"));
  EXPECT_EQ(route(*snapshot, "a")->name, "other-priority@docker");
  for (const char* first : {"a@docker", "other-priority@docker", "secure@docker", "c@docker"})
    EXPECT_EQ(said(routers.at(first)), "");
}

TEST_F(CompileTest, ARouterWithABrokenMiddlewareKeepsItsPlace) {
  const auto snapshot = compile(R"yaml(
http:
  routers:
    shop: {rule: "Host(`shop.example.com`)", service: shop, middlewares: [auth]}
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}
)yaml");

  const exchange::Route* found = route(*snapshot, "shop.example.com");
  ASSERT_TRUE(found) << "it must not fall through to another router, nor be served unguarded";
  EXPECT_TRUE(snapshot->dynamic->http.routers.at("shop@docker").broken());
}

TEST_F(CompileTest, ARouterWithHundredsOfMiddlewaresIsBroken) {
  std::string names = "ten";
  for (int i = 0; i < 10; ++i) names += ", ten";
  const auto snapshot = compile(R"yaml(
http:
  routers:
    shop: {rule: "Host(`shop.example.com`)", service: shop, middlewares: [)yaml" +
                                names + R"yaml(]}
    fits: {rule: "Host(`fits.example.com`)", service: shop, middlewares: [ten, ten, zip]}
  middlewares:
    ten: {chain: {middlewares: [zip, zip, zip, zip, zip, zip, zip, zip, zip, zip]}}
    zip: {compress: {}}
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}
)yaml");

  EXPECT_TRUE(route(*snapshot, "shop.example.com")) << "it keeps its place";
  EXPECT_TRUE(snapshot->dynamic->http.routers.at("shop@docker").broken());
  EXPECT_FALSE(snapshot->dynamic->http.routers.at("fits@docker").broken());
}

TEST_F(CompileTest, ARuleThatDoesNotParseIsListedAsBroken) {
  const auto snapshot = compile(R"yaml(
http:
  routers:
    shop: {rule: "Hots(`shop.example.com`)", service: shop}
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}
)yaml");

  EXPECT_FALSE(route(*snapshot, "shop.example.com"));
  EXPECT_TRUE(snapshot->dynamic->http.routers.at("shop@docker").broken());
}

TEST_F(CompileTest, AStateAloneReachesTheServersWithoutCompiling) {
  const auto snapshot = compile(kShop);

  const auto changed = compiler_.set_phases(*snapshot, {{"http://10.0.0.1:80", upstream::Phase::Draining}});

  EXPECT_EQ(changed.size(), 1u);
  const auto& set = *snapshot->sets.find("shop@docker")->second;
  EXPECT_FALSE(set.servers[0].state->usable());
  EXPECT_TRUE(set.servers[1].state->usable());
}

TEST_F(CompileTest, WeightsShutNobodyOutOfTwoChoices) {
  const auto snapshot = compile(R"yaml(
http:
  services:
    drawn: {loadBalancer: {strategy: p2c, servers: [{url: "http://10.0.0.1", weight: 0}]}}
    turns: {loadBalancer: {servers: [{url: "http://10.0.0.1", weight: 0}]}}
)yaml");

  EXPECT_TRUE(snapshot->sets.find("drawn@docker")->second->any_usable());
  EXPECT_FALSE(snapshot->sets.find("turns@docker")->second->any_usable());
}

TEST_F(CompileTest, TheTimeIsKeptWhenTheLastServerLeaves) {
  const auto snapshot = compile(kShop);
  const auto& set = *snapshot->sets.find("shop@docker")->second;
  compiler_.set_phases(*snapshot, {{"http://10.0.0.1:80", upstream::Phase::Draining}});
  EXPECT_EQ(set.state->last_left, 0);

  compiler_.set_phases(*snapshot, {{"http://10.0.0.2:80", upstream::Phase::Gone}});

  EXPECT_NE(set.state->last_left, 0);
}

TEST_F(CompileTest, WhatRestsSoonAfterASuccessorCameIsNotWaitedFor) {
  const auto snapshot = compile(kShop);
  const auto& set = *snapshot->sets.find("shop@docker")->second;
  const std::string first = "http://10.0.0.1:80", second = "http://10.0.0.2:80";
  const auto both = [&](upstream::Phase phase) {
    compiler_.set_phases(*snapshot, {{first, phase}, {second, phase}});
  };
  both(upstream::Phase::Gone);
  ASSERT_NE(set.state->last_left, 0);

  both(upstream::Phase::Ready);
  both(upstream::Phase::Resting);

  EXPECT_FALSE(set.any_usable());
  EXPECT_EQ(set.state->last_left, 0);
}

TEST_F(CompileTest, ARollOutMayNameTheServiceOfARouterAnew) {
  const auto running = compile(kShop);
  compiler_.set_phases(*running, {{"http://10.0.0.1:80", upstream::Phase::Gone},
                                  {"http://10.0.0.2:80", upstream::Phase::Gone}});

  const auto renamed = compile(R"yaml(
http:
  routers:
    shop: {rule: "Host(`shop.example.com`)", service: next}
    other: {rule: "Host(`other.example.com`)", service: fresh}
  services:
    next: {loadBalancer: {servers: []}}
    fresh: {loadBalancer: {servers: []}}
)yaml",
                               running.get());

  EXPECT_NE(renamed->sets.find("next@docker")->second->state->last_left, 0);
  EXPECT_EQ(renamed->sets.find("fresh@docker")->second->state->last_left, 0) << "a first start";
  EXPECT_EQ(successor_of("shop@docker", *renamed), compiler_.set_id("next@docker")) << "who waits goes on";

  const auto back = compile(kShop, renamed.get());
  EXPECT_EQ(successor_of("next@docker", *back), compiler_.set_id("shop@docker"));
  EXPECT_EQ(successor_of("shop@docker", *back), std::nullopt);
}

TEST_F(CompileTest, WhoWaitsGoesNowhereWhenNobodyKnowsWhere) {
  const std::string services = R"yaml(
  services:
    old: {loadBalancer: {servers: []}}
    one: {loadBalancer: {servers: []}}
    two: {loadBalancer: {servers: []}}
)yaml";
  const auto site = [](const std::string& routers) {
    std::string out = "http:\n  routers:\n";
    for (std::size_t i = 0; i < routers.size(); ++i)
      out += fmt::format("    r{}: {{rule: \"Host(`{}`)\", service: {}}}\n", i, i,
                         routers[i] == '1'   ? "one"
                         : routers[i] == '2' ? "two"
                                             : "old");
    return out;
  };
  const std::string weighted = "    both: {weighted: {services: [{name: old}, {name: one}]}}\n";
  std::string left = services;
  left.erase(left.find("    old"), left.find("    one") - left.find("    old"));

  const auto successor = [&](const std::string& before, const std::string& after) {
    return successor_of("old@docker", *compile(after, compile(before).get()));
  };
  EXPECT_NE(successor(site("00") + services, site("11") + left), std::nullopt);
  EXPECT_EQ(successor(site("00") + services, site("12") + left), std::nullopt) << "different ways";
  EXPECT_EQ(successor(site("00") + services, site("1") + left), std::nullopt) << "one router is gone";
  EXPECT_EQ(successor(site("0") + services + weighted, site("1") + left), std::nullopt)
      << "a composite had it";
  EXPECT_EQ(successor(site("0") + services, site("0") + left), std::nullopt);

  // The router may go first, and the service later.
  const auto one = compiler_.set_id("one@docker");
  const auto before = compile(site("00") + services);
  const auto moved = compile(site("11") + services, before.get());
  EXPECT_EQ(successor_of("old@docker", *moved), one);
  EXPECT_TRUE(compile(site("11") + services, moved.get())->changed_sets.empty());
  EXPECT_EQ(successor_of("old@docker", *compile(site("11") + left, moved.get())), one);
  const auto back = compile(site("01") + services, moved.get());
  EXPECT_EQ(back->sets.find("old@docker")->second->successor, std::nullopt);
  EXPECT_EQ(successor(site("0") + services, site("1") + services + weighted), std::nullopt) << "in use";
}

TEST_F(CompileTest, ChecksOfPlainServersHaveTheTlsPartForRedirects) {
  const auto snapshot = compile(R"yaml(
http:
  services:
    shop: {loadBalancer: {servers: [{url: "http://10.0.0.1"}], serversTransport: own, healthCheck: {path: /}}}
    odd: {loadBalancer: {servers: [{url: "http://10.0.0.1"}], serversTransport: broken, healthCheck: {path: /}}}
  serversTransports:
    own: {cipherSuites: [TLS_RSA_WITH_RC4_128_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]}
    broken: {rootCAs: [/nowhere/ca.pem]}
)yaml");

  ASSERT_EQ(snapshot->health_plans.size(), 2u);
  for (const auto& plan : snapshot->health_plans) {
    EXPECT_FALSE(plan->set->transport->tls) << plan->service;
    EXPECT_EQ(plan->transport->tls != nullptr, plan->service == "shop@docker");
  }
  // What of it was skipped is told, once.
  EXPECT_EQ(snapshot->dynamic->http.servers_transports.at("own@docker").reasons.size(), 1u);
}

}  // namespace
}  // namespace fairlead::runtime
