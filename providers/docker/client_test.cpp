#include "providers/docker/client.h"

#include "tests/support/as_nobody.h"
#include "tests/support/fake_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <future>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using test::FakeContainer;
using test::FakeEngine;

Endpoint endpoint_of(const FakeEngine& engine) {
  return *resolve_endpoint(engine.endpoint(), std::nullopt, "", "", [](const char*) { return std::nullopt; });
}

TEST(Client, AgreesOnTheOlderOfTheTwoVersions) {
  EXPECT_EQ(agree_on_version("1.41").value(), "1.41");
  EXPECT_EQ(agree_on_version("1.99").value(), Client::kNewest);
  EXPECT_EQ(agree_on_version("1.24").value(), "1.24");
  EXPECT_EQ(agree_on_version("").value(), "") << "unversioned paths work everywhere";
  EXPECT_FALSE(agree_on_version("1.23"));
}

TEST(Client, NegotiatesListsAndInspects) {
  FakeEngine engine;
  engine.put({.id = "a1", .name = "web", .labels = {{"k", "v"}}});
  Client client(endpoint_of(engine), 0ms);

  ASSERT_TRUE(client.negotiate());
  EXPECT_EQ(client.version(), "1.41");
  const auto list = client.list();
  const auto found = client.inspect("a1");
  const auto missing = client.inspect("b2");

  ASSERT_TRUE(list) << list.error();
  EXPECT_EQ(list->at(0).name, "web");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->labels.at("k"), "v");
  ASSERT_TRUE(missing);
  EXPECT_FALSE(*missing);
  EXPECT_EQ(engine.count("/v1.41/containers/"), 3u);
}

TEST(Client, SaysWhatTheEngineSays) {
  FakeEngine engine;
  Client client(endpoint_of(engine), 0ms);
  engine.set_override([](std::string_view path) {
    if (path.find("json?all") == std::string_view::npos)
      return std::pair(400, std::string("client version 1.10 is too old\n"));
    return std::pair(
        400, std::string(
                 R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.44"})"));
  });

  EXPECT_EQ(
      client.list().error(),
      "/containers/json: status 400: client version 1.41 is too old. Minimum supported API version is 1.44");
  EXPECT_EQ(client.inspect("a").error(), "/containers/a/json: status 400: client version 1.10 is too old");
  engine.set_override([](std::string_view) { return std::pair(200, std::string("garbage")); });
  EXPECT_FALSE(client.list());
  EXPECT_FALSE(client.inspect("a"));
}

TEST(Client, SaysWhyASocketCannotBeConnected) {
  Endpoint endpoint;
  endpoint.reach = {.base = "http://docker",
                    .unix_socket = "/nowhere/docker.sock",
                    .ssh = {},
                    .tls = {},
                    .username = {},
                    .password = {}};
  Client client(endpoint, 0ms);

  // In a container more follows: how it is mounted there.
  EXPECT_THAT(client.negotiate().error(),
              testing::StartsWith("connect /nowhere/docker.sock: No such file or directory"));
}

TEST(Client, SaysThatADirectoryIsMountedInPlaceOfTheSocket) {
  Endpoint endpoint;
  endpoint.reach = {
      .base = "http://docker", .unix_socket = "/usr", .ssh = {}, .tls = {}, .username = {}, .password = {}};
  Client client(endpoint, 0ms);

  EXPECT_THAT(client.negotiate().error(), testing::HasSubstr("; it is a directory: an engine makes one"));
}

TEST(Client, SaysHowAContainerGetsToASocketThatItMayNotUse) {
  FakeEngine engine;
  const std::string socket = endpoint_of(engine).reach.unix_socket;
  const std::string folder = socket.substr(0, socket.rfind('/'));
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  // A group that root is not in; the owner is none of the group either.
  if (::geteuid() == 0) ASSERT_EQ(::chown(socket.c_str(), 0, 4711), 0);
  ASSERT_EQ(::chmod(socket.c_str(), 0060), 0);
  struct stat about{};
  ASSERT_EQ(::stat(socket.c_str(), &about), 0);
  const std::string group = std::to_string(about.st_gid);
  const auto refused = [&] {
    const test::AsNobody nobody;
    return Client(endpoint_of(engine), 0ms).negotiate();
  }();

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "connect " + socket + ": Permission denied; it is for group " + group +
                                 ": in Compose, group_add: [\"" + group + "\"] lets this process in");
}

TEST(Client, DoesNotPutForeignTextIntoPaths) {
  FakeEngine engine;
  Client client(endpoint_of(engine), 0ms);

  EXPECT_FALSE(client.inspect("../secrets?x=").value());
  EXPECT_FALSE(client.inspect("..").value());
  EXPECT_TRUE(engine.paths().empty());
}

TEST(Client, FollowsEventsAfterTheSubscriptionIsKnownToStand) {
  FakeEngine engine;
  Client client(endpoint_of(engine), 50ms);  // the timeout must not cut the stream
  std::promise<void> subscribed;
  std::promise<Event> event;
  std::thread reader([&] {
    (void)client.events([&] { subscribed.set_value(); }, [&](Event e) { event.set_value(std::move(e)); });
  });

  ASSERT_EQ(subscribed.get_future().wait_for(60s), std::future_status::ready);
  std::this_thread::sleep_for(100ms);
  engine.say("nonsense\n{\"Type\":\"conta");
  engine.say("iner\",\"Action\":\"kill\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{\"signal\":\"9\"}}}\n");
  auto got = event.get_future();
  ASSERT_EQ(got.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(got.get().signal, "9");

  const auto begun = std::chrono::steady_clock::now();
  client.stop();
  reader.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s) << "the stream has no end of its own";
}

