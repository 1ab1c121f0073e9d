#pragma once

#include "engine/codec/h1/server.h"
#include "engine/event/loop.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/jobs.h"

#include <memory>
#include <string>

namespace fairlead::runtime {

class Worker;
class WorkerEntryPoint;

// One client connection of a worker: the codec, and what its exchanges need to know of it.
class HttpConnection final : public event::Destroyable,
                             http::StreamHandler,
                             exchange::JobSource,
                             codec::h1::ServerOwner {
 public:
  HttpConnection(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport,
                 std::shared_ptr<const codec::h1::ServerSettings> settings,
                 std::unique_ptr<const exchange::TlsFacts> tls = nullptr);

  void start() { codec_.start(); }
  void drain() { codec_.drain(); }
  void close();
  bool busy() const { return codec_.busy(); }

  // Links of the entry point's list.
  HttpConnection* next = nullptr;
  HttpConnection* previous = nullptr;

 private:
  http::Job& open() override;
  void discard(http::Job& job) override;
  void refused(const Error& error) override;
  exchange::Pinned* prepare(exchange::Exchange& x) override;
  void exchange_ended() override { codec_.exchange_ended(); }
  void closed(codec::h1::ServerConnection&) override;

  Worker& worker_;
  WorkerEntryPoint& entry_point_;
  net::Address peer_;
  std::string client_ip_;
  std::unique_ptr<const exchange::TlsFacts> tls_;  // null: plain
  codec::h1::ServerConnection codec_;
};

}  // namespace fairlead::runtime
