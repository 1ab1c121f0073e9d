#pragma once

#include "engine/codec/h1/server.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/net/transport.h"

#include <memory>

namespace fairlead::cmd {

class WhoamiServer;

// One client of whoami.
class WhoamiConnection final : public event::Destroyable, http::StreamHandler, codec::h1::ServerOwner {
 public:
  WhoamiConnection(WhoamiServer& server, std::unique_ptr<net::Transport> transport);

  void start() { codec_.start(); }
  void close() { codec_.close(); }
  void exchange_ended() { codec_.exchange_ended(); }
  const net::Address& peer() const { return codec_.peer(); }

  // Links of the server's list.
  WhoamiConnection* next = nullptr;
  WhoamiConnection* previous = nullptr;

 private:
  http::Job& open() override;
  void discard(http::Job& job) override;
  void refused(const Error& error) override;
  void closed(codec::h1::ServerConnection&) override;

  WhoamiServer& server_;
  codec::h1::ServerConnection codec_;
};

}  // namespace fairlead::cmd
