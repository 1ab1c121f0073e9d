#include "engine/upstream/secure.h"

#include "engine/tls/tls_transport.h"
#include "engine/upstream/abandon.h"

#include <fmt/format.h>

namespace fairlead::upstream {
namespace {

constexpr auto kHandshakeTimeout = std::chrono::seconds(10);

// Waits for one handshake.
class Handshaking final : public tls::HandshakeUser {
 public:
  Signal::Wait wait() { return signal_.wait(); }
  bool ended = false;
  Result<> outcome;

 private:
  void handshake_ended(tls::TlsTransport&, Result<> how) override {
    ended = true;
    outcome = std::move(how);
    signal_.notify();
  }
  Signal signal_;
};

// Hands a transport that is given up to the loop, on every way out of the coroutine.
class Guard {
 public:
  Guard(event::Loop& loop, std::unique_ptr<tls::TlsTransport> transport)
      : loop_(loop), transport_(std::move(transport)) {}
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    if (!transport_) return;
    transport_->forget_handshake_user();
    abandon(loop_, std::move(transport_));
  }
  tls::TlsTransport* operator->() { return transport_.get(); }
  std::unique_ptr<net::Transport> take() { return std::move(transport_); }

 private:
  event::Loop& loop_;
  std::unique_ptr<tls::TlsTransport> transport_;
};

}  // namespace

Task<Result<std::unique_ptr<net::Transport>>> secure(event::Loop& loop,
                                                     std::unique_ptr<net::Transport> transport,
                                                     std::shared_ptr<const tls::ClientContext> context,
                                                     std::string host) {
  Handshaking handshaking;
  Result<tls::SslPtr> ssl = context->begin(host);
  if (!ssl) {
    abandon(loop, std::move(transport));
    co_return std::unexpected(std::move(ssl.error()));
  }
  Guard guard(loop,
              std::make_unique<tls::TlsTransport>(loop, std::move(transport), std::move(*ssl), handshaking));
  guard->handshake(loop.now() + kHandshakeTimeout);
  while (!handshaking.ended) co_await handshaking.wait();
  if (!handshaking.outcome) co_return std::unexpected(std::move(handshaking.outcome.error()));
  if (Result<> named = context->check(guard->ssl()); !named)
    co_return std::unexpected(std::move(named.error()));
  co_return guard.take();
}

Result<std::shared_ptr<const tls::ClientContext>> default_client_context() {
  static const auto made = [] {
    tls::Files files;
    std::vector<std::string> notices;
    return tls::ClientContext::make(model::ServersTransport{}, files, notices);
  }();
  if (!made) return fail(500, Fault::Proxy, fmt::format("TLS: {}", made.error().what));
  return *made;
}

}  // namespace fairlead::upstream
