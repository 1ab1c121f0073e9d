#include "engine/middleware/registry.h"
#include "engine/model/merge.h"
#include "engine/model/read.h"
#include "engine/model/validate.h"
#include "engine/runtime/compile.h"
#include "engine/runtime/server_up.h"
#include "engine/schema/file.h"
#include "engine/service/health_check.h"

#include <gtest/gtest.h>

namespace fairlead::runtime {
namespace {

class CompositeCompiler : public ::testing::Test {
 protected:
  // `services`: what a file says below http.services, each on a line of its own.
  std::shared_ptr<const Snapshot> compile(const std::string& services, const Snapshot* previous = nullptr) {
    auto node =
        schema::read_yaml("http: {services: {a: " + kA + ", b: " + kB + ", " + services + "}}", "test.yml");
    EXPECT_TRUE(node) << (node ? "" : node.error().what);
    const model::MiddlewareTypes types{middleware::type_names(), {}};
    auto config = std::make_shared<const model::Dynamic>(model::read_dynamic(*node, {"test.yml"}, types));
    schema::Problems problems;
    auto install = std::make_shared<const model::Static>(model::read_static({}, problems));
    const std::vector<model::ProviderConfig> parts = {{"file", config}};
    auto merged = std::make_shared<model::Dynamic>(model::merge(parts));
    model::validate(*merged, *install);
    return compiler_.compile(install, merged, previous);
  }
  static std::string problems(const Snapshot& snapshot, const std::string& service) {
    std::string out;
    for (const model::Reason& reason : snapshot.dynamic->http.services.at(service).reasons)
      out += reason.text + "\n";
    return out;
  }
  static upstream::Health& health(const Snapshot& snapshot, const char* service) {
    return snapshot.sets.find(service)->second->servers.at(0).state->health;
  }

  const std::string kA = R"({loadBalancer: {servers: [{url: "http://10.0.0.1"}]}})";
  const std::string kB = R"({loadBalancer: {servers: [{url: "http://10.0.0.2"}]}})";
  Compiler compiler_{[](std::string_view) { return nullptr; }};
};

TEST_F(CompositeCompiler, BuildsEveryKind) {
  const auto snapshot = compile(R"(
    w: {weighted: {services: [{name: a, weight: 3}, {name: b}], sticky: {cookie: {}}}},
    h: {highestRandomWeight: {services: [{name: a}, {name: b}]}},
    m: {mirroring: {service: a, mirrors: [{name: b, percent: 10}]}},
    f: {failover: {service: a, fallback: b, errors: {status: ["500-599"]}}},
    n: {weighted: {services: [{name: w}, {name: h}, {name: m}, {name: f}]}})");

  for (const char* name : {"w@file", "h@file", "m@file", "f@file", "n@file"})
    EXPECT_EQ(problems(*snapshot, name), "") << name;
}

TEST_F(CompositeCompiler, WhatCannotBeBuiltSaysWhy) {
  const auto snapshot = compile(R"(
    above: {weighted: {services: [{name: a}, {name: port}]}},
    much: {mirroring: {service: a, mirrors: [{name: b, percent: 101}]}},
    range: {failover: {service: a, fallback: b, errors: {status: ["abc"]}}},
    port: {loadBalancer: {servers: [{url: "http://10.0.0.3:99999"}]}})");

  EXPECT_NE(problems(*snapshot, "above@file").find("\"port@file\" is broken"), std::string::npos);
  EXPECT_NE(problems(*snapshot, "much@file").find("percent"), std::string::npos);
  EXPECT_NE(problems(*snapshot, "range@file").find("failover.errors.status"), std::string::npos);
  EXPECT_NE(problems(*snapshot, "port@file").find("loadBalancer.servers"), std::string::npos);
}

TEST_F(CompositeCompiler, HealthSurvivesWhileTheCheckIsTheSame) {
  const char* checked =
      R"(c: {loadBalancer: {healthCheck: {path: /health}, servers: [{url: "http://10.0.0.3"}]}})";
  const auto first = compile(checked);
  ASSERT_EQ(first->health_plans.size(), 1u);
  EXPECT_EQ(first->health_plans[0]->service, "c@file");
  health(*first, "c@file").fail({"status 500", {}, {}, false});
  EXPECT_EQ(server_up(*first, "c@file", "http://10.0.0.3"), false);
  EXPECT_EQ(server_up(*first, "a@file", "http://10.0.0.1"), std::nullopt);

  const auto second = compile(std::string(checked) + ", more: " + kA, first.get());
  EXPECT_FALSE(health(*second, "c@file").good());
  EXPECT_EQ(second->health_plans[0]->key, first->health_plans[0]->key);

  const auto third =
      compile(R"(c: {loadBalancer: {healthCheck: {path: /other}, servers: [{url: "http://10.0.0.3"}]}})",
              second.get());
  EXPECT_TRUE(health(*third, "c@file").good());
  EXPECT_NE(third->health_plans[0]->key, first->health_plans[0]->key);
}

}  // namespace
}  // namespace fairlead::runtime
