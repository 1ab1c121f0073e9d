#include "engine/runtime/http2_connection.h"

#include "engine/runtime/worker.h"

namespace fairlead::runtime {

Http2Connection::Http2Connection(Worker& worker, WorkerEntryPoint& entry_point,
                                 std::unique_ptr<net::Transport> transport,
                                 std::shared_ptr<const codec::h2::ServerSettings> settings,
                                 std::shared_ptr<const exchange::TlsFacts> tls)
    : HttpSource(worker, entry_point, *transport, std::move(tls)),
      codec_(worker.loop(), std::move(transport), std::move(settings), *this, *this) {}

void Http2Connection::closed(codec::h2::ServerConnection&) { entry_point_.remove(*this); }

void Http2Connection::flooded(codec::h2::Flood kind) {
  worker_.gauges().floods[static_cast<std::size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace fairlead::runtime
