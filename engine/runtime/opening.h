#pragma once

#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/runtime/connection.h"
#include "engine/tcp/route.h"
#include "engine/tls/client_hello.h"
#include "engine/tls/host_table.h"
#include "engine/tls/tls_transport.h"

#include <memory>
#include <string>
#include <string_view>

namespace fairlead::runtime {

struct CompiledEntryPoint;
class Worker;
class WorkerEntryPoint;

// A connection of an entry point that serves TLS, from accept until it is known what it is. The first bytes
// are looked at without taking them: nothing of OpenSSL is made before the whole ClientHello has decided with
// which options and certificates.
class Opening final : public Connection, net::TransportUser, event::TimerUser, tls::HandshakeUser {
 public:
  Opening(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport);

  void start() override;
  // A connection that has not said anything gets a second more.
  void drain() override;
  void close() override;

 private:
  void on_readable() override { look(); }
  void on_writable() override {}
  void on_peer_finished() override { look(); }
  void on_broken(int) override { close(); }
  void on_timer(event::Timer& timer) override;
  void handshake_ended(tls::TlsTransport& transport, Result<> outcome) override;

  // Of the snapshot in force; null when the entry point was taken out of the configuration.
  const CompiledEntryPoint* compiled() const;
  void look();
  void wait_for_first_byte();
  // Takes the PROXY header at the beginning. False: there is nothing behind it to look at yet.
  bool pass_proxy_header(std::string_view bytes);
  // Takes the connection before any byte is read, for protocols in which the server speaks first.
  bool begin_unread();
  // PostgreSQL's client asked for TLS: the ClientHello comes next.
  void agree_to_tls();
  tcp::RoutePtr tcp_route(const CompiledEntryPoint& entry_point, const tls::ClientHello& hello) const;
  void begin_plain(std::string_view bytes);
  void begin_tls(const tls::ClientHello& hello);
  void refuse(int alert, std::string_view why);
  // For the log: what went wrong with this client, before it was known what it wants.
  void tell(std::string_view what, std::string_view why);
  // Lets a TCP router take the connection; false when it was closed instead.
  bool admit(const tcp::RoutePtr& route);
  // Hand the transport on; this object goes.
  void become_http();
  void become_tcp();

  Worker& worker_;
  WorkerEntryPoint& entry_point_;
  std::unique_ptr<net::Transport> transport_;  // plain, then TLS over it
  event::Timer timer_;
  TimePoint handshake_deadline_{};
  std::shared_ptr<const tls::ServerContext> options_;  // of the handshake, which calls back into it
  tcp::RoutePtr route_;                                // of a connection that a TCP router took
  tcp::Holds holds_;
  bool postgres_ = false;       // it came by STARTTLS
  bool expects_proxy_ = false;  // a PROXY header may come before anything else
  bool spoken_ = false;         // its first byte was seen
  std::string_view awaited_;    // what has begun and is not complete
  bool http2_ = false;          // by ALPN, or by the preface
  bool challenge_ = false;      // acme-tls/1: over after the handshake
  bool draining_ = false;
  bool gone_ = false;
};

}  // namespace fairlead::runtime
