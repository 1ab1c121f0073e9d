#include "engine/net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace fairlead::net {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr int kBacklog = 4096;

Result<Fd> bind_to(int family, const sockaddr* raw, socklen_t size, bool reuse_port,
                   const std::string& name) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return fail(500, Fault::Proxy, fmt::format("socket for {}: {}", name, std::strerror(errno)));
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  // Inherited by accepted sockets, so no call per connection: answers leave at once.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::bind(socket.get(), raw, size) != 0 || ::listen(socket.get(), kBacklog) != 0)
    return fail(500, Fault::Proxy, fmt::format("listen on {}: {}", name, std::strerror(errno)));
  return socket;
}

}  // namespace

Result<Fd> open_listener(const ListenAddress& address, bool reuse_port) {
  const std::string name = fmt::format("{}:{}", address.host, address.port);
  if (address.host.empty()) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(address.port);
    auto socket = bind_to(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof any, reuse_port, name);
    if (socket) return socket;
    // A machine without IPv6: EAFNOSUPPORT or EADDRNOTAVAIL. Any other failure shows again below.
    sockaddr_in any4{};
    any4.sin_family = AF_INET;
    any4.sin_port = htons(address.port);
    return bind_to(AF_INET, reinterpret_cast<const sockaddr*>(&any4), sizeof any4, reuse_port, name);
  }
  if (const auto ip = Ip::parse(address.host)) {
    sockaddr_storage raw;
    const socklen_t size = Address{*ip, address.port}.to(raw);
    return bind_to(raw.ss_family, reinterpret_cast<const sockaddr*>(&raw), size, reuse_port, name);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
  if (failed) return fail(500, Fault::Proxy, fmt::format("listen on {}: {}", name, ::gai_strerror(failed)));
  sockaddr_storage raw{};
  std::memcpy(&raw, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  Address resolved = Address::from(raw);
  resolved.port = address.port;
  const socklen_t size = resolved.to(raw);
  return bind_to(raw.ss_family, reinterpret_cast<const sockaddr*>(&raw), size, reuse_port, name);
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
  for (int i = 0; i < kPerEvent && accept_one(); ++i) {
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
