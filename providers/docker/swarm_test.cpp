#include "providers/docker/swarm.h"

#include "providers/docker/test_containers.h"
#include "tests/support/fake_engine.h"
#include "tests/support/recording_sink.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using fairlead::test::FakeEngine;
using fairlead::test::RecordingSink;

std::string service(const std::string& labels, const std::string& mode = "vip") {
  return R"([{"ID":"s1","CreatedAt":"2026-05-09T07:29:33Z","Spec":{"Name":"stack_web","Labels":{)" + labels +
         R"(},"Mode":{"Replicated":{"Replicas":2}}},"Endpoint":{"Spec":{"Mode":")" + mode +
         R"("},"VirtualIPs":[{"NetworkID":"n1","Addr":"10.0.1.2/24"},{"NetworkID":"gone","Addr":"10.9.9.9/24"}]}}])";
}

constexpr const char* kNetworkList =
    R"([{"Id":"n1","Name":"stack_net","Scope":"swarm"},{"Id":"n0","Name":"ingress","Scope":"swarm"}])";

constexpr const char* kTaskList = R"([
  {"ID":"t1","ServiceID":"s1","Slot":1,"DesiredState":"running","Status":{"State":"running"},
   "NetworksAttachments":[{"Network":{"ID":"n0","Spec":{"Name":"ingress"}},"Addresses":["10.0.0.9/24"]},
                          {"Network":{"ID":"n1","Spec":{"Name":"stack_net"}},"Addresses":["10.0.1.3/24"]}]},
  {"ID":"t2","ServiceID":"s1","Slot":2,"DesiredState":"running","Status":{"State":"starting"},
   "NetworksAttachments":[{"Network":{"ID":"n1"},"Addresses":["10.0.1.4/24"]}]},
  {"ID":"t3","ServiceID":"s1","Slot":3,"DesiredState":"running","Status":{"State":"running"},"NetworksAttachments":null},
  {"ID":"t4","ServiceID":"other","Slot":1,"DesiredState":"running","Status":{"State":"running"}}])";

TEST(SwarmTasks, AreContainersWithTheLabelsOfTheirService) {
  const auto read = parse_swarm({service(R"("a":"b")"), kTaskList, kNetworkList, ""});

  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->containers.size(), 1u) << "running ones on a network of the swarm";
  const Container& c = read->containers[0];
  EXPECT_EQ(c.name, "stack_web.1");
  EXPECT_EQ(c.base_name(), "stack_web");
  EXPECT_EQ(c.labels.at("a"), "b");
  ASSERT_EQ(c.attachments.size(), 2u);
  EXPECT_EQ(c.attachments[1].name, "stack_net");
  EXPECT_EQ(c.attachments[1].ipv4, "10.0.1.3");
}

TEST(SwarmTasks, OfGlobalServicesAndInHostModeAreNamedAndPlaced) {
  const auto read = parse_swarm(
      {R"([{"ID":"s1","Spec":{"Name":"g","Mode":{"Global":{}}}}])",
       R"([{"ID":"t1","ServiceID":"s1","NodeID":"n","DesiredState":"running","Status":{"State":"running"},
            "NetworksAttachments":[{"Network":{"ID":"h","Spec":{"Name":"host"}},"Addresses":null}]}])",
       kNetworkList,
       R"([{"ID":"n","Status":{"Addr":"0.0.0.0"},"ManagerStatus":{"Addr":"192.0.2.4:2377"}}])"});

  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->containers.size(), 1u);
  EXPECT_EQ(read->containers[0].name, "g.t1");
  EXPECT_EQ(read->containers[0].attachments.at(0).ipv4, "192.0.2.4");
}

TEST(SwarmTasks, InHostModeAreReachedFromAnyNetwork) {
  const auto read = parse_swarm(
      {R"([{"ID":"s1","Spec":{"Name":"g","Labels":{"traefik.http.services.g.loadbalancer.server.port":"80"}}}])",
       R"([{"ID":"t1","Slot":1,"ServiceID":"s1","NodeID":"n","Status":{"State":"running"},
            "NetworksAttachments":[{"Network":{"ID":"h","Spec":{"Name":"host"}}}]}])",
       "null", R"([{"ID":"n","Status":{"Addr":"::"},"ManagerStatus":{"Addr":"[2001:db8::4]:2377"}}])"});
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->containers.size(), 1u) << "the list was filtered by the desired state already";
  Surroundings around;
  around.networks = {"proxy"};

  const auto address = find_address(read->containers[0], 80, true, "", around);

  ASSERT_TRUE(address) << address.error().text;
  EXPECT_EQ(address->text(), "[2001:db8::4]:80");
}

TEST(SwarmTasks, ThatAreOddTakeNobodyElseDown) {
  const std::string tasks =
      std::string(kTaskList).insert(1, R"(5,{"ID":"x","ServiceID":"s1","Status":{"State":"running"},
    "NetworksAttachments":[7,{"Network":{"ID":"n1"},"Addresses":[5]},{"Network":[],"Addresses":{}}]},)");
  const auto read = parse_swarm({service(R"("a":"b")"), tasks, kNetworkList, "{"});

  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->containers.size(), 1u);
}

TEST(SwarmTasks, OfANodeWithoutAnAddressAreSaid) {
  const auto read = parse_swarm(
      {R"([{"ID":"s1","Spec":{"Name":"g"}}])",
       R"([{"ID":"t1","Slot":1,"ServiceID":"s1","NodeID":"n","DesiredState":"running","Status":{"State":"running"},
            "NetworksAttachments":[{"Network":{"ID":"h","Spec":{"Name":"host"}}}]}])",
       "[]", ""});

  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->complaints.size(), 1u);
  EXPECT_NE(read->complaints[0].find("g.1: the address of its node is unknown"), std::string::npos);
}

