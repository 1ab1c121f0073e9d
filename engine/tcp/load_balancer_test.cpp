#include "engine/tcp/load_balancer.h"

#include "engine/tcp/weighted.h"

#include <gtest/gtest.h>

#include <map>

namespace fairlead::tcp {
namespace {

// A set of servers that nobody dials: `pick` alone is asked.
upstream::ServerSet set_of(std::size_t count) {
  upstream::ServerSet set;
  set.state = std::make_shared<upstream::ServiceState>();
  for (std::size_t i = 0; i < count; ++i) {
    upstream::Server server;
    server.state = std::make_shared<upstream::ServerState>();
    set.servers.push_back(std::move(server));
  }
  set.schedule = upstream::make_schedule(std::vector<int>(count, 1));
  return set;
}

TEST(TcpPick, TakesTurns) {
  const upstream::ServerSet set = set_of(3);

  std::map<int, int> counts;
  for (int i = 0; i < 9; ++i) ++counts[pick(set, {})];

  EXPECT_EQ(counts, (std::map<int, int>{{0, 3}, {1, 3}, {2, 3}}));
}

TEST(TcpPick, PassesOverServersThatAreDownOrWereTried) {
  const upstream::ServerSet set = set_of(3);
  set.servers[0].state->health.fail({"down", {}, {}});
  const service::Tried tried{set.servers[1].state.get()};

  for (int i = 0; i < 4; ++i) EXPECT_EQ(pick(set, tried), 2);
  set.servers[2].state->phase.store(upstream::Phase::Draining);
  EXPECT_EQ(pick(set, tried), service::kNoServer);
  EXPECT_EQ(pick(set_of(0), {}), service::kNoServer);
}

TEST(TcpPick, TheOthersShareAlikeWhenOneIsDown) {
  const upstream::ServerSet set = set_of(3);
  set.servers[0].state->health.fail({"down", {}, {}});

  std::map<int, int> counts;
  for (int i = 0; i < 60; ++i) ++counts[pick(set, {})];

  EXPECT_EQ(counts, (std::map<int, int>{{1, 30}, {2, 30}}));
}

// Says its name by the server of its upstream, or fails.
class Fake final : public Service, public service::Status {
 public:
  Fake(std::string name, bool is_up, bool fails) : name_(std::move(name)), is_up_(is_up), fails_(fails) {}
  Task<Result<Upstream>> connect(Client& client) const override {
    held_ = client.may_hold;
    ++calls_;
    if (fails_) co_return fail(503, Fault::Upstream, name_, true);
    co_return Upstream{nullptr, name_, {}};
  }
  bool up(const upstream::Pools&) const override { return is_up_; }
  mutable bool held_ = false;
  mutable int calls_ = 0;

 private:
  std::string name_;
  bool is_up_;
  bool fails_;
};

class WeightedTest : public ::testing::Test {
 protected:
  std::shared_ptr<Fake> add(std::string name, int weight, bool up = true, bool fails = false) {
    auto made = std::make_shared<Fake>(name, up, fails);
    children_.push_back({name, weight, made, made});
    return made;
  }
  std::string ask(const Weighted& weighted) {
    Client client{loop_, pools_, {}};
    auto task = weighted.connect(client);
    task.start(nullptr);
    auto found = task.take();
    return found ? found->server : "error: " + found.error().detail;
  }

  event::Loop loop_;
  upstream::Pools pools_{loop_, 1};
  std::vector<Child> children_;
  std::shared_ptr<upstream::ServiceState> state_ = std::make_shared<upstream::ServiceState>();
};

TEST_F(WeightedTest, SharesByWeight) {
  add("a", 3);
  add("b", 1);
  add("none", 0);
  const Weighted weighted(children_, state_);

  std::map<std::string, int> counts;
  for (int i = 0; i < 8; ++i) ++counts[ask(weighted)];

  EXPECT_EQ(counts, (std::map<std::string, int>{{"a", 6}, {"b", 2}}));
}

TEST_F(WeightedTest, PassesOverAChildThatIsDown) {
  add("a", 1, false);
  add("b", 1);
  const Weighted weighted(children_, state_);

  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(weighted), "b");
  EXPECT_TRUE(weighted.up(pools_));
}

TEST_F(WeightedTest, TheNextChildTriesWhenOneHasNoServer) {
  const auto failing = add("a", 1, true, true);
  add("b", 1);
  const Weighted weighted(children_, state_);

  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(weighted), "b");
  EXPECT_FALSE(failing->held_) << "nothing is held while another can serve";
}

TEST_F(WeightedTest, WhatLeadsToOneServerAThousandWaysIsNotTriedForEver) {
  const auto failing = add("a", 1, true, true);
  std::shared_ptr<const Service> all = failing;
  for (int level = 0; level < 15; ++level)
    all = std::make_shared<Weighted>(std::vector<Child>{{"one", 1, all, failing}, {"two", 1, all, failing}},
                                     state_);
  Client client{loop_, pools_, {}};

  Task<Result<Upstream>> task = all->connect(client);
  task.start(nullptr);

  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take().error().detail, "1000 child services were tried in vain");
  EXPECT_LT(failing->calls_, 1100);
}

TEST_F(WeightedTest, WhenAllAreDownAChildMayHoldTheConnection) {
  const auto down = add("a", 1, false, true);
  const Weighted weighted(children_, state_);

  EXPECT_EQ(ask(weighted), "error: a");
  EXPECT_TRUE(down->held_);
  EXPECT_FALSE(weighted.up(pools_));
}

TEST_F(WeightedTest, WithoutAnyWeightNobodyServes) {
  add("a", 0);
  const Weighted weighted(children_, state_);

  EXPECT_EQ(ask(weighted).substr(0, 6), "error:");
}

}  // namespace
}  // namespace fairlead::tcp
