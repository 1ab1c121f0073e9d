#pragma once

#include "cmd/fairlead/whoami_answers.h"
#include "engine/base/fd.h"
#include "engine/codec/h1/server.h"
#include "engine/event/loop.h"
#include "engine/net/listener.h"
#include "engine/net/transport.h"
#include "engine/tls/pointers.h"

#include <memory>

namespace fairlead::cmd {

class WhoamiConnection;
class WhoamiHandshake;

// Answers as traefik/whoami does: /, /api, /bench, /data, /echo (WebSocket), /health, /upload. One thread;
// only the HTTP/1 codec of the engine, so that demos and tests need no other image.
class WhoamiServer {
 public:
  // `tls`: speaks HTTPS with it; null: plain HTTP.
  WhoamiServer(event::Loop& loop, Fd listener, WhoamiFacts facts, bool verbose,
               tls::ContextPtr tls = nullptr);
  // Ends what runs; turns the loop once for it.
  ~WhoamiServer();
  WhoamiServer(const WhoamiServer&) = delete;
  WhoamiServer& operator=(const WhoamiServer&) = delete;

 private:
  friend class WhoamiConnection;
  friend class WhoamiHandshake;
  friend class WhoamiJob;
  void accept(Fd socket, const net::Address& peer);
  void serve(std::unique_ptr<net::Transport> transport);

  event::Loop& loop_;
  const WhoamiFacts facts_;
  const bool verbose_;
  int health_ = 200;  // what GET /health answers; set by POST /health
  std::shared_ptr<const codec::h1::ServerSettings> settings_;
  const tls::ContextPtr tls_;
  WhoamiHandshake* first_handshake_ = nullptr;
  WhoamiConnection* first_ = nullptr;
  Fd socket_;
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace fairlead::cmd
