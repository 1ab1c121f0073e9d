#include "engine/net/tcp_transport.h"

#include "engine/base/assert.h"
#include "engine/base/memory_budget.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace fairlead::net {

namespace {
constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr unsigned int kDoubtPatience = 5000;  // ms
}  // namespace

TcpTransport::TcpTransport(event::Loop& loop, Fd socket, const Address& peer, Side side)
    : loop_(loop), socket_(std::move(socket)), hears_writable_(side == Side::Connecting) {
  peer_ = peer;
}

std::unique_ptr<TcpTransport> TcpTransport::adopt(event::Loop& loop, Fd socket, const Address& peer,
                                                  Side side) {
  std::unique_ptr<TcpTransport> transport(new TcpTransport(loop, std::move(socket), peer, side));
  const std::uint32_t events = side == Side::Connecting ? kReading | EPOLLOUT : kReading;
  if (!loop.add(transport->socket_.get(), *transport, events)) return nullptr;
  return transport;
}

TcpTransport::~TcpTransport() {
  close();
  MemoryBudget::instance().remove(kept_.size());
}

Address TcpTransport::local() const {
  if (announced_local_) return *announced_local_;
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&raw), &size) != 0) return {};
  return Address::from(raw);
}

IoResult TcpTransport::read(std::span<char> into) { return kept_.empty() ? receive(into) : read_kept(into); }

IoResult TcpTransport::peek(std::span<char> into) {
  const std::size_t before = kept_.size();
  if (before >= into.size()) return {into.size(), IoStatus::Ok, 0, false};
  std::memcpy(into.data(), kept_.data(), before);
  IoResult got = receive(into.subspan(before));
  if (got.status == IoStatus::WouldBlock && before > 0) return {before, IoStatus::Ok, 0, true};
  if (got.status != IoStatus::Ok) return got;
  kept_.append(into.data() + before, got.bytes);
  MemoryBudget::instance().add(got.bytes);
  kept_drained_ = got.drained;
  got.bytes += before;
  return got;
}

IoResult TcpTransport::read_kept(std::span<char> into) {
  const std::size_t count = std::min(into.size(), kept_.size());
  std::memcpy(into.data(), kept_.data(), count);
  MemoryBudget::instance().remove(count);
  if (count < kept_.size()) {
    kept_.erase(0, count);
    return {count, IoStatus::Ok, 0, false};
  }
  std::string().swap(kept_);
  return {count, IoStatus::Ok, 0, kept_drained_ && !ends()};
}

IoResult TcpTransport::receive(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (got > 0) {
      loop_.note_received(static_cast<std::size_t>(got));
      // A short read drained the socket: no second call to see EAGAIN. After the peer's FIN or reset no edge
      // will come for the end itself, so reading goes on until it shows.
      const bool drained = static_cast<std::size_t>(got) < into.size() && !ends();
      return {static_cast<std::size_t>(got), IoStatus::Ok, 0, drained};
    }
    // The kernel tells a reset once, and told on_event() or write(): from then on it looks like an orderly
    // end. What only ended our own direction, such as a write after finish_writing(), leaves the other.
    if (error_ && (got == 0 || errno != EAGAIN)) return {0, IoStatus::Failed, error_, true};
    if (got == 0) return {0, IoStatus::End, 0, true};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, IoStatus::WouldBlock, 0, true};
    return {0, IoStatus::Failed, errno, true};
  }
}

IoResult TcpTransport::write(std::span<const iovec> parts) {
  for (;;) {
    ssize_t sent = 0;
    if (parts.size() == 1) {
      sent = ::send(socket_.get(), parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = parts.size();
      sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    }
    if (sent >= 0) {
      std::size_t whole = 0;
      for (const iovec& part : parts) whole += part.iov_len;
      if (static_cast<std::size_t>(sent) < whole) want_writable();
      return {static_cast<std::size_t>(sent), IoStatus::Ok, 0, false};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      want_writable();
      return {0, IoStatus::WouldBlock, 0, false};
    }
    error_ = errno;
    return {0, IoStatus::Failed, error_, false};
  }
}

void TcpTransport::want_writable() {
  if (!std::exchange(hears_writable_, true)) loop_.change(socket_.get(), kReading | EPOLLOUT);
}

void TcpTransport::finish_writing() { ::shutdown(socket_.get(), SHUT_WR); }

void TcpTransport::close() {
  if (!socket_) return;
  loop_.forget(socket_.get());
  socket_.reset();
}

void TcpTransport::abort() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void TcpTransport::doubt_peer() {
  if (!socket_ || peer_finished_) return;
  // A probe each second while nothing is under way; bytes that nobody acknowledges for so long, or probes
  // that nobody answers, end the connection.
  enable_keepalive(socket_.get(), 1, 1);
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kDoubtPatience, sizeof kDoubtPatience);
}

void TcpTransport::on_event(std::uint32_t events) {
  // The user may close this transport in any of these calls; it is destroyed only when the tick has ended.
  if (!socket_) return;
  if (events & (EPOLLRDHUP | EPOLLHUP)) peer_finished_ = true;
  if (events & EPOLLERR) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error || !error_) error_ = error ? error : EPIPE;
  }
  if (!user_) return;
  if (events & EPOLLERR) return user_->on_broken(error_);
  if (events & EPOLLOUT) user_->on_writable();
  if (socket_ && user_ && (events & EPOLLIN)) user_->on_readable();
  if (socket_ && user_ && (events & EPOLLHUP)) return user_->on_broken(ECONNRESET);
  if (socket_ && user_ && (events & EPOLLRDHUP)) user_->on_peer_finished();
}

Result<Fd> start_connect(const Address& to) {
  sockaddr_storage raw;
  const socklen_t size = to.to(raw);
  Fd socket(::socket(raw.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket)
    return fail(503, Fault::Proxy, fmt::format("socket for {}: {}", to.text(), std::strerror(errno)), true);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&raw), size) == 0 || errno == EINPROGRESS)
    return socket;
  return fail(502, Fault::Upstream, fmt::format("connect {}: {}", to.text(), std::strerror(errno)), true);
}

void enable_keepalive(int socket, int idle_seconds, int interval_seconds) {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
}

}  // namespace fairlead::net
