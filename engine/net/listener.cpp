#include "engine/net/listener.h"

#include "engine/net/tcp_transport.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace fairlead::net {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr int kBacklog = 4096;
constexpr auto kLate = std::chrono::microseconds(300);
constexpr int kWhenLate = 16;           // so that one burst does not starve requests
constexpr int kKeepAliveSeconds = 180;  // as Traefik's entry points

// Empty with errno when the kernel refuses.
Fd listen_at(const BindAddress& address, bool reuse_port) {
  const int family = address.raw.ss_family;
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  // Inherited by accepted sockets, so no call per connection: answers leave at once.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::bind(socket.get(), address.get(), address.size) != 0 || ::listen(socket.get(), kBacklog) != 0)
    return Fd();
  return socket;
}

}  // namespace

Result<Fd> open_listener(const ListenAddress& address, bool reuse_port) {
  const Result<std::vector<BindAddress>> places = bind_addresses(address);
  if (!places) return std::unexpected(places.error());
  return open_listener(address, *places, reuse_port);
}

Result<Fd> open_listener(const ListenAddress& address, std::span<const BindAddress> places, bool reuse_port) {
  for (const BindAddress& place : places) {
    if (Fd socket = listen_at(place, reuse_port)) return socket;
    if (!is_family_missing(errno)) break;
  }
  return std::unexpected(bind_problem(address, errno, false));
}

std::uint16_t bound_port(int socket) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&raw), &size) != 0) return 0;
  return Address::from(raw).port;
}

Listener::Listener(event::Loop& loop, int socket, Accepted accepted)
    : loop_(loop),
      socket_(socket),
      accepted_(std::move(accepted)),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      resume_(loop.timers(), *this) {
  // Accepted sockets inherit it: probes find clients that are gone without a word, where no idle limit does.
  enable_keepalive(socket_, kKeepAliveSeconds, kKeepAliveSeconds);
  watching_ = loop_.add(socket_, *this, EPOLLIN | EPOLLEXCLUSIVE);
  if (!watching_) spdlog::error("a worker cannot watch its listener: {}", std::strerror(errno));
}

Listener::~Listener() {
  if (watching_) loop_.remove(socket_);
}

void Listener::empty_queue() {
  for (int i = 0; i < kBacklog && accept_one(); ++i) {
  }
}

void Listener::on_event(std::uint32_t) {
  if (!watching_) return;
  // Looking for another that is not there costs as much as a connection, because the kernel makes its socket
  // first. So one at a time: level-triggered, the listener is back with the next events when there are more.
  // Only when the loop took long to come back are several taken, or the queue would overflow.
  const bool late = loop_.now() - looked_ > kLate;
  looked_ = loop_.now();
  for (int i = 0; i < (late ? kWhenLate : 1) && accept_one(); ++i) {
  }
}

bool Listener::accept_one() {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  Fd socket(::accept4(socket_, reinterpret_cast<sockaddr*>(&raw), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    said_exhausted_ = false;
    accepted_(std::move(socket), Address::from(raw));
    return true;
  }
  if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) return true;
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause();
  return false;
}

void Listener::pause() {
  if (!said_exhausted_) {
    said_exhausted_ = true;
    spdlog::error(
        "out of file descriptors: new connections are closed until some are free; raise the limit of open "
        "files (ulimit -n, LimitNOFILE)");
  }
  // The reserve lets one surplus client see its connection closed instead of waiting in the queue.
  reserve_.reset();
  Fd(::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)).reset();
  reserve_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (watching_) loop_.remove(socket_);
  watching_ = false;
  resume_.arm(loop_.now() + kPause);
}

void Listener::on_timer(event::Timer&) { watching_ = loop_.add(socket_, *this, EPOLLIN | EPOLLEXCLUSIVE); }

}  // namespace fairlead::net
