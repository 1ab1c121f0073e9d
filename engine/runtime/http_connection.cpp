#include "engine/runtime/http_connection.h"

#include "engine/runtime/worker.h"

#include <spdlog/spdlog.h>

namespace fairlead::runtime {

HttpConnection::HttpConnection(Worker& worker, WorkerEntryPoint& entry_point,
                               std::unique_ptr<net::Transport> transport,
                               std::shared_ptr<const codec::h1::ServerSettings> settings,
                               std::unique_ptr<const exchange::TlsFacts> tls)
    : worker_(worker),
      entry_point_(entry_point),
      peer_(transport->peer()),
      client_ip_(peer_.ip.text()),
      tls_(std::move(tls)),
      codec_(worker.loop(), std::move(transport), std::move(settings), *this, *this) {}

void HttpConnection::close() { codec_.close(); }

http::Job& HttpConnection::open() { return worker_.jobs().open(*this); }

void HttpConnection::discard(http::Job& job) { worker_.jobs().discard(static_cast<exchange::Job&>(job)); }

void HttpConnection::refused(const Error& error) {
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  spdlog::info("entry point {}: refused a request from {} with {}: {}", entry_point_.name(), peer_.text(),
               error.status, error.detail);
}

exchange::Pinned* HttpConnection::prepare(exchange::Exchange& x) {
  x.client = peer_;
  x.client_ip = client_ip_;
  x.tls = tls_.get();
  x.request.scheme = tls_ ? "https" : "http";
  PinnedSnapshot* snapshot = worker_.snapshot();
  snapshot->pin();
  const auto entry_point = (*snapshot)->entry_points.find(entry_point_.name());
  x.entry_point =
      entry_point != (*snapshot)->entry_points.end() ? &entry_point->second.entry : entry_point_.last_known();
  return snapshot;
}

void HttpConnection::closed(codec::h1::ServerConnection&) { entry_point_.remove(*this); }

}  // namespace fairlead::runtime
