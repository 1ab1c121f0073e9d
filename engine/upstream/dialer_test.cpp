#include "engine/upstream/dialer.h"

#include "engine/base/fd.h"
#include "engine/upstream/abandon.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <vector>

namespace fairlead::upstream {
namespace {

using namespace std::chrono_literals;

const net::Ip kIpv4 = *net::Ip::parse("127.0.0.1");
const net::Ip kIpv6 = *net::Ip::parse("::1");

Fd listen_at(int family, std::uint16_t port) {
  Fd listener(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage here{};
  if (family == AF_INET6) {
    auto& at = reinterpret_cast<sockaddr_in6&>(here);
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(port);
    at.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    const int only = 1;
    EXPECT_EQ(::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
  } else {
    auto& at = reinterpret_cast<sockaddr_in&>(here);
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  EXPECT_EQ(::listen(listener.get(), 0), 0);
  return listener;
}

std::uint16_t port_of(const Fd& listener) {
  sockaddr_in6 here{};
  socklen_t size = sizeof here;
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&here), &size), 0);
  return ntohs(here.sin6_port);
}

// Fills the queue of a listener, so that it lets further connections wait as a route to nowhere does.
std::vector<Fd> silence(const Fd& listener) {
  sockaddr_in6 here{};
  socklen_t size = sizeof here;
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&here), &size), 0);
  std::vector<Fd> waiting;
  for (int i = 0; i < 64; ++i) {
    Fd one(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(one.get(), reinterpret_cast<sockaddr*>(&here), size);
    pollfd connected{one.get(), POLLOUT, 0};
    const bool is_full = ::poll(&connected, 1, 200) == 0;
    waiting.push_back(std::move(one));
    if (is_full) return waiting;
  }
  ADD_FAILURE() << "the queue of the listener has no end";
  return waiting;
}

struct Dial final : Completion {
  std::optional<Result<std::unique_ptr<net::Transport>>> result;
  Task<void> task;
  void task_done() override {}

  static Task<void> run(Dial& self, event::Loop& loop, std::vector<net::Ip> addresses, std::uint16_t port,
                        Duration timeout) {
    self.result = co_await dial_first(loop, std::move(addresses), port, timeout);
  }
};

Result<std::unique_ptr<net::Transport>> dialled(event::Loop& loop, std::vector<net::Ip> addresses,
                                                std::uint16_t port, Duration timeout) {
  Dial dial;
  dial.task = Dial::run(dial, loop, std::move(addresses), port, timeout);
  dial.task.start(&dial);
  for (int i = 0; i < 10'000 && !dial.result; ++i) loop.run_once(10ms);
  EXPECT_TRUE(dial.result);
  return std::move(*dial.result);
}

TEST(DialFirst, TurnsToTheOtherFamilyAfterAMoment) {
  event::Loop loop;
  const Fd silent = listen_at(AF_INET6, 0);
  const std::uint16_t port = port_of(silent);
  const Fd listener = listen_at(AF_INET, port);
  const std::vector<Fd> waiting = silence(silent);

  const TimePoint begun = loop.now();
  auto found = dialled(loop, {kIpv6, kIpv4}, port, 60s);

  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ((*found)->peer().ip, kIpv4);
  EXPECT_LT(loop.now() - begun, 30s) << "the first address had half of the time";
  abandon(loop, std::move(*found));
  loop.run_once(0ms);
}

TEST(DialFirst, ComesBackToAnAddressThatTookLongerThanAMoment) {
  event::Loop loop;
  const Fd slow = listen_at(AF_INET6, 0);
  const std::uint16_t port = port_of(slow);
  std::vector<Fd> waiting = silence(slow);

  Dial dial;
  dial.task = Dial::run(dial, loop, {kIpv6, kIpv4}, port, 60s);  // nobody listens at the second
  dial.task.start(&dial);
  for (int i = 0; i < 100 && !dial.result; ++i) loop.run_once(10ms);
  EXPECT_FALSE(dial.result);
  for (int i = 0; i < 6'000 && !dial.result; ++i) {
    pollfd come{slow.get(), POLLIN, 0};
    if (::poll(&come, 1, 0) == 1) Fd(::accept(slow.get(), nullptr, nullptr));
    loop.run_once(10ms);
  }

  ASSERT_TRUE(dial.result && *dial.result) << "never connected";
  EXPECT_EQ((**dial.result)->peer().ip, kIpv6);
  abandon(loop, std::move(**dial.result));
  loop.run_once(0ms);
}

TEST(DialFirst, SharesTheTimeOutAmongTheAddresses) {
  EXPECT_EQ(share_of_timeout(30s, 3), 10s);
  EXPECT_EQ(share_of_timeout(30s, 1), 30s);
  EXPECT_EQ(share_of_timeout(5s, 5), 2s) << "too short a wait finds nobody";
  EXPECT_EQ(share_of_timeout(1s, 5), 1s);
}

TEST(DialFirst, TellsWhatTheLastAddressSaid) {
  event::Loop loop;
  const std::uint16_t port = port_of(listen_at(AF_INET6, 0));
  const auto none = dialled(loop, {kIpv6}, port, 10s);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, 502);
  EXPECT_TRUE(none.error().detail.contains("refused")) << none.error().detail;
}

}  // namespace
}  // namespace fairlead::upstream
