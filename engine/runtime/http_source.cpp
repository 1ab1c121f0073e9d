#include "engine/runtime/http_source.h"

#include "engine/runtime/worker.h"

#include <fmt/format.h>

namespace fairlead::runtime {

HttpSource::HttpSource(Worker& worker, WorkerEntryPoint& entry_point, const net::Transport& transport,
                       std::shared_ptr<const exchange::TlsFacts> tls)
    : worker_(worker),
      entry_point_(entry_point),
      peer_(transport.peer()),
      local_(transport.local()),
      client_ip_(peer_.ip.text()),
      tls_(std::move(tls)) {
  thread_local std::uint64_t last_id = 0;
  binding_.id = ++last_id;
}

HttpSource::~HttpSource() {
  if (binding_.has_logins) worker_.pools().forget_client(binding_.id);
}

http::Job& HttpSource::open() { return worker_.jobs().open(*this); }

void HttpSource::discard(http::Job& job) { worker_.jobs().discard(static_cast<exchange::Job&>(job)); }

void HttpSource::refused(const Error& error) {
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  worker_.tell(spdlog::level::info, peer_, [&](std::string_view peer) {
    return fmt::format("entry point {}: refused a request from {} with {}: {}", entry_point_.name(), peer,
                       error.status, error.detail);
  });
}

exchange::Pinned* HttpSource::prepare(exchange::Exchange& x) {
  x.client = peer_;
  x.local = local_;
  x.client_ip = client_ip_;
  x.tls = tls_.get();
  x.binding = &binding_;
  x.request.scheme = tls_ ? "https" : "http";
  PinnedSnapshot* snapshot = worker_.snapshot();
  snapshot->pin();
  x.entry_point = &entry_point_.compiled()->entry;
  return snapshot;
}

}  // namespace fairlead::runtime
