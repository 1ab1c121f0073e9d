#include "engine/middleware/rate_limit_redis.h"

#include "engine/middleware/test_options.h"
#include "engine/middleware/test_waiting.h"
#include "engine/tls/test_certificates.h"
#include "engine/upstream/redis.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace fairlead::middleware {
namespace {

// A port that was free a moment ago.
int free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A real server in a process of its own; port 0 when none is installed.
class RedisServer {
 public:
  // certificate, key: paths; with them it speaks TLS only.
  explicit RedisServer(const std::string& certificate = {}, const std::string& key = {}) {
    if (::access("/usr/bin/redis-server", X_OK) != 0) return;
    port = free_port();
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string text = std::to_string(port);
      std::vector<std::string> words = {"redis-server",  "--bind", "127.0.0.1",  "--save",  "",
                                        "--requirepass", "hidden", "--loglevel", "warning", "--logfile",
                                        "/dev/null"};
      if (certificate.empty())
        words.insert(words.end(), {"--port", text});
      else
        words.insert(words.end(),
                     {"--port", "0", "--tls-port", text, "--tls-auth-clients", "no", "--tls-cert-file",
                      certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate});
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execv("/usr/bin/redis-server", arguments.data());
      ::_exit(127);
    }
    for (int i = 0; i < 6000 && !answers(); ++i) ::usleep(10'000);
  }
  ~RedisServer() { stop(); }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port); }
  int port = 0;

 private:
  bool answers() const {
    const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  pid_t pid_ = 0;
};

// Connections to Redis belong to the thread, and must end before the loop that they use.
struct LinksEndFirst {
  ~LinksEndFirst() { upstream::Redis::forget_links(); }
};

TEST(RateLimitRedis, TwoInstancesShareOneLimit) {
  const RedisServer server;
  if (server.port == 0) FAIL() << "redis-server is missing: ./dev test installs it";
  const auto options = test::options({{"average", "1"},
                                      {"period", "1m"},
                                      {"burst", "3"},
                                      {"redis.endpoints", server.endpoint()},
                                      {"redis.password", "hidden"},
                                      {"redis.db", "2"}});
  const test::Made one("rateLimit", options);
  const test::Made other("rateLimit", options);
  ASSERT_TRUE(one) << one.error();
  auto x = test::get("/");
  const LinksEndFirst links;
  const test::StubService service;

  EXPECT_EQ(test::run_waiting(*one, x, service).head.status, 200);
  EXPECT_EQ(test::run_waiting(*other, x, service).head.status, 200);
  EXPECT_EQ(test::run_waiting(*one, x, service).head.status, 200);
  const exchange::Response refused = test::run_waiting(*other, x, service);

  EXPECT_EQ(refused.head.status, 429);
  EXPECT_EQ(refused.head.fields.get("Retry-After"), "60");
}

TEST(RateLimitRedis, SpeaksTlsAndVerifiesTheServer) {
  const tls::TestCertificate pair = tls::test_certificate("IP:127.0.0.1");
  const std::string base = testing::TempDir() + "fairlead-redis-" + std::to_string(::getpid());
  const std::string certificate = base + ".crt";
  const std::string key = base + ".key";
  std::ofstream(certificate) << pair.chain;
  std::ofstream(key) << pair.key;
  const RedisServer server(certificate, key);
  if (server.port == 0) FAIL() << "redis-server is missing: ./dev test installs it";
  const auto status_with = [&](std::string_view option, std::string_view value) {
    const test::Made made("rateLimit", {{"average", "9"},
                                        {"burst", "10"},
                                        {"redis.endpoints", server.endpoint()},
                                        {"redis.password", "hidden"},
                                        {option, value}});
    EXPECT_TRUE(made) << made.error();
    auto x = test::get("/");
    const LinksEndFirst links;
    return test::run_waiting(*made, x, test::StubService()).head.status;
  };

  EXPECT_EQ(status_with("redis.tls.ca", certificate), 200);
  EXPECT_EQ(status_with("redis.tls.insecureSkipVerify", "true"), 200);
  EXPECT_EQ(status_with("redis.tls.insecureSkipVerify", "false"), 500);
  std::remove(certificate.c_str());
  std::remove(key.c_str());
}

TEST(RateLimitRedis, SaysWhichOptionsHaveNoEffect) {
  const test::Made made(
      "rateLimit",
      {{"average", "9"}, {"redis.poolSize", "5"}, {"redis.maxActiveConns", "7"}, {"redis.db", "1"}});
  ASSERT_TRUE(made) << made.error();

  ASSERT_EQ(made.making.notices.size(), 2u);
  EXPECT_EQ(made.making.notices[0].path, "redis.poolSize");
  EXPECT_EQ(made.making.notices[1].path, "redis.maxActiveConns");
  EXPECT_THAT(made.making.notices[0].what, testing::HasSubstr("has no effect"));
}

TEST(RateLimitRedis, ALostServerAnswers500AndAWrongPasswordToo) {
  RedisServer server;
  if (server.port == 0) FAIL() << "redis-server is missing: ./dev test installs it";
  const test::Made wrong("rateLimit", {{"average", "1"}, {"redis.endpoints", server.endpoint()}});
  const test::Made right(
      "rateLimit", {{"average", "9"}, {"redis.endpoints", server.endpoint()}, {"redis.password", "hidden"}});
  auto x = test::get("/");
  const LinksEndFirst links;
  const test::StubService service;
  EXPECT_EQ(test::run_waiting(*wrong, x, service).head.status, 500);
  EXPECT_EQ(test::run_waiting(*right, x, service).head.status, 200);

  server.stop();

  EXPECT_EQ(test::run_waiting(*right, x, service).head.status, 500);
}

}  // namespace
}  // namespace fairlead::middleware
