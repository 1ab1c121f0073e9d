#include "engine/upstream/secure.h"

#include "engine/tls/tls_transport.h"
#include "engine/upstream/abandon.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <string_view>

namespace fairlead::upstream {
namespace {

constexpr auto kHandshakeTimeout = std::chrono::seconds(10);
constexpr std::string_view kHttp2AndHttp1 = "\x02h2\x08http/1.1";
constexpr std::string_view kHttp1 = "\x08http/1.1";

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

// `protocols`: of ALPN, each after its size; empty: the extension is not sent.
Task<Result<SecureHttp>> handshake(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                   std::shared_ptr<const tls::ClientContext> context, std::string host,
                                   std::string_view protocols) {
  Handshaking handshaking;
  Result<tls::SslPtr> ssl = context->begin(host);
  if (!ssl) {
    abandon(loop, std::move(transport));
    co_return std::unexpected(std::move(ssl.error()));
  }
  if (!protocols.empty())
    SSL_set_alpn_protos(ssl->get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned int>(protocols.size()));
  Guard guard(loop,
              std::make_unique<tls::TlsTransport>(loop, std::move(transport), std::move(*ssl), handshaking));
  guard->handshake(loop.now() + kHandshakeTimeout);
  while (!handshaking.ended) co_await handshaking.wait();
  if (!handshaking.outcome) co_return std::unexpected(std::move(handshaking.outcome.error()));
  if (Result<> named = context->check(guard->ssl()); !named)
    co_return std::unexpected(std::move(named.error()));
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(guard->ssl(), &chosen, &size);
  const bool http2 = std::string_view(reinterpret_cast<const char*>(chosen), size) == "h2";
  co_return SecureHttp{guard.take(), http2};
}

}  // namespace

Task<Result<std::unique_ptr<net::Transport>>> secure(event::Loop& loop,
                                                     std::unique_ptr<net::Transport> transport,
                                                     std::shared_ptr<const tls::ClientContext> context,
                                                     std::string host) {
  Result<SecureHttp> made =
      co_await handshake(loop, std::move(transport), std::move(context), std::move(host), {});
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return std::move(made->transport);
}

Task<Result<SecureHttp>> secure_http(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                     std::shared_ptr<const tls::ClientContext> context, std::string host,
                                     bool offer_http2) {
  return handshake(loop, std::move(transport), std::move(context), std::move(host),
                   offer_http2 ? kHttp2AndHttp1 : kHttp1);
}

Result<std::shared_ptr<const tls::ClientContext>> default_client_context() {
  static const auto made = [] {
    tls::Files files;
    return tls::ClientContext::make(model::ServersTransport{}, files);
  }();
  if (!made) return fail(500, Fault::Proxy, fmt::format("TLS: {}", made.error().what));
  return *made;
}

}  // namespace fairlead::upstream
