#include "providers/docker/prober.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;

// Listens on a free port of loopback and answers the first request of each connection.
class Server {
 public:
  explicit Server(std::string answer, std::chrono::milliseconds delay = {}) : answer_(std::move(answer)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 8) != 0) std::abort();
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, delay] {
      for (int client; (client = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(client)) {
        char bytes[512];
        ++accepted_;
        const bool asked = ::recv(client, bytes, sizeof bytes, 0) > 0;
        std::this_thread::sleep_for(delay);
        if (asked) ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
    });
  }
  ~Server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }

 private:
  const std::string answer_;
  int fd_;
  std::uint16_t port_;
  std::atomic<int> accepted_ = 0;
  std::thread thread_;
};

ProbeTarget target(std::uint16_t port) { return {port, {"127.0.0.1", port, {}}}; }

TEST(Probe, TellsHttpFromOtherProtocolsAndFromClosedPorts) {
  Server http("HTTP/1.1 404 Not Found\r\n\r\n"), tls("HTTP/1.0 400 Bad Request\r\n\r\n"),
      smtp("220 hello there\r\n");
  const ProbeJob job{
      "", "x", {target(http.port()), target(tls.port()), target(smtp.port()), target(1)}, true};

  const auto results = probe({job}, 2s);

  ASSERT_EQ(results.size(), 1u);
  ASSERT_EQ(results[0].size(), 4u);
  EXPECT_TRUE(results[0][0].accepts && results[0][0].speaks_http);
  EXPECT_TRUE(results[0][1].accepts && !results[0][1].speaks_http && results[0][1].says_400)
      << "a TLS port that was spoken to in clear text";
  EXPECT_TRUE(results[0][2].accepts && !results[0][2].speaks_http);
  EXPECT_FALSE(results[0][3].accepts);
}

TEST(Prober, AsksOnceAndWaitsForASlowAnswer) {
  Server slow("HTTP/1.1 200 OK\r\n\r\n", 400ms);
  std::atomic<int> awaited = 0, answered = 0;
  Prober prober([&](const ProbeJob&, std::vector<ProbeResult> results) {
    if (results[0].awaited) ++awaited;
    if (results[0].speaks_http) ++answered;
  });
  prober.start();

  prober.set_jobs({{"", "x", {target(slow.port())}, true}});
  for (int i = 0; i < 500 && answered < 1; ++i) std::this_thread::sleep_for(10ms);
  prober.stop();

  EXPECT_GE(answered, 1);
  EXPECT_GE(awaited, 1);
  EXPECT_LE(slow.accepted(), answered + 1);
}

TEST(Prober, TriesAgainUntilThePortAccepts) {
  std::atomic<int> closed = 0, open = 0;
  Prober prober(
      [&](const ProbeJob&, std::vector<ProbeResult> results) { ++(results[0].accepts ? open : closed); });
  prober.start();

  prober.set_jobs({{"", "x", {target(1)}, false}});
  for (int i = 0; i < 500 && closed < 2; ++i) std::this_thread::sleep_for(10ms);
  Server server("");
  prober.set_jobs({{"", "x", {target(server.port())}, false}});
  for (int i = 0; i < 500 && open < 1; ++i) std::this_thread::sleep_for(10ms);
  prober.stop();

  EXPECT_GE(closed, 2);
  EXPECT_GE(open, 1);
}

}  // namespace
}  // namespace fairlead::providers::docker
