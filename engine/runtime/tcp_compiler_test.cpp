#include "engine/middleware/registry.h"
#include "engine/model/merge.h"
#include "engine/model/read.h"
#include "engine/model/validate.h"
#include "engine/runtime/compile.h"
#include "engine/schema/file.h"
#include "engine/tcp/health_check.h"
#include "engine/tcp/registry.h"

#include <gtest/gtest.h>

namespace fairlead::runtime {
namespace {

using Kind = routing::TcpDecision::Kind;

class TcpCompilerTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Snapshot> compile(const std::string& yaml, const Snapshot* previous = nullptr) {
    auto node = schema::read_yaml(yaml, "test.yml");
    EXPECT_TRUE(node) << (node ? "" : node.error().what);
    const model::MiddlewareTypes types{middleware::type_names(), tcp::type_names()};
    auto config = std::make_shared<const model::Dynamic>(model::read_dynamic(*node, {"test.yml"}, types));
    schema::Problems problems;
    auto install = std::make_shared<const model::Static>(model::read_static({}, problems));
    const std::vector<model::ProviderConfig> parts = {{"file", config}};
    auto merged = std::make_shared<model::Dynamic>(model::merge(parts));
    model::validate(*merged, *install);
    return compiler_.compile(install, merged, previous);
  }
  static const TcpTable& table(const Snapshot& snapshot) {
    return snapshot.entry_points.find("http")->second.tcp;
  }
  static routing::TcpDecision tls(const Snapshot& snapshot, std::string_view name) {
    return table(snapshot).router.tls({.server_name = name, .alpn = {}, .client = {}});
  }

  Compiler compiler_{[](std::string_view) { return nullptr; }};
};

constexpr const char* kDatabase = R"yaml(
tcp:
  routers:
    db: {rule: "HostSNI(`db.example.com`)", service: db, tls: {}}
    raw: {rule: "HostSNI(`raw.example.com`)", service: db, tls: {passthrough: true}}
    plain: {rule: "HostSNI(`*`)", service: db}
  services:
    db: {loadBalancer: {servers: [{address: "10.0.0.1:5432"}, {address: "[::1]:5432"}]}}
)yaml";

TEST_F(TcpCompilerTest, PutsRoutersIntoTheTableOfTheirEntryPoint) {
  const auto snapshot = compile(kDatabase);

  const auto named = tls(*snapshot, "db.example.com");
  ASSERT_EQ(named.kind, Kind::TlsTcp);
  const tcp::Route& db = *table(*snapshot).tls[named.index];
  EXPECT_EQ(db.name, "db@file");
  EXPECT_TRUE(db.options);
  EXPECT_FALSE(db.passthrough);
  EXPECT_TRUE(db.service);
  EXPECT_TRUE(db.broken.empty());
  EXPECT_TRUE(table(*snapshot).tls[tls(*snapshot, "raw.example.com").index]->passthrough);
  EXPECT_EQ(table(*snapshot).router.plain({}).kind, Kind::Tcp);
  EXPECT_EQ(tls(*snapshot, "other.example.com").kind, Kind::HttpsUnmatched);
}

TEST_F(TcpCompilerTest, TakesAddressesApart) {
  const auto snapshot = compile(kDatabase);

  const auto& servers = snapshot->tcp_sets.find("db@file")->second->servers;
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[0].address.host, "10.0.0.1");
  EXPECT_EQ(servers[0].address.port, 5432);
  EXPECT_EQ(servers[1].address.host, "::1");
  EXPECT_TRUE(servers[1].address.ip);
}

TEST_F(TcpCompilerTest, NamesOfHttpsRoutersComeFirst) {
  const auto snapshot = compile(std::string(kDatabase) + R"yaml(
http:
  routers:
    web: {rule: "Host(`db.example.com`)", service: web, tls: {}}
  services:
    web: {loadBalancer: {servers: [{url: "http://10.0.0.9"}]}}
)yaml");

  EXPECT_EQ(tls(*snapshot, "db.example.com").kind, Kind::Https);
  EXPECT_EQ(tls(*snapshot, "raw.example.com").kind, Kind::TlsTcp);
}

