#include "engine/udp/service.h"

#include <gtest/gtest.h>

namespace fairlead::udp {
namespace {

const TimePoint kNow{std::chrono::hours(1)};

ServerPtr server(const std::string& address) {
  auto made = std::make_shared<Server>(*Server::parse(address));
  made->state = std::make_shared<ServerState>();
  return made;
}

std::shared_ptr<const LoadBalancer> balancer(std::vector<ServerPtr> servers) {
  return std::make_shared<const LoadBalancer>(std::move(servers), std::make_shared<upstream::ServiceState>(),
                                              "");
}

std::string picks(const Service& service, int count, Tried tried = {}) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const ServerPtr picked = service.pick(tried, kNow);
    out += picked ? picked->host : "-";
  }
  return out;
}

TEST(UdpServer, ReadsHostAndPort) {
  const auto v4 = Server::parse("10.0.0.2:53");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->port, 53);
  EXPECT_TRUE(v4->ip);
  EXPECT_EQ(Server::parse("[::1]:53")->ip, net::Ip::parse("::1"));
  EXPECT_EQ(Server::parse("dns:5353")->host, "dns");
  EXPECT_FALSE(Server::parse("dns:5353")->ip);
}

TEST(UdpServer, RefusesWhatIsNoHostAndPort) {
  for (const char* address : {"", "dns", ":53", "dns:", "dns:0", "dns:65536", "::1:53", "[::1]", "[dns]:53x",
                              "[a:b]:53", "http://dns:53"})
    EXPECT_FALSE(Server::parse(address)) << address;
}

TEST(UdpLoadBalancer, TakesServersInTurn) {
  EXPECT_EQ(picks(*balancer({server("a:1"), server("b:1"), server("c:1")}), 6), "abcabc");
}

TEST(UdpLoadBalancer, SkipsServersThatAreNotReadyOrWereTried) {
  const ServerPtr a = server("a:1");
  const ServerPtr b = server("b:1");
  a->state->phase = upstream::Phase::Draining;
  const auto service = balancer({a, b});

  EXPECT_EQ(picks(*service, 2), "bb");
  EXPECT_EQ(picks(*service, 1, std::vector{b}), "-");
}

TEST(UdpLoadBalancer, LeavesAServerThatRefusedAloneForASecond) {
  const ServerPtr a = server("a:1");
  const auto service = balancer({a, server("b:1")});
  a->state->refused_at = (kNow - std::chrono::milliseconds(900)).time_since_epoch().count();

  EXPECT_EQ(picks(*service, 3), "bbb");

  a->state->refused_at = (kNow - std::chrono::milliseconds(1100)).time_since_epoch().count();
  EXPECT_NE(picks(*service, 2).find('a'), std::string::npos);
}

TEST(UdpLoadBalancer, TakesAServerThatRefusedWhenThereIsNoOther) {
  const ServerPtr a = server("a:1");
  a->state->refused_at = kNow.time_since_epoch().count();

  EXPECT_EQ(picks(*balancer({a}), 1), "a");
}

TEST(UdpLoadBalancer, AnEmptyOneHasNoServer) { EXPECT_EQ(picks(*balancer({}), 1), "-"); }

TEST(UdpWeighted, SharesByWeight) {
  const Weighted service({{balancer({server("a:1")}), 3}, {balancer({server("b:1")}), 1}},
                         std::make_shared<upstream::ServiceState>());

  const std::string picked = picks(service, 8);

  EXPECT_EQ(std::ranges::count(picked, 'a'), 6);
  EXPECT_EQ(std::ranges::count(picked, 'b'), 2);
}

TEST(UdpWeighted, AChildWithoutServersLetsItsTurnPass) {
  const Weighted service({{balancer({}), 3}, {balancer({server("b:1")}), 1}, {balancer({server("c:1")}), 0}},
                         std::make_shared<upstream::ServiceState>());

  EXPECT_EQ(picks(service, 4), "bbbb");
}

TEST(UdpWeighted, WeightsOfZeroServeNobody) {
  const Weighted service({{balancer({server("a:1")}), 0}}, std::make_shared<upstream::ServiceState>());

  EXPECT_EQ(picks(service, 2), "--");
  EXPECT_EQ(service.trouble(), "no child service has a weight");
}

}  // namespace
}  // namespace fairlead::udp
