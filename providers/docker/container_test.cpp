#include "providers/docker/container.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace fairlead::providers::docker {
namespace {

// Engine 20.10.24, shortened.
constexpr const char* kDocker20 = R"({
  "Id": "aaaa", "Created": "2026-05-09T07:29:33.186123456Z", "Name": "/shop_web_1",
  "State": {"Status": "running", "Running": true, "ExitCode": 0, "OOMKilled": false,
            "StartedAt": "2026-05-09T07:29:34.5Z",
            "Health": {"Status": "unhealthy", "FailingStreak": 3,
                       "Log": [{"ExitCode": 0, "Output": "ok"}, {"ExitCode": 1, "Output": "connection refused\n"}]}},
  "Config": {"StopSignal": "SIGQUIT", "StopTimeout": 90, "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
             "Labels": {"traefik.enable": "true", "com.docker.compose.project": "shop",
                        "com.docker.compose.service": "web"}},
  "HostConfig": {"NetworkMode": "shop_default"},
  "NetworkSettings": {"IPAddress": "",
    "Ports": {"443/tcp": null, "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
              "53/udp": null},
    "Networks": {"shop_default": {"NetworkID": "n1", "IPAddress": "172.18.0.2", "GlobalIPv6Address": "", "Gateway": "172.18.0.1"},
                 "proxy": {"NetworkID": "n2", "IPAddress": "172.19.0.5", "GlobalIPv6Address": "fd00::5"}}}})";

// Podman 4.3.1: no health check is an empty status, the stop signal a number, times are local.
constexpr const char* kPodman = R"({
  "Id": "bbbb", "Created": "2026-05-09T09:29:33.5+02:00", "Name": "web",
  "State": {"Status": "stopped", "ExitCode": 137, "OOMKilled": true, "StartedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "", "FailingStreak": 0, "Log": null}},
  "Config": {"StopSignal": 15, "Labels": null, "ExposedPorts": {"8080/tcp": {}}},
  "HostConfig": {"NetworkMode": "bridge"},
  "NetworkSettings": {"Ports": null, "Networks": {"podman": {"IPAddress": ""}}}})";

// Engine 28.5 with API 1.51: host mode lists no ports, the network has an end point priority.
constexpr const char* kDocker28Host = R"({
  "Id": "cccc", "Created": "2026-05-09T07:29:33Z", "Name": "/host-app",
  "State": {"Status": "paused", "StartedAt": "2026-05-09T07:29:34Z"},
  "Config": {"ExposedPorts": {"9000/tcp": {}}, "Labels": {}},
  "HostConfig": {"NetworkMode": "host"},
  "NetworkSettings": {"Ports": {}, "Networks": {"host": {"IPAddress": "", "GwPriority": 0}}}})";

TEST(Container, ReadsDocker2010) {
  const auto c = parse_container(kDocker20);

  ASSERT_TRUE(c) << c.error();
  EXPECT_EQ(c->name, "shop_web_1");
  EXPECT_EQ(c->base_name(), "web_shop");
  EXPECT_EQ(c->owner(), "shop/web");
  EXPECT_EQ(c->running, Running::Running);
  EXPECT_EQ(c->health, Health::Unhealthy);
  EXPECT_EQ(c->health_output, "connection refused");
  EXPECT_EQ(c->stop_signal, "SIGQUIT");
  EXPECT_EQ(c->stop_timeout, std::chrono::seconds(90));
  ASSERT_EQ(c->attachments.size(), 2u);
  EXPECT_EQ(c->attachments[0].name, "proxy") << "by name";
  EXPECT_EQ(c->attachments[0].ipv6, "fd00::5");
  ASSERT_EQ(c->ports.size(), 3u);
  EXPECT_EQ(c->ports[0], (Port{53, false, {}}));
  EXPECT_EQ(c->ports[1], (Port{80, true, {{"0.0.0.0", 8080}, {"::", 8080}}}));
  EXPECT_EQ(c->created.time_since_epoch().count() % 1'000'000'000, 186'123'456);
}

TEST(Container, NoTwoOwnersAreWrittenAlike) {
  const auto owner = [](std::string host, std::string project, std::string service, std::string name = "x") {
    Container c;
    c.host = std::move(host);
    c.name = std::move(name);
    c.labels["com.docker.compose.project"] = std::move(project);
    c.labels["com.docker.compose.service"] = std::move(service);
    return c.owner();
  };
  const std::set<std::string> owners = {
      owner("", "shop", "web"),          owner("shop", "", "", "web"),  owner("edge", "shop", "web"),
      owner("edge/shop", "", "", "web"), owner("", "edge", "shop/web"), owner("", "edge/shop", "web"),
      owner("", "edge/", "web"),         owner("edge", "", "", "web"),  owner("", "edge%2F", "web")};

  EXPECT_EQ(owners.size(), 9u);
  EXPECT_EQ(owner("edge", "shop", "web"), "edge//shop/web");
}

TEST(Container, ReadsPodman) {
  const auto c = parse_container(kPodman);

  ASSERT_TRUE(c) << c.error();
  EXPECT_EQ(c->name, "web");
  EXPECT_EQ(c->owner(), "web");
  EXPECT_EQ(c->running, Running::Exited);
  EXPECT_EQ(c->health, Health::None);
  EXPECT_EQ(c->stop_signal, "SIGTERM");
  EXPECT_EQ(c->stop_timeout, std::chrono::seconds(10));
  EXPECT_TRUE(c->oom_killed);
  EXPECT_EQ(c->started, WallTime{});
  EXPECT_EQ(c->created, parse_time("2026-05-09T07:29:33.5Z"));
  ASSERT_EQ(c->ports.size(), 1u);
  EXPECT_EQ(c->ports[0].number, 8080);
}

TEST(Container, ReadsHostModeOfDocker28) {
  const auto c = parse_container(kDocker28Host);

  ASSERT_TRUE(c) << c.error();
  EXPECT_TRUE(c->host_mode());
  EXPECT_EQ(c->running, Running::Paused);
  ASSERT_EQ(c->ports.size(), 1u);
  EXPECT_EQ(c->ports[0].number, 9000);
}

TEST(Container, RefusesWhatIsNoContainer) {
  EXPECT_FALSE(parse_container("{}"));
  EXPECT_FALSE(parse_container("[]"));
  EXPECT_FALSE(parse_container("nonsense"));
  EXPECT_FALSE(parse_container(R"({"Id": "x", "State": )"));
  EXPECT_TRUE(parse_container(R"({"Id": "x", "State": [], "Config": 3, "NetworkSettings": {"Ports": "x"}})"));
}

TEST(ContainerList, ChangesItsFingerprintWithWhatConcernsRouting) {
  const auto print = [](std::string_view state, std::string_view status, std::string_view ip) {
    const auto list = parse_list(
        std::string(R"([{"Id": "a", "Names": ["/web"], "Labels": {"a": "b"}, "State": ")") +
        std::string(state) + R"(", "Status": ")" + std::string(status) +
        R"(", "NetworkSettings": {"Networks": {"n": {"IPAddress": ")" + std::string(ip) + R"("}}}}])");
    return list && list->size() == 1 ? list->front().fingerprint : "";
  };

  EXPECT_EQ(print("running", "Up 4 seconds (healthy)", "1"), print("running", "Up 2 hours (healthy)", "1"));
  EXPECT_NE(print("running", "Up 4 seconds (healthy)", "1"),
            print("running", "Up 4 seconds (unhealthy)", "1"));
  EXPECT_NE(print("running", "Up 4 seconds", "1"), print("running", "Up 4 seconds", "2"));
  EXPECT_NE(print("running", "Up 4 seconds", "1"), print("exited", "Exited (0) 4 seconds ago", "1"));
  EXPECT_EQ(print("exited", "Exited (0) 4 seconds ago", "1"),
            print("exited", "Exited (0) 5 seconds ago", "1"));
}

