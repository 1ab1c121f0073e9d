#include "engine/runtime/tcp_connection.h"

#include "engine/runtime/worker.h"

namespace fairlead::runtime {

TcpConnection::TcpConnection(Worker& worker, WorkerEntryPoint& entry_point,
                             std::unique_ptr<net::Transport> transport, tcp::Session::Options options)
    : worker_(worker),
      entry_point_(entry_point),
      session_(worker.loop(), worker.pools(), std::move(transport), std::move(options), *this) {}

void TcpConnection::not_served(const net::Address& client, std::string_view router, std::string_view why) {
  worker_.tell(spdlog::level::warn, client, [&](std::string_view peer) {
    return fmt::format("entry point {}: TCP router {}: the connection of {} is closed: {}",
                       entry_point_.name(), router, peer, why);
  });
}

void TcpConnection::session_ended(tcp::Session&) { entry_point_.remove(*this); }

}  // namespace fairlead::runtime
