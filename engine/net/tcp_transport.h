#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/net/transport.h"

#include <memory>
#include <string>

namespace fairlead::net {

// Plain TCP. The socket is registered with the loop once, edge-triggered, and not touched by epoll_ctl again:
// but for an accepted one whose peer is slower than we are, once. Registered for writing from the start, each
// new connection would wake the loop to say that it can be written to.
class TcpTransport final : public Transport, event::Handler {
 public:
  enum class Side : bool { Accepted, Connecting };
  // Null with errno when it cannot be registered. A connecting socket tells its completion by on_writable.
  static std::unique_ptr<TcpTransport> adopt(event::Loop& loop, Fd socket, const Address& peer,
                                             Side side = Side::Connecting);
  ~TcpTransport() override;

  IoResult read(std::span<char> into) override;
  IoResult peek(std::span<char> into) override;
  IoResult write(std::span<const iovec> parts) override;
  void want_writable() override;
  void finish_writing() override;
  void close() override;
  void abort() override;
  void doubt_peer() override;
  bool closed() const override { return !socket_; }
  bool peer_finished() const override { return peer_finished_; }
  int plain_fd() const override { return socket_.get(); }
  Address local() const override;

 private:
  TcpTransport(event::Loop& loop, Fd socket, const Address& peer, Side side);
  void on_event(std::uint32_t events) override;
  const void* foresee() const override { return user_; }
  void foresee_further() const override {
    if (user_) user_->foresee();
  }
  IoResult receive(std::span<char> into);
  IoResult read_kept(std::span<char> into);
  bool ends() const { return peer_finished_ || error_ != 0; }

  event::Loop& loop_;
  Fd socket_;
  std::string kept_;  // peeked and not yet read
  bool kept_drained_ = false;
  int error_ = 0;  // errno of what broke the connection; what came before it can still be read
  bool peer_finished_ = false;
  bool hears_writable_;
};

// A non-blocking socket on its way to `to`; completion comes as on_writable or on_broken of its transport.
Result<Fd> start_connect(const Address& to);

// Keep-alive probes for tunnels and TCP routes, which have no idle limit of their own.
void enable_keepalive(int socket, int idle_seconds, int interval_seconds);

}  // namespace fairlead::net
