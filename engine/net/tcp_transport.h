#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/net/transport.h"

#include <memory>

namespace fairlead::net {

// Plain TCP. The socket is registered with the loop once, edge-triggered, and never touched by epoll_ctl
// again.
class TcpTransport final : public Transport, event::Handler {
 public:
  // An accepted or connecting socket. Null with errno when it cannot be registered.
  static std::unique_ptr<TcpTransport> adopt(event::Loop& loop, Fd socket, const Address& peer);
  ~TcpTransport() override;

  IoResult read(std::span<char> into) override;
  IoResult write(std::span<const iovec> parts) override;
  void finish_writing() override;
  void close() override;
  bool closed() const override { return !socket_; }
  int plain_fd() const override { return socket_.get(); }
  Address local() const override;

 private:
  TcpTransport(Fd socket, const Address& peer);
  void on_event(std::uint32_t events) override;

  Fd socket_;
  bool peer_finished_ = false;
};

// A non-blocking socket on its way to `to`; completion comes as on_writable or on_broken of its transport.
Result<Fd> start_connect(const Address& to);

// Keep-alive probes for tunnels and TCP routes, which have no idle limit of their own.
void enable_keepalive(int socket, int idle_seconds, int interval_seconds);

}  // namespace fairlead::net
