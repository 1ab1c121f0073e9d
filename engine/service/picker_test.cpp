#include "engine/service/picker.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

#include <map>

namespace fairlead::service {
namespace {

upstream::ServerSet set_of(const std::vector<int>& weights) {
  upstream::ServerSet set;
  set.state = std::make_shared<upstream::ServiceState>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    upstream::Server server;
    server.address = *upstream::ServerAddress::parse("http://10.0.0." + std::to_string(i + 1));
    server.weight = weights[i];
    server.state = std::make_shared<upstream::ServerState>();
    set.servers.push_back(std::move(server));
  }
  set.schedule = upstream::make_schedule(weights);
  return set;
}

std::map<int, int> picks(const Picker& picker, const upstream::ServerSet& set, int times) {
  test::TestExchange x = test::get("/");
  std::map<int, int> counts;
  for (int i = 0; i < times; ++i) ++counts[picker.pick(set, x, {})];
  return counts;
}

TEST(RoundRobin, SharesAThousandRequestsThreeToOne) {
  const auto set = set_of({3, 1});

  EXPECT_EQ(picks(*make_picker("wrr"), set, 1000), (std::map<int, int>{{0, 750}, {1, 250}}));
}

TEST(RoundRobin, SkipsServersThatAreDownOrTried) {
  const auto set = set_of({1, 1, 1});
  set.servers[0].state->phase = upstream::Phase::Draining;
  test::TestExchange x = test::get("/");
  const auto picker = make_picker("wrr");

  for (int i = 0; i < 10; ++i) EXPECT_EQ(picker->pick(set, x, {set.servers[1].state.get()}), 2);
  set.servers[2].state->health.fail({});
  EXPECT_EQ(picker->pick(set, x, {set.servers[1].state.get()}), kNoServer);
}

TEST(RoundRobin, TheOthersShareAlikeWhenOneIsDown) {
  const auto set = set_of({1, 1, 1});
  set.servers[0].state->health.fail({});

  EXPECT_EQ(picks(*make_picker("wrr"), set, 60), (std::map<int, int>{{1, 30}, {2, 30}}));

  const auto uneven = set_of({2, 2, 1});
  uneven.servers[1].state->health.fail({});

  EXPECT_EQ(picks(*make_picker("wrr"), uneven, 60), (std::map<int, int>{{0, 40}, {2, 20}}));
}

TEST(Picker, NobodyPicksFromAnEmptySet) {
  const auto set = set_of({});
  for (const char* strategy : {"wrr", "p2c", "hrw", "leasttime"})
    EXPECT_EQ(picks(*make_picker(strategy), set, 1).begin()->first, kNoServer) << strategy;
  EXPECT_EQ(make_picker("random"), nullptr);
}

TEST(TwoChoices, AvoidsABusyServer) {
  const auto set = set_of({1, 1, 1});
  set.servers[0].state->in_flight = 50;

  auto counts = picks(*make_picker("p2c"), set, 1000);

  EXPECT_EQ(counts[0], 0);
  EXPECT_GT(counts[1], 300);
  EXPECT_GT(counts[2], 300);
}

TEST(TwoChoices, TheOthersShareAlikeWhenOneIsDown) {
  const auto set = set_of({1, 1, 1});
  set.servers[0].state->health.fail({});

  const std::map<int, int> counts = picks(*make_picker("p2c"), set, 2000);

  EXPECT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts.at(1), 1000, 200);
}

TEST(RendezvousHash, MovesOnlyTheClientsOfTheServerThatLeft) {
  auto set = set_of(std::vector<int>(10, 1));
  const auto picker = make_picker("hrw");
  std::vector<std::string> clients;
  std::vector<int> before;
  test::TestExchange x = test::get("/");
  for (int i = 0; i < 1000; ++i) {
    clients.push_back("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    x.client_ip = clients.back();
    before.push_back(picker->pick(set, x, {}));
  }
  set.servers[3].state->phase = upstream::Phase::Gone;

  int moved = 0;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    x.client_ip = clients[i];
    const int now = picker->pick(set, x, {});
    if (before[i] == 3) {
      EXPECT_NE(now, 3);
      ++moved;
    } else {
      EXPECT_EQ(now, before[i]);
    }
  }
  EXPECT_GT(moved, 10);
  EXPECT_LT(moved, 300);
}

TEST(LeastTime, PrefersTheFastServerOnceBothAreKnown) {
  const auto set = set_of({1, 1});
  set.servers[0].state->response_times.add(std::chrono::milliseconds(100));
  set.servers[1].state->response_times.add(std::chrono::milliseconds(5));

  EXPECT_EQ(picks(*make_picker("leasttime"), set, 100), (std::map<int, int>{{1, 100}}));
}

TEST(LeastTime, ServersThatAreNotKnownYetShareByWeight) {
  EXPECT_EQ(picks(*make_picker("leasttime"), set_of({3, 1}), 100), (std::map<int, int>{{0, 75}, {1, 25}}));
}

}  // namespace
}  // namespace fairlead::service
