#pragma once

#include "engine/runtime/connection.h"
#include "engine/tcp/session.h"

namespace fairlead::runtime {

class Worker;
class WorkerEntryPoint;

// A connection that a TCP router took. It runs on over changes of the configuration and over a drain, until
// it ends by itself or the grace time does.
class TcpConnection final : public Connection, tcp::SessionOwner {
 public:
  TcpConnection(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport,
                tcp::Session::Options options);

  void start() override { session_.start(); }
  void drain() override {}
  void close() override { session_.close(); }

 private:
  void not_served(const net::Address& client, std::string_view router, std::string_view why) override;
  void session_ended(tcp::Session& session) override;

  Worker& worker_;
  WorkerEntryPoint& entry_point_;
  tcp::Session session_;
};

}  // namespace fairlead::runtime
