#include "engine/runtime/compile.h"

#include <gtest/gtest.h>

namespace fairlead::runtime {
namespace {

using model::ServerState;

class UdpCompilerTest : public ::testing::Test {
 protected:
  UdpCompilerTest() { install_.entry_points["dns"].address = ":53/udp"; }

  // A router on the entry point and its service, whose only container is in `state`.
  void add(const std::string& name, ServerState state) {
    const std::string address = "10.0.0.1:53";
    dynamic_.udp.routers[name].options.service = name;
    auto& servers = dynamic_.udp.services[name].options.load_balancer.emplace().servers;
    servers.emplace_back().address = address;
    dynamic_.udp.standings[name] = {{.name = "container " + name, .url = address, .state = state}};
  }

  // The router that serves the entry point.
  std::string compile() {
    compiled_ = std::make_shared<model::Dynamic>(dynamic_);
    return compiler_.compile(std::make_shared<const model::Static>(install_), compiled_, nullptr)
        ->udp_routes.at("dns")
        ->router;
  }
  bool flagged(const std::string& name) const { return !compiled_->udp.routers.at(name).reasons.empty(); }

  model::Static install_;
  model::Dynamic dynamic_;
  std::shared_ptr<model::Dynamic> compiled_;
  Compiler compiler_{[](std::string_view) { return nullptr; }};
};

TEST_F(UdpCompilerTest, TheLastByNameServes) {
  add("a@docker", ServerState::Ready);
  add("b@docker", ServerState::Ready);

  EXPECT_EQ(compile(), "b@docker");
  EXPECT_TRUE(flagged("a@docker"));
  EXPECT_FALSE(flagged("b@docker"));
}

TEST_F(UdpCompilerTest, WhatStoppedYieldsToWhatRuns) {
  add("a@docker", ServerState::Ready);
  add("b@docker", ServerState::Gone);
  add("c@docker", ServerState::Draining);

  EXPECT_EQ(compile(), "a@docker");
  EXPECT_FALSE(flagged("a@docker"));
  EXPECT_TRUE(flagged("b@docker") && flagged("c@docker"));
}

TEST_F(UdpCompilerTest, WhereNoneCanServeTheLastByNameIsMeant) {
  add("a@docker", ServerState::Gone);
  add("b@docker", ServerState::Gone);

  EXPECT_EQ(compile(), "b@docker");
}

}  // namespace
}  // namespace fairlead::runtime
