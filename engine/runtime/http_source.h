#pragma once

#include "engine/exchange/exchange.h"
#include "engine/exchange/jobs.h"
#include "engine/http/stream.h"
#include "engine/net/transport.h"

#include <memory>
#include <string>

namespace fairlead::runtime {

class Worker;
class WorkerEntryPoint;

// A client connection as its exchanges know it, whatever version of HTTP it speaks: who the client is, what
// TLS told of it, and where its requests go.
class HttpSource : public http::StreamHandler, public exchange::JobSource {
 protected:
  HttpSource(Worker& worker, WorkerEntryPoint& entry_point, const net::Transport& transport,
             std::shared_ptr<const exchange::TlsFacts> tls);
  ~HttpSource();

  http::Job& open() final;
  void discard(http::Job& job) final;
  void refused(const Error& error) final;
  exchange::Pinned* prepare(exchange::Exchange& x) final;

  Worker& worker_;
  WorkerEntryPoint& entry_point_;

 private:
  net::Address peer_;
  net::Address local_;
  std::string client_ip_;
  std::shared_ptr<const exchange::TlsFacts> tls_;  // null: plain
  exchange::ClientBinding binding_;
};

}  // namespace fairlead::runtime
