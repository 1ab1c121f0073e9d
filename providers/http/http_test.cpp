#include "providers/http/http.h"

#include "tests/support/recording_sink.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

namespace fairlead::providers::http {
namespace {

using namespace std::chrono_literals;
using fairlead::test::RecordingSink;

// Answers every request with what it is told to.
class Source {
 public:
  Source() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 8) != 0) std::abort();
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int client; (client = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(client)) answer(client);
    });
  }
  ~Source() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  void say(int status, std::string body) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    body_ = std::move(body);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/config"; }
  std::string request() const {
    const std::lock_guard lock(mutex_);
    return request_;
  }
  int asked() const { return asked_; }

 private:
  void answer(int client) {
    char bytes[4096];
    const ssize_t got = ::recv(client, bytes, sizeof bytes, 0);
    const std::lock_guard lock(mutex_);
    request_.assign(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::string text = "HTTP/1.1 " + std::to_string(status_) +
                             " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body_.size()) +
                             "\r\n\r\n" + body_;
    ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    ++asked_;
  }

  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  int status_ = 200;
  std::string body_, request_;
  std::atomic<int> asked_ = 0;
};

model::HttpProvider options(const Source& source) {
  model::HttpProvider out;
  out.endpoint = source.url();
  out.poll_interval = 20ms;
  out.headers = {{"X-Token", "secret"}};
  return out;
}

std::string router(const std::string& host) {
  return R"j({"http":{"routers":{"r":{"rule":"Host(`)j" + host + R"j(`)","service":"s"}}}})j";
}

bool comes(RecordingSink& sink, const std::string& host) {
  return sink.wait_for([&](const model::Dynamic& d) {
    const auto found = d.http.routers.find("r");
    return found != d.http.routers.end() && found->second.options.rule == "Host(`" + host + "`)";
  });
}

TEST(HttpProvider, PollsAndFollowsChanges) {
  Source source;
  source.say(200, router("one"));
  RecordingSink sink;
  auto provider = *Http::make(options(source), {});
  provider->start(sink);
  ASSERT_TRUE(comes(sink, "one"));
  EXPECT_NE(source.request().find("GET /config HTTP/1.1\r\n"), std::string::npos);
  EXPECT_NE(source.request().find("X-Token: secret\r\n"), std::string::npos);

  source.say(200, router("two"));

  EXPECT_TRUE(comes(sink, "two"));
  EXPECT_EQ(sink.count(), 2) << "equal answers are not published again";
  provider->stop();
}

TEST(HttpProvider, AnAnswerIsNoTemplate) {
  Source source;
  source.say(200, router("{{one}}"));
  RecordingSink sink;
  auto provider = *Http::make(options(source), {});

  provider->start(sink);

  EXPECT_TRUE(comes(sink, "{{one}}"));
  provider->stop();
}

TEST(HttpProvider, KeepsTheLastGoodConfiguration) {
  Source source;
  source.say(200, router("one"));
  RecordingSink sink;
  auto provider = *Http::make(options(source), {});
  provider->start(sink);
  ASSERT_TRUE(comes(sink, "one"));

  source.say(200, "http: [unclosed");
  const int asked = source.asked();
  while (source.asked() < asked + 3) std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(provider->status().connected) << "it answers, but not with a configuration";
  source.say(500, "oops");
  const auto says_so = [&] { return provider->status().detail.find("status 500") != std::string::npos; };
  for (int i = 0; i < 6000 && !says_so(); ++i) std::this_thread::sleep_for(10ms);

  EXPECT_TRUE(says_so());
  EXPECT_TRUE(comes(sink, "one"));
  provider->stop();
}

TEST(HttpProvider, BoundsTheAnswer) {
  Source source;
  source.say(200, router("one"));
  RecordingSink sink;
  model::HttpProvider small = options(source);
  small.max_response_body_size = 10;
  auto provider = *Http::make(small, {});
  provider->start(sink);

  for (int i = 0; i < 6000 && source.asked() == 0; ++i) std::this_thread::sleep_for(10ms);
  for (int i = 0; i < 6000 && provider->status().detail.find("larger") == std::string::npos; ++i)
    std::this_thread::sleep_for(10ms);

  EXPECT_NE(provider->status().detail.find("larger than 10 bytes"), std::string::npos);
  EXPECT_EQ(sink.count(), 0);
  provider->stop();
}

TEST(HttpProvider, ShowsNoSecretOfItsEndpoint) {
  Source source;
  source.say(200, router("one"));
  model::HttpProvider secret = options(source);
  secret.endpoint.insert(secret.endpoint.find("://") + 3, "jo:hidden@").append("?token=hidden");
  RecordingSink sink;
  auto provider = *Http::make(secret, {});
  const std::string at_first = provider->status().detail;
  provider->start(sink);
  ASSERT_TRUE(comes(sink, "one"));
  EXPECT_NE(source.request().find("GET /config?token=hidden HTTP/1.1\r\n"), std::string::npos);
  EXPECT_NE(source.request().find("Authorization: Basic am86aGlkZGVu\r\n"), std::string::npos);

  EXPECT_EQ(at_first, "connecting to " + source.url());
  EXPECT_TRUE(sink.wait_for(
      [&](const model::Dynamic& d) { return d.http.routers.at("r").origin.source == source.url(); }));
  source.say(500, "oops");
  const auto trouble = [&] { return provider->status().detail == source.url() + ": status 500"; };
  for (int i = 0; i < 6000 && !trouble(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(trouble());
  provider->stop();
}

TEST(HttpProvider, NeedsAnEndpoint) { EXPECT_EQ(Http::make({}, {}).error().path, "providers.http.endpoint"); }

TEST(HttpProvider, TakesUrlsOnly) {
  model::HttpProvider options;
  for (const char* none :
       {"configuration", "configuration:8080/routes", "ftp://configuration", "//configuration"}) {
    options.endpoint = none;
    EXPECT_EQ(Http::make(options, {}).error().path, "providers.http.endpoint") << none;
  }
  options.endpoint = "user:secret@configuration/routes?token=secret";
  EXPECT_EQ(Http::check(options).error().what, "\"configuration/routes\" is no http or https URL");
  options.endpoint = "HTTPS://configuration/routes";
  EXPECT_TRUE(Http::check(options));
}

}  // namespace
}  // namespace fairlead::providers::http
