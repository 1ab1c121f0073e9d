#include "engine/runtime/tcp_connection.h"

#include "engine/runtime/worker.h"

namespace fairlead::runtime {

TcpConnection::TcpConnection(Worker& worker, WorkerEntryPoint& entry_point,
                             std::unique_ptr<net::Transport> transport, tcp::Session::Options options)
    : entry_point_(entry_point),
      session_(worker.loop(), worker.pools(), std::move(transport), std::move(options), *this) {}

void TcpConnection::session_ended(tcp::Session&) { entry_point_.remove(*this); }

}  // namespace fairlead::runtime