TEST(SwarmTasks, LbSwarmUsesTheVirtualAddress) {
  const auto vip = parse_swarm({service(R"("traefik.swarm.lbswarm":"true")"), kTaskList, kNetworkList, ""});
  const auto dnsrr =
      parse_swarm({service(R"("traefik.docker.lbswarm":"true")", "dnsrr"), kTaskList, kNetworkList, ""});

  ASSERT_TRUE(vip && dnsrr);
  ASSERT_EQ(vip->containers.size(), 1u);
  EXPECT_EQ(vip->containers[0].name, "stack_web");
  ASSERT_EQ(vip->containers[0].attachments.size(), 1u);
  EXPECT_EQ(vip->containers[0].attachments[0].ipv4, "10.0.1.2");
  EXPECT_EQ(dnsrr->containers.at(0).name, "stack_web.1") << "falls back to its tasks";
  EXPECT_EQ(dnsrr->complaints.size(), 1u);
}

TEST(SwarmTasks, RefuseMixedLabelsAndNonsense) {
  const auto mixed = parse_swarm(
      {service(R"("traefik.swarm.network":"a","traefik.docker.network":"b")"), kTaskList, kNetworkList, ""});

  ASSERT_TRUE(mixed);
  EXPECT_TRUE(mixed->containers.empty());
  EXPECT_EQ(mixed->complaints.size(), 1u);
  EXPECT_FALSE(parse_swarm({"[", "[]", "[]", ""}));
  EXPECT_FALSE(parse_swarm({R"({"message":"busy"})", "[]", "[]", ""})) << "no reason to take all routes down";
  EXPECT_FALSE(parse_swarm({}));
}

TEST(Swarm, PollsAManagerAndNeedsThePortLabel) {
  FakeEngine engine;
  engine.set_override([](std::string_view path) {
    if (path.find("/services") != std::string_view::npos)
      return std::pair(200, service(R"("traefik.http.services.web.loadbalancer.server.port":"80")"));
    if (path.find("/tasks") != std::string_view::npos) return std::pair(200, std::string(kTaskList));
    if (path.find("/networks") != std::string_view::npos) return std::pair(200, std::string(kNetworkList));
    return std::pair(0, std::string());
  });
  model::SwarmProvider options;
  options.endpoint = engine.endpoint();
  auto provider = *Swarm::make(options, {test::kHttpTypes, test::kTcpTypes}, {},
                               [](const char*) { return std::nullopt; });
  RecordingSink sink;
  provider->start(sink);

  ASSERT_TRUE(sink.wait_for([](const model::Dynamic& d) { return d.http.routers.contains("stack-web"); }));

  const auto last = sink.last();
  ASSERT_EQ(last->http.standings.at("web").size(), 1u);
  EXPECT_EQ(last->http.standings.at("web")[0].url, "http://10.0.1.3:80") << "ingress comes last";
  EXPECT_EQ(last->http.standings.at("web")[0].state, model::ServerState::Ready);
  for (int i = 0; i < 6000 && !provider->status().connected; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(provider->status().connected);
  provider->stop();
}

TEST(Swarm, ServesATaskThatIsMissingFromOneAnswerOnly) {
  FakeEngine engine;
  std::atomic<bool> missing = false;
  engine.set_override([&](std::string_view path) {
    if (path.find("/services") != std::string_view::npos)
      return std::pair(200, service(R"("traefik.http.services.web.loadbalancer.server.port":"80")"));
    if (path.find("/tasks") != std::string_view::npos)
      return std::pair(200, std::string(missing ? "[]" : kTaskList));
    if (path.find("/networks") != std::string_view::npos) return std::pair(200, std::string(kNetworkList));
    return std::pair(0, std::string());
  });
  model::SwarmProvider options;
  options.endpoint = engine.endpoint();
  options.refresh_seconds = 10ms;
  auto provider = *Swarm::make(options, {test::kHttpTypes, test::kTcpTypes}, {},
                               [](const char*) { return std::nullopt; });
  const auto is = [](model::ServerState state) {
    return [state](const model::Dynamic& d) {
      const auto found = d.http.standings.find("web");
      return found != d.http.standings.end() && found->second[0].state == state;
    };
  };
  RecordingSink sink;
  provider->start(sink);
  ASSERT_TRUE(sink.wait_for(is(model::ServerState::Ready)));

  missing = true;
  ASSERT_TRUE(sink.wait_for(is(model::ServerState::Gone)));
  EXPECT_TRUE(sink.wait_for_state("http://10.0.1.3:80", model::ServerState::Gone)) << "at once";
  missing = false;

  EXPECT_TRUE(sink.wait_for(is(model::ServerState::Ready)));
  provider->stop();
}

TEST(Swarm, SaysThatTheEngineIsNoManager) {
  FakeEngine engine;
  engine.set_override([](std::string_view path) {
    return path.find("/services") != std::string_view::npos
               ? std::pair(503, std::string(R"({"message":"This node is not a swarm manager."})"))
               : std::pair(0, std::string());
  });
  model::SwarmProvider options;
  options.endpoint = engine.endpoint();
  auto provider = *Swarm::make(options, {}, {}, [](const char*) { return std::nullopt; });
  RecordingSink sink;
  provider->start(sink);

  for (int i = 0; i < 6000 && provider->status().detail.find("not a swarm manager") == std::string::npos; ++i)
    std::this_thread::sleep_for(10ms);

  EXPECT_NE(provider->status().detail.find("not a swarm manager"), std::string::npos);
  provider->stop();
}

}  // namespace
}  // namespace fairlead::providers::docker
