#include "cmd/fairlead/whoami_handshake.h"

#include "cmd/fairlead/whoami_server.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

namespace fairlead::cmd {
namespace {

constexpr auto kHandshakeTime = std::chrono::seconds(10);

}  // namespace

void WhoamiHandshake::begin(WhoamiServer& server, std::unique_ptr<net::Transport> plain) {
  tls::SslPtr ssl(SSL_new(server.tls_.get()));
  if (!ssl) return plain->close();
  SSL_set_accept_state(ssl.get());
  auto* handshake = new WhoamiHandshake(server);
  handshake->next_ = server.first_handshake_;
  if (handshake->next_) handshake->next_->previous_ = handshake;
  server.first_handshake_ = handshake;
  tls::HandshakeUser& user = *handshake;
  handshake->transport_ =
      std::make_unique<tls::TlsTransport>(server.loop_, std::move(plain), std::move(ssl), user);
  handshake->transport_->handshake(server.loop_.now() + kHandshakeTime);
}

// The transport may be calling: it goes with us, when the tick ends.
void WhoamiHandshake::close() {
  transport_->close();
  leave();
}

void WhoamiHandshake::leave() {
  (previous_ ? previous_->next_ : server_.first_handshake_) = next_;
  if (next_) next_->previous_ = previous_;
  next_ = previous_ = nullptr;
  server_.loop_.destroy_later(std::unique_ptr<event::Destroyable>(this));
}

void WhoamiHandshake::handshake_ended(tls::TlsTransport&, Result<> outcome) {
  if (!outcome) {
    if (server_.verbose_) fmt::print("{} no TLS: {}\n", transport_->peer().text(), outcome.error().detail);
    return close();
  }
  WhoamiServer& server = server_;
  std::unique_ptr<net::Transport> secured = std::move(transport_);
  leave();
  server.serve(std::move(secured));
}

}  // namespace fairlead::cmd