TEST(Client, EndsAStreamThatHoldsNoEvents) {
  FakeEngine engine;
  Client client(endpoint_of(engine), 0ms);
  std::thread engine_side;

  const auto ended = client.events(
      [&] {
        engine_side = std::thread([&] {
          while (engine.subscribers() == 0) std::this_thread::yield();
          for (int i = 0; i < 200; ++i) engine.say("garbage\n");
        });
      },
      [](Event) {});
  engine_side.join();

  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error(), "the stream holds no events");
}

TEST(Client, GivesUpOnASlowCall) {
  std::atomic<bool> done = false;  // before the engine, whose threads look at it until they end
  FakeEngine engine;
  engine.set_override([&](std::string_view) {
    for (int i = 0; i < 3000 && !done; ++i) std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  Client client(endpoint_of(engine), 50ms);

  EXPECT_FALSE(client.list());  // while the engine thinks
  done = true;
}

TEST(Client, DoesNotWaitForeverForTheHeadOfAStream) {
  std::atomic<bool> done = false;  // before the engine, whose threads look at it until they end
  FakeEngine engine;
  engine.set_override([&](std::string_view) {
    while (!done) std::this_thread::sleep_for(10ms);
    return std::pair(0, std::string());
  });
  Transfer transfer(endpoint_of(engine).reach);

  const auto answer = transfer.get({.path = "/events",
                                    .headers = {},
                                    .await_head = 50ms,
                                    .on_data = [](std::string_view) { return true; },
                                    .on_head = {}});
  done = true;

  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().starts_with("no answer within")) << answer.error();
}

TEST(Endpoint, ReadsEveryForm) {
  const auto environment = [](const char*) { return std::optional<std::string>(); };
  const auto resolve = [&](const std::string& text, std::optional<model::ClientTls> tls = {}) {
    return resolve_endpoint(text, tls, "", "", environment);
  };

  EXPECT_EQ(resolve("unix:///run/docker.sock")->reach.unix_socket, "/run/docker.sock");
  EXPECT_EQ(resolve("tcp://docker:2375")->reach.base, "http://docker:2375");
  EXPECT_EQ(resolve("tcp://docker:2376", model::ClientTls{"ca.pem", "", "", false})->reach.base,
            "https://docker:2376");
  EXPECT_EQ(resolve("https://user@docker/base/")->reach.base, "https://user@docker/base");
  EXPECT_EQ(resolve("https://user@docker/base/")->shown, "https://docker/base");
  EXPECT_EQ(resolve("tcp://docker:2375")->host, "docker");
  EXPECT_EQ(resolve("tcp://[::1]:2375")->host, "::1");
  EXPECT_TRUE(resolve("tcp://[::1]:2375")->local);
  EXPECT_FALSE(resolve("tcp://docker:2375")->local);
  EXPECT_EQ(resolve("ssh://me@host:2222/run/d.sock")->reach.ssh,
            (std::vector<std::string>{"ssh", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=30", "-T",
                                      "-l", "me", "-p", "2222", "--", "host", "docker",
                                      "--host=unix:///run/d.sock", "system", "dial-stdio"}));
  EXPECT_FALSE(resolve("ssh://-oProxyCommand=x"));
  EXPECT_EQ(resolve("npipe:////./pipe/docker_engine").error(),
            "npipe:// is not supported; unix, tcp, http, https and ssh are");
  EXPECT_FALSE(resolve("/var/run/docker.sock"));
}

TEST(Endpoint, TheEnvironmentCountsOnlyWhenNothingIsConfigured) {
  const auto environment = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "DOCKER_HOST") return "tcp://elsewhere:2376";
    if (std::string_view(name) == "DOCKER_CERT_PATH") return "/certs";
    if (std::string_view(name) == "DOCKER_TLS_VERIFY") return "1";
    if (std::string_view(name) == "DOCKER_API_VERSION") return "v1.30";
    return std::nullopt;
  };

  const auto from_environment = resolve_endpoint(std::nullopt, std::nullopt, "", "", environment);
  const auto configured = resolve_endpoint("unix:///x", std::nullopt, "", "", environment);

  EXPECT_EQ(from_environment->reach.base, "https://elsewhere:2376");
  EXPECT_EQ(from_environment->reach.tls.ca, "/certs/ca.pem");
  EXPECT_FALSE(from_environment->reach.tls.insecure_skip_verify);
  EXPECT_EQ(from_environment->api_version, "1.30");
  EXPECT_EQ(configured->reach.unix_socket, "/x");
  EXPECT_EQ(configured->api_version, "");
}

TEST(Endpoint, DialStdioSpeaksThroughACommand) {
  Endpoint endpoint;
  endpoint.reach.base = "http://docker";
  endpoint.reach.ssh = {"/bin/sh", "-c",
                        "read line; printf 'HTTP/1.1 200 OK\\r\\nApi-Version: 1.40\\r\\nContent-Length: "
                        "2\\r\\n\\r\\nOK'; cat >/dev/null"};
  Client client(endpoint, 5000ms);

  const auto agreed = client.negotiate();

  ASSERT_TRUE(agreed) << agreed.error();
  EXPECT_EQ(client.version(), "1.40");
}

TEST(Endpoint, DialStdioThatFailsIsAskedWhy) {
  const auto why = [](std::vector<std::string> command) {
    Endpoint endpoint;
    endpoint.reach.base = "http://docker";
    endpoint.reach.ssh = std::move(command);
    return Client(endpoint, 5000ms).negotiate().error();
  };

  EXPECT_EQ(why({"/bin/sh", "-c", "echo first >&2; echo 'Host key verification failed.' >&2; exit 255"}),
            "/bin/sh says \"Host key verification failed.\"");
  EXPECT_NE(why({"/nowhere/ssh"}).find("is it installed?"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::providers::docker