TEST_F(TcpCompilerTest, ABrokenRouterKeepsItsPlaceAndTakesNobody) {
  const auto snapshot = compile(R"yaml(
tcp:
  routers:
    db: {rule: "HostSNI(`db.example.com`)", service: db, tls: {}, middlewares: [guard]}
    any: {rule: "HostSNI(`*`)", service: db, tls: {}}
  middlewares:
    guard: {ipAllowList: {sourceRange: ["10.0.0.0/99"]}}
  services:
    db: {loadBalancer: {servers: [{address: "10.0.0.1:5432"}]}}
)yaml");

  const auto decision = tls(*snapshot, "db.example.com");
  ASSERT_EQ(decision.kind, Kind::TlsTcp);
  const tcp::Route& db = *table(*snapshot).tls[decision.index];
  EXPECT_EQ(db.name, "db@file");
  EXPECT_FALSE(db.admit({}));
  EXPECT_TRUE(snapshot->dynamic->tcp.routers.at("db@file").broken());
}

TEST_F(TcpCompilerTest, AMissingSetOfTlsOptionsBreaksTheRouter) {
  const auto snapshot = compile(R"yaml(
tcp:
  routers:
    db: {rule: "HostSNI(`db.example.com`)", service: db, tls: {options: strict}}
  services:
    db: {loadBalancer: {servers: [{address: "10.0.0.1:5432"}]}}
)yaml");

  EXPECT_NE(table(*snapshot).tls[0]->broken.find("strict"), std::string::npos);
}

TEST_F(TcpCompilerTest, AnUnchangedServiceKeepsItsServersAndTheirState) {
  const auto before = compile(kDatabase);
  before->tcp_sets.find("db@file")->second->servers[0].state->health.fail({"down", {}, {}});
  const auto after = compile(kDatabase, before.get());

  EXPECT_EQ(after->tcp_sets.find("db@file")->second, before->tcp_sets.find("db@file")->second);
  EXPECT_TRUE(after->changed_sets.empty());
}

TEST_F(TcpCompilerTest, AServiceThatIsGoneIsTakenFromTheWorkers) {
  const auto before = compile(kDatabase);
  const auto after = compile("tcp: {}", before.get());

  ASSERT_EQ(after->changed_sets.size(), 1u);
  EXPECT_FALSE(after->changed_sets[0].second);
}

TEST_F(TcpCompilerTest, AStateReachesTheServerOfThatAddress) {
  const auto snapshot = compile(kDatabase);

  EXPECT_EQ(compiler_.set_phases(*snapshot, {{"10.0.0.1:5432", upstream::Phase::Draining}}).size(), 1u);

  const auto& servers = snapshot->tcp_sets.find("db@file")->second->servers;
  EXPECT_FALSE(servers[0].state->usable());
  EXPECT_TRUE(servers[1].state->usable());
}

TEST_F(TcpCompilerTest, PlansTheChecksOfAService) {
  const auto snapshot = compile(R"yaml(
tcp:
  services:
    db: {loadBalancer: {servers: [{address: "10.0.0.1:5432"}], healthCheck: {port: 8080, send: PING, expect: PONG}}}
)yaml");

  ASSERT_EQ(snapshot->tcp_health_plans.size(), 1u);
  const tcp::HealthPlan& plan = *snapshot->tcp_health_plans[0];
  EXPECT_EQ(plan.service, "db@file");
  EXPECT_EQ(plan.check.expect, "PONG");
  EXPECT_EQ(tcp::check_address(plan.set->servers[0].address, plan.check).url, "10.0.0.1:8080");
}

TEST_F(TcpCompilerTest, OneNameMayMeanAnHttpAndATcpService) {
  const auto snapshot = compile(R"yaml(
http: {services: {db: {loadBalancer: {servers: [{url: "http://10.0.0.1:80"}]}}}}
tcp: {services: {db: {loadBalancer: {servers: [{address: "10.0.0.1:5432"}]}}}}
)yaml");

  EXPECT_EQ(snapshot->changed_sets.size(), 2u);
  EXPECT_NE(snapshot->changed_sets[0].first, snapshot->changed_sets[1].first);
}

}  // namespace
}  // namespace fairlead::runtime
