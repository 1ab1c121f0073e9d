#include "cmd/fairlead/whoami_server.h"

#include "cmd/fairlead/whoami_connection.h"
#include "cmd/fairlead/whoami_handshake.h"
#include "cmd/fairlead/whoami_job.h"
#include "engine/net/tcp_transport.h"

#include <fmt/format.h>

#include <cstdio>

namespace fairlead::cmd {

WhoamiConnection::WhoamiConnection(WhoamiServer& server, std::unique_ptr<net::Transport> transport)
    : server_(server), codec_(server.loop_, std::move(transport), server.settings_, *this, *this) {}

http::Job& WhoamiConnection::open() { return *new WhoamiJob(server_, *this); }

void WhoamiConnection::discard(http::Job& job) { delete static_cast<WhoamiJob*>(&job); }

void WhoamiConnection::refused(const Error& error) {
  if (server_.verbose_) fmt::print("{} {} {}\n", peer().text(), error.status, error.detail);
}

void WhoamiConnection::closed(codec::h1::ServerConnection&) {
  (previous ? previous->next : server_.first_) = next;
  if (next) next->previous = previous;
  next = previous = nullptr;
  server_.loop_.destroy_later(std::unique_ptr<event::Destroyable>(this));
}

WhoamiServer::WhoamiServer(event::Loop& loop, Fd listener, WhoamiFacts facts, bool verbose,
                           tls::ContextPtr tls)
    : loop_(loop),
      facts_(std::move(facts)),
      verbose_(verbose),
      settings_(std::make_shared<const codec::h1::ServerSettings>()),
      tls_(std::move(tls)),
      socket_(std::move(listener)),
      listener_(std::make_unique<net::Listener>(
          loop, socket_.get(),
          [this](Fd socket, const net::Address& peer) { accept(std::move(socket), peer); })) {}

WhoamiServer::~WhoamiServer() {
  listener_.reset();
  while (first_handshake_) first_handshake_->close();
  while (first_) first_->close();
  loop_.run_once(Duration{});
}

void WhoamiServer::accept(Fd socket, const net::Address& peer) {
  auto transport = net::TcpTransport::adopt(loop_, std::move(socket), peer);
  if (!transport) return;
  if (tls_)
    WhoamiHandshake::begin(*this, std::move(transport));
  else
    serve(std::move(transport));
}

void WhoamiServer::serve(std::unique_ptr<net::Transport> transport) {
  auto* connection = new WhoamiConnection(*this, std::move(transport));
  connection->next = first_;
  if (first_) first_->previous = connection;
  first_ = connection;
  connection->start();
}

}  // namespace fairlead::cmd
