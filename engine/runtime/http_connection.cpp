#include "engine/runtime/http_connection.h"

#include "engine/runtime/worker.h"

namespace fairlead::runtime {

HttpConnection::HttpConnection(Worker& worker, WorkerEntryPoint& entry_point,
                               std::unique_ptr<net::Transport> transport,
                               std::shared_ptr<const codec::h1::ServerSettings> settings,
                               std::shared_ptr<const exchange::TlsFacts> tls)
    : HttpSource(worker, entry_point, *transport, std::move(tls)),
      codec_(worker.loop(), std::move(transport), std::move(settings), *this, *this) {}

void HttpConnection::closed(codec::h1::ServerConnection&) { entry_point_.remove(*this); }

}  // namespace fairlead::runtime
