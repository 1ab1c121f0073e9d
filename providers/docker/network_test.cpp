#include "providers/docker/network.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

Container app() {
  Container c;
  c.id = "app-id";
  c.name = "app";
  c.running = Running::Running;
  c.network_mode = "blog_default";
  c.attachments = {{"blog_default", "n1", "172.18.0.2", "", ""}, {"blog_proxy", "n2", "172.19.0.2", "", ""}};
  c.ports = {
      {80, true, {{"0.0.0.0", 8080}}}, {81, true, {{"127.0.0.1", 8081}}}, {82, true, {{"192.0.2.7", 8082}}}};
  c.labels = {{"com.docker.compose.project", "blog"}, {"com.docker.compose.service", "app"}};
  return c;
}

std::string address(const Container& c, const std::string& wanted, const Surroundings& around,
                    std::uint16_t port = 80) {
  const auto found = find_address(c, port, true, wanted, around);
  if (!found) return "! " + found.error().text;
  return found->text() + (found->warnings.empty() ? "" : " (" + found->warnings[0].text + ")");
}

TEST(Network, OnTheHostEveryNetworkIsReachable) {
  Surroundings around;

  EXPECT_EQ(address(app(), "", around), "172.18.0.2:80") << "by name";
  EXPECT_EQ(address(app(), "blog_proxy", around), "172.19.0.2:80");
  EXPECT_EQ(address(app(), "proxy", around), "172.19.0.2:80") << "Compose puts the project in front";
  around.network = "blog_proxy";
  EXPECT_EQ(address(app(), "", around), "172.19.0.2:80");
  EXPECT_EQ(address(app(), "blog_default", around), "172.18.0.2:80") << "the label goes before the provider";
}

TEST(Network, OfAStackIsMeantByItsShortName) {
  Container c = app();
  c.labels = {{"com.docker.stack.namespace", "blog"}};

  EXPECT_EQ(address(c, "proxy", {}), "172.19.0.2:80");
}

TEST(Network, OnlySharedNetworksAreCandidates) {
  Surroundings around;
  around.networks = {"blog_proxy", "other"};

  EXPECT_EQ(address(app(), "", around), "172.19.0.2:80");
  EXPECT_EQ(address(app(), "blog_default", around),
            "172.19.0.2:80 (Fairlead is not on the network `blog_default`; `blog_proxy` is used)");
  EXPECT_EQ(address(app(), "absent", around),
            "172.19.0.2:80 (app is not on the network `absent`; `blog_proxy` is used)");
}

TEST(Network, NoSharedNetworkIsAReasonWithARemedy) {
  Surroundings around;
  around.networks = {"proxy"};

  const auto found = find_address(app(), 80, true, "", around);

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, model::ReasonKind::NoNetwork);
  EXPECT_EQ(found.error().text, "app is on `blog_default`, `blog_proxy`; Fairlead is on `proxy`");
  EXPECT_EQ(found.error().hint, "add `networks: [proxy]`");
}

TEST(Network, NoneIsSaidWhereverFairleadIs) {
  Container c = app();
  c.network_mode = "none";
  c.attachments = {{"none", "n", "", "", ""}};
  Surroundings around;
  around.networks = {"proxy"};

  EXPECT_EQ(address(c, "", {}), "! app has no network (network_mode: none)");
  EXPECT_EQ(address(c, "", around), "! app has no network (network_mode: none)");
}

TEST(Network, PrefersIpv4AndWritesIpv6InBrackets) {
  Container c = app();
  c.attachments = {{"six", "n", "", "fd00::2", ""}};

  EXPECT_EQ(address(c, "", {}), "[fd00::2]:80");
}

TEST(Network, SkipsNetworksWithoutAnAddressYet) {
  Container c = app();
  c.attachments[0].ipv4.clear();

  EXPECT_EQ(address(c, "", {}), "172.19.0.2:80");
  c.attachments[1].ipv4.clear();
  EXPECT_EQ(address(c, "", {}), "! app has no address yet");
  c.network_mode = "none";
  EXPECT_EQ(address(c, "", {}), "! app has no network (network_mode: none)");
}

TEST(Network, HostModeUsesTheHostUnlessANetworkIsNamed) {
  Container c = app();
  c.network_mode = "host";
  c.attachments = {{"host", "h", "", "", ""}};
  Surroundings around;
  around.host_mode_address = "172.17.0.1";

  EXPECT_EQ(address(c, "", around), "172.17.0.1:80");
  around.remote = true;
  around.host_address = "192.0.2.9";
  EXPECT_EQ(address(c, "", around), "192.0.2.9:80");
}

TEST(Network, OfAnotherContainerIsFollowed) {
  Container vpn = app();
  vpn.name = "vpn";
  Container c = app();
  c.network_mode = "container:vpn-id";
  c.attachments.clear();
  Surroundings around;
  EXPECT_EQ(address(c, "", around), "! app uses the network of the container vpn-id, which is unknown");

  around.find = [&](std::string_view id) { return id == "vpn-id" ? &vpn : nullptr; };
  EXPECT_EQ(address(c, "", around), "172.18.0.2:80");
  vpn.labels["traefik.docker.network"] = "blog_proxy";
  EXPECT_EQ(address(c, "blog_default", around), "172.19.0.2:80") << "its own label goes first";
  vpn.started = c.started + std::chrono::seconds(1);
  EXPECT_EQ(address(c, "", around),
            "172.19.0.2:80 (app uses the network of vpn, which was started again after it)");
  vpn.started = c.started;
  vpn.labels.erase("traefik.docker.network");
  vpn.running = Running::Paused;
  EXPECT_EQ(address(c, "", around), "172.18.0.2:80") << "its network is not paused";
  vpn.network_mode = "container:vpn-id";
  vpn.attachments.clear();
  EXPECT_TRUE(address(c, "", around).starts_with("! ")) << "a cycle ends";
  vpn.running = Running::Exited;
  EXPECT_EQ(address(c, "", around), "! app uses the network of vpn, which is not running");
}

TEST(Network, UseBindPortIpTakesAConcreteBindingOnly) {
  Surroundings around;
  around.use_bind_port_ip = true;

  EXPECT_EQ(address(app(), "", around, 82), "192.0.2.7:8082");
  EXPECT_EQ(address(app(), "", around, 81), "127.0.0.1:8081");
  EXPECT_EQ(address(app(), "", around, 80), "172.18.0.2:80") << "0.0.0.0 names no address";
}

TEST(Network, OfARemoteEngineIsReachedByPublishedPorts) {
  Surroundings around;
  around.remote = true;
  around.host_address = "192.0.2.9";

  EXPECT_EQ(address(app(), "", around, 80), "192.0.2.9:8080");
  EXPECT_EQ(address(app(), "", around, 82), "192.0.2.7:8082");
  EXPECT_EQ(address(app(), "", around, 81), "172.18.0.2:81") << "published on its loopback only";
  EXPECT_EQ(address(app(), "blog_proxy", around, 80), "172.19.0.2:80") << "named explicitly";
}

TEST(OwnContainer, IsFoundInMountsAndCgroups) {
  const std::string id(64, 'a');

  EXPECT_EQ(own_container_id("1 2 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw\n", ""),
            id);
  EXPECT_EQ(own_container_id("", "12:cpu:/docker/" + id + "\n0::/x\n"), id);
  EXPECT_EQ(own_container_id("", "0::/system.slice/docker-" + id + ".scope\n"), id);
  EXPECT_EQ(own_container_id("1 2 8:1 / / rw\n", "0::/init.scope\n"), std::nullopt);
}

}  // namespace
}  // namespace fairlead::providers::docker
