#pragma once

#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/tls/tls_transport.h"

#include <memory>

namespace fairlead::cmd {

class WhoamiServer;

// A client of whoami that speaks TLS, until its handshake has ended.
class WhoamiHandshake final : public event::Destroyable, tls::HandshakeUser {
 public:
  static void begin(WhoamiServer& server, std::unique_ptr<net::Transport> plain);
  void close();

 private:
  explicit WhoamiHandshake(WhoamiServer& server) : server_(server) {}
  void handshake_ended(tls::TlsTransport& transport, Result<> outcome) override;
  void leave();

  WhoamiServer& server_;
  std::unique_ptr<tls::TlsTransport> transport_;
  // Links of the server's list.
  WhoamiHandshake* next_ = nullptr;
  WhoamiHandshake* previous_ = nullptr;
};

}  // namespace fairlead::cmd
