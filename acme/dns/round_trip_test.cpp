#include "acme/dns/round_trip.h"

#include "acme/dns/message.h"
#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace fairlead::acme::dns {
namespace {

using namespace std::chrono_literals;

// TCP and UDP on one port of 127.0.0.1; what they do is the test's. Each runs until the end is near.
class Server {
 public:
  using Act = std::function<void(int socket, const std::atomic<bool>& over)>;

  Server(Act tcp, Act udp) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&place), &size);
    ::listen(listener_.get(), 8);
    datagrams_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::bind(datagrams_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place);
    const timeval wait{.tv_sec = 0, .tv_usec = 50'000};
    ::setsockopt(datagrams_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    port_ = ntohs(place.sin_port);
    threads_[0] = std::thread([this, tcp = std::move(tcp)] {
      while (!over_)
        if (const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)); client)
          tcp(client.get(), over_);
    });
    threads_[1] = std::thread([this, udp = std::move(udp)] {
      while (!over_) udp(datagrams_.get(), over_);
    });
  }
  ~Server() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  std::string name() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  std::atomic<bool> over_ = false;
  Fd listener_, datagrams_;
  std::uint16_t port_ = 0;
  std::thread threads_[2];
};

void close_at_once(int, const std::atomic<bool>&) {}

void say_nothing(int, const std::atomic<bool>&) { std::this_thread::sleep_for(10ms); }

std::string question() {
  std::string out("\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12);
  return out;
}

Duration time_of(const Server& server, Duration timeout, Result<std::string>& outcome) {
  const auto begun = std::chrono::steady_clock::now();
  outcome = round_trip(server.name(), question(), timeout, {});
  return std::chrono::steady_clock::now() - begun;
}

TEST(RoundTrip, AnAnswerThatDripsIsNotWaitedForBeyondTheTimeout) {
  const Server server(
      [](int socket, const std::atomic<bool>& over) {
        std::string announced;
        put16(announced, 60'000);
        ::send(socket, announced.data(), announced.size(), MSG_NOSIGNAL);
        while (!over && ::send(socket, "x", 1, MSG_NOSIGNAL) == 1) std::this_thread::sleep_for(5ms);
      },
      say_nothing);
  Result<std::string> outcome;

  // Once over TCP and once over UDP.
  EXPECT_LT(time_of(server, 300ms, outcome), 5s);

  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().status, 504);
}

TEST(RoundTrip, DatagramsOfOthersDoNotHoldUpTheTimeout) {
  const Server server(close_at_once, [](int socket, const std::atomic<bool>& over) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    char bytes[512];
    if (::recvfrom(socket, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size) < 12) return;
    const std::string other(12, '\x77');
    while (!over) {
      ::sendto(socket, other.data(), other.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      std::this_thread::sleep_for(1ms);
    }
  });
  Result<std::string> outcome;

  EXPECT_LT(time_of(server, 300ms, outcome), 5s);

  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().status, 504);
}

TEST(RoundTrip, TheRightDatagramIsFoundAmongOthers) {
  const Server server(close_at_once, [](int socket, const std::atomic<bool>&) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    char bytes[512];
    const ssize_t got = ::recvfrom(socket, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 12) return;
    const std::string other(12, '\x77');
    ::sendto(socket, other.data(), other.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    ::sendto(socket, bytes, static_cast<std::size_t>(got), 0, reinterpret_cast<sockaddr*>(&from), size);
  });
  Result<std::string> outcome;

  time_of(server, 5s, outcome);

  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_EQ(*outcome, question());
}

}  // namespace
}  // namespace fairlead::acme::dns
