#pragma once

#include "engine/codec/h2/server.h"
#include "engine/runtime/connection.h"
#include "engine/runtime/http_source.h"

#include <memory>
#include <string_view>

namespace fairlead::runtime {

// What an HTTP/2 connection begins with (RFC 9113 §3.4).
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// One HTTP/2 connection of a client.
class Http2Connection final : public Connection, HttpSource, codec::h2::ServerOwner {
 public:
  Http2Connection(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport,
                  std::shared_ptr<const codec::h2::ServerSettings> settings,
                  std::shared_ptr<const exchange::TlsFacts> tls = nullptr);

  void start() override { codec_.start(); }
  void drain() override { codec_.drain(); }
  void close() override { codec_.close(); }

 private:
  void exchange_ended(http::ServerStream& stream) override { codec_.exchange_ended(stream); }
  void closed(codec::h2::ServerConnection&) override;
  void flooded(codec::h2::Flood kind) override;

  codec::h2::ServerConnection codec_;
};

}  // namespace fairlead::runtime
