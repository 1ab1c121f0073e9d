#pragma once

#include "engine/event/loop.h"
#include "engine/net/transport.h"
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
class Opening final : public event::Destroyable, net::TransportUser, event::TimerUser, tls::HandshakeUser {
 public:
  Opening(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport);

  void start();
  // A connection that has not said anything gets a second more.
  void drain();
  void close();

  // Links of the entry point's list.
  Opening* next = nullptr;
  Opening* previous = nullptr;

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
  void begin_plain();
  void begin_tls(const tls::ClientHello& hello);
  void refuse(int alert, std::string_view why);
  // Hands the transport on; this object goes.
  void become_http();

  Worker& worker_;
  WorkerEntryPoint& entry_point_;
  std::unique_ptr<net::Transport> transport_;  // plain, then TLS over it
  event::Timer timer_;
  TimePoint handshake_deadline_{};
  std::shared_ptr<const tls::ServerContext> options_;  // of the handshake, which calls back into it
  bool spoken_ = false;                                // its first byte was seen
  bool challenge_ = false;                             // acme-tls/1: over after the handshake
  bool gone_ = false;
};

}  // namespace fairlead::runtime
