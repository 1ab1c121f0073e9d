#include "engine/upstream/dialer.h"

#include "engine/net/tcp_transport.h"
#include "engine/upstream/abandon.h"
#include "engine/upstream/resolver.h"
#include "engine/upstream/secure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

namespace fairlead::upstream {
namespace {

// Tunnels and endless answers of a server that vanished without a word must end; as Traefik's dialer.
constexpr int kKeepAliveSeconds = 30;

constexpr Duration kMoment =
    std::chrono::milliseconds(300);  // for the first family, as in Go (RFC 8305 §5: 250)
constexpr Duration kLeastShare = std::chrono::seconds(2);  // as in Go

// Waits for one connecting socket.
class Connecting final : public net::TransportUser, event::TimerUser {
 public:
  Connecting(event::Loop& loop, net::Transport& transport, Duration timeout)
      : transport_(transport), timer_(loop.timers(), *this) {
    transport.set_user(this);
    if (timeout > Duration{}) timer_.arm(loop.now() + timeout);
  }
  ~Connecting() { transport_.set_user(nullptr); }

  Signal::Wait wait() { return signal_.wait(); }
  bool connected = false;
  bool timed_out = false;
  int error = 0;

 private:
  void on_readable() override {}
  void on_writable() override {
    if (std::exchange(connected, true)) return;
    timer_.cancel();
    signal_.notify();
  }
  void on_peer_finished() override {}
  void on_broken(int why) override {
    error = why;
    timer_.cancel();
    signal_.notify();
  }
  void on_timer(event::Timer&) override {
    timed_out = true;
    signal_.notify();
  }

  net::Transport& transport_;
  event::Timer timer_;
  Signal signal_;
};

// Hands a transport that is given up to the loop, on every way out of the coroutine.
class Guard {
 public:
  Guard(event::Loop& loop, std::unique_ptr<net::Transport> transport)
      : loop_(loop), transport_(std::move(transport)) {}
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    if (transport_) abandon(loop_, std::move(transport_));
  }
  net::Transport& operator*() { return *transport_; }
  std::unique_ptr<net::Transport> take() { return std::move(transport_); }

 private:
  event::Loop& loop_;
  std::unique_ptr<net::Transport> transport_;
};

}  // namespace

Task<Result<std::unique_ptr<net::Transport>>> dial(event::Loop& loop, net::Address to, Duration timeout) {
  Result<Fd> socket = net::start_connect(to);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  std::unique_ptr<net::Transport> transport = net::TcpTransport::adopt(loop, std::move(*socket), to);
  if (!transport)
    co_return fail(503, Fault::Proxy, fmt::format("connect {}: {}", to.text(), std::strerror(errno)), true);
  Guard guard(loop, std::move(transport));
  Connecting connecting(loop, *guard, timeout);
  while (!connecting.connected && !connecting.error && !connecting.timed_out) co_await connecting.wait();
  if (connecting.timed_out)
    co_return fail(504, Fault::Upstream,
                   fmt::format("connect {}: no answer within the dial timeout", to.text()), true);
  if (connecting.error)
    co_return fail(502, Fault::Upstream,
                   fmt::format("connect {}: {}", to.text(), std::strerror(connecting.error)), true);
  co_return guard.take();
}

Duration share_of_timeout(Duration left, std::size_t count) {
  return std::min(left, std::max(left / static_cast<Duration::rep>(count), kLeastShare));
}

Task<Result<std::unique_ptr<net::Transport>>> dial_first(event::Loop& loop, std::vector<net::Ip> addresses,
                                                         std::uint16_t port, Duration timeout) {
  const TimePoint until = loop.now() + timeout;
  const bool limited = timeout > Duration{};
  const auto is_preferred = [v4 = !addresses.empty() && addresses.front().is_v4()](const net::Ip& ip) {
    return ip.is_v4() == v4;
  };
  // The other family comes before those of the first that took longer than a moment.
  std::vector<net::Ip> order;
  std::ranges::copy_if(addresses, std::back_inserter(order), is_preferred);
  const std::size_t hurried = order.size() < addresses.size() ? order.size() : 0;
  std::ranges::copy_if(addresses, std::back_inserter(order), std::not_fn(is_preferred));
  Error last{502, Fault::Upstream, true, "no address"};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const net::Ip ip = order[i];
    const Duration left = until - loop.now();
    if (limited && left <= Duration{}) break;
    Duration patience = limited ? share_of_timeout(left, order.size() - i) : Duration{};
    const bool in_a_hurry = i < hurried;
    if (in_a_hurry) patience = limited ? std::min(patience, kMoment) : kMoment;
    auto transport = co_await dial(loop, {ip, port}, patience);
    if (transport) co_return std::move(transport);
    last = std::move(transport.error());
    if (in_a_hurry && last.status == 504) order.push_back(ip);
  }
  co_return std::unexpected(std::move(last));
}

Task<Result<std::unique_ptr<net::Transport>>> dial_address(event::Loop& loop, const ServerAddress& address,
                                                           Duration timeout) {
  if (address.ip) co_return co_await dial(loop, {*address.ip, address.port}, timeout);
  Result<std::vector<net::Ip>> found = co_await resolve(loop, address.host);
  if (!found) co_return std::unexpected(std::move(found.error()));
  co_return co_await dial_first(loop, std::move(*found), address.port, timeout);
}

Task<Result<Dialled>> dial_server(event::Loop& loop, const ServerAddress& address,
                                  const TransportOptions& options, bool http1, std::string header) {
  std::shared_ptr<const tls::ClientContext> tls = options.tls;
  if (address.scheme == Scheme::Https && !tls) {
    auto plain = default_client_context();
    if (!plain) co_return std::unexpected(std::move(plain.error()));
    tls = std::move(*plain);
  }
  auto transport = co_await dial_address(loop, address, options.dial_timeout);
  if (!transport) co_return std::unexpected(std::move(transport.error()));
  net::enable_keepalive((*transport)->plain_fd(), kKeepAliveSeconds, kKeepAliveSeconds);
  // A new connection has room for it: what is left over would be no header.
  if (const iovec part{header.data(), header.size()};
      !header.empty() && (*transport)->write({&part, 1}).bytes < header.size()) {
    abandon(loop, std::move(*transport));
    co_return fail(502, Fault::Upstream,
                   fmt::format("{}: lost before the PROXY header was sent", address.url), true);
  }
  if (address.scheme != Scheme::Https)
    co_return Dialled{std::move(*transport), address.scheme == Scheme::H2c && !http1};
  auto secured =
      co_await secure_http(loop, std::move(*transport), tls, address.host, options.http2 && !http1);
  if (!secured) co_return std::unexpected(std::move(secured.error()));
  co_return Dialled{std::move(secured->transport), secured->http2};
}

}  // namespace fairlead::upstream