TEST(ContainerList, ReadsPodmanWithoutHostConfig) {
  const auto list =
      parse_list(R"([{"Id": "a", "Names": ["/web"], "State": "running", "Status": "", "Labels": null}, {}])");

  ASSERT_TRUE(list) << list.error();
  ASSERT_EQ(list->size(), 1u) << "a row without an id is left out";
  EXPECT_EQ(list->front().name, "web");
}

TEST(ContainerList, LeavesOutWhatNestsWithoutEnd) {
  constexpr std::size_t kDepth = 300'000;  // printing that recursively needs more than a stack
  const std::string deep = std::string(kDepth, '[') + std::string(kDepth, ']');
  const auto list =
      parse_list(R"([{"Id": "a", "Labels": )" + deep + R"(, "Ports": )" + deep + R"(}, {"Id": "b"}])");

  ASSERT_TRUE(list) << list.error();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->back().id, "b");
}

TEST(Container, WithVeryManyPortsIsReadInNoTime) {
  std::string ports;
  for (int port = 1; port < 65'536; ++port)
    ports += (port > 1 ? "," : "") + fmt::format(R"("{}/tcp":{{}})", port);
  const auto begun = std::chrono::steady_clock::now();

  const auto c = parse_container(R"({"Id": "a", "Config": {"ExposedPorts": {)" + ports + "}}}");

  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  ASSERT_TRUE(c) << c.error();
  EXPECT_EQ(c->ports.size(), 65'535u);
}

TEST(ContainerList, ComplainsBrieflyAboutAnAnswerThatBreaksOff) {
  const auto list = parse_list("[{\"Id\": \"\n" + std::string(1'000'000, 'a'));

  ASSERT_FALSE(list);
  EXPECT_LT(list.error().size(), 400u);
  EXPECT_EQ(list.error().find('\n'), std::string::npos);
}

TEST(Container, IsCalledByItsIdWithoutAName) {
  const auto c = parse_container(R"({"Id": "0123456789abcdef"})");

  ASSERT_TRUE(c) << c.error();
  EXPECT_EQ(c->name, "0123456789ab");
}

TEST(Time, IsTheEpochWhenItCannotBeCounted) {
  EXPECT_EQ(parse_time("9999-12-31T23:59:59.999999999Z"), WallTime{});
  EXPECT_EQ(parse_time("0001-01-01T00:00:00Z"), WallTime{});
  EXPECT_EQ(parse_time("soon"), WallTime{});
  EXPECT_EQ(parse_time("2026-05-09T07:29:33.000000001Z").time_since_epoch().count() % 1'000'000'000, 1);
}

TEST(SignalName, KnowsNumbersAndShortForms) {
  EXPECT_EQ(signal_name("15"), "SIGTERM");
  EXPECT_EQ(signal_name("term"), "SIGTERM");
  EXPECT_EQ(signal_name("SIGRTMIN+3"), "SIGRTMIN+3");
  EXPECT_EQ(signal_name("37"), "SIGRTMIN+3") << "what systemd is stopped by, as events tell it";
  EXPECT_EQ(signal_name("RTMAX-14"), "SIGRTMIN+16");
  EXPECT_EQ(signal_name("SIGRTMAX"), signal_name("64"));
  EXPECT_EQ(signal_name("34"), "SIGRTMIN");
  EXPECT_EQ(signal_name("14"), "SIGALRM");
  EXPECT_EQ(signal_name("0"), "0");
  EXPECT_EQ(signal_name("99"), "99");
  EXPECT_EQ(signal_name(""), "");
}

}  // namespace
}  // namespace fairlead::providers::docker
