#pragma once

#include "engine/codec/h1/server.h"
#include "engine/runtime/connection.h"
#include "engine/runtime/http_source.h"

#include <memory>

namespace fairlead::runtime {

// One HTTP/1 connection of a client.
class HttpConnection final : public Connection, HttpSource, codec::h1::ServerOwner {
 public:
  HttpConnection(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport,
                 std::shared_ptr<const codec::h1::ServerSettings> settings,
                 std::shared_ptr<const exchange::TlsFacts> tls = nullptr);

  void start() override { codec_.start(); }
  void drain() override { codec_.drain(); }
  void close() override { codec_.close(); }

 private:
  void exchange_ended(http::ServerStream&) override { codec_.exchange_ended(); }
  void closed(codec::h1::ServerConnection&) override;

  codec::h1::ServerConnection codec_;
};

}  // namespace fairlead::runtime
