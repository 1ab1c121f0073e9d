#include "engine/runtime/opening.h"

#include "engine/base/strings.h"
#include "engine/exchange/exchange.h"
#include "engine/net/proxy_protocol.h"
#include "engine/runtime/http2_connection.h"
#include "engine/runtime/http_connection.h"
#include "engine/runtime/tcp_connection.h"
#include "engine/runtime/worker.h"
#include "engine/tcp/postgres.h"
#include "engine/tls/context.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace fairlead::runtime {
namespace {

constexpr auto kHandshakeTime = std::chrono::seconds(10);  // from the first byte to its end
constexpr auto kDrainTime = std::chrono::seconds(1);
// The message and the heads of the records it comes in.
constexpr std::size_t kMaxPeek = tls::kMaxHelloBytes + 1024;

std::array<char, kMaxPeek>& first_bytes() {
  thread_local std::array<char, kMaxPeek> bytes;
  return bytes;
}

constexpr std::string_view kSpeaksHttps =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "Content-Length: 54\r\n\r\nThis port speaks HTTPS: use https:// instead of http:\n";

// Connections that agreed on the same share what is known of it: thousands are idle at a time.
std::shared_ptr<const exchange::TlsFacts> shared(exchange::TlsFacts facts) {
  constexpr std::size_t kRecent = 64;
  thread_local std::array<std::weak_ptr<const exchange::TlsFacts>, kRecent> recent;
  if (!facts.client_chain_pem.empty()) return std::make_shared<const exchange::TlsFacts>(std::move(facts));
  auto& slot = recent[fnv1a(facts.server_name) % kRecent];
  if (auto known = slot.lock(); known && known->version == facts.version && known->cipher == facts.cipher &&
                                known->server_name == facts.server_name && known->options == facts.options)
    return known;
  auto made = std::make_shared<const exchange::TlsFacts>(std::move(facts));
  slot = made;
  return made;
}

routing::ClientAddress client_of(const net::Transport& transport) {
  return routing::ClientAddress::v6(transport.peer().ip.bytes);
}

}  // namespace

Opening::Opening(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport)
    : worker_(worker),
      entry_point_(entry_point),
      transport_(std::move(transport)),
      timer_(worker.loop().timers(), *this) {
  transport_->set_user(this);
}

const CompiledEntryPoint* Opening::compiled() const { return entry_point_.compiled(); }

void Opening::start() {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  expects_proxy_ = entry_point->proxy.has_value();
  wait_for_first_byte();
  if (!expects_proxy_ && begin_unread()) return;
  // Not looked at before the loop says so: what it says comes with the registration when bytes are there.
}

void Opening::wait_for_first_byte() {
  spoken_ = false;
  timer_.cancel();
  const CompiledEntryPoint* entry_point = compiled();
  if (draining_)
    timer_.arm(worker_.loop().now() + kDrainTime);
  else if (entry_point && entry_point->settings->read_timeout > Duration{})
    timer_.arm(worker_.loop().now() + entry_point->settings->read_timeout);
}

void Opening::drain() {
  draining_ = true;
  if (!spoken_) timer_.arm(worker_.loop().now() + kDrainTime);
}

void Opening::close() {
  if (std::exchange(gone_, true)) return;
  timer_.cancel();
  if (transport_) transport_->close();
  entry_point_.remove(*this);
}

void Opening::on_timer(event::Timer&) {
  if (spoken_)
    tell("", fmt::format("the {} was not complete in time", expects_proxy_ ? "PROXY header" : awaited_));
  close();
}

void Opening::look() {
  if (gone_) return;
  std::array<char, kMaxPeek>& bytes = first_bytes();
  const net::IoResult got = transport_->peek(bytes);
  if (got.status == net::IoStatus::WouldBlock) return;
  if (got.status != net::IoStatus::Ok) return close();
  if (!std::exchange(spoken_, true)) {
    // readTimeout bounds recognising what it is, as in Traefik, and the handshake no less than that.
    handshake_deadline_ = worker_.loop().now() + kHandshakeTime;
    timer_.arm(timer_.armed() ? std::min(timer_.deadline(), handshake_deadline_) : handshake_deadline_);
  }
  const std::size_t size = got.bytes;
  if (expects_proxy_ && (!pass_proxy_header({bytes.data(), size}) || begin_unread())) return;
  awaited_ = "ClientHello";
  if (!postgres_) {
    const tcp::Prelude prelude = tcp::prelude_of({bytes.data(), size});
    if (prelude == tcp::Prelude::NeedMore) {
      awaited_ = "request of PostgreSQL for TLS";
      return;
    }
    if (prelude == tcp::Prelude::SslRequest) return agree_to_tls();
  }
  const tls::HelloResult result = tls::parse_client_hello({bytes.data(), size});
  switch (result.status) {
    case tls::HelloStatus::NotTls: return begin_plain({bytes.data(), size});
    case tls::HelloStatus::Malformed: return refuse(SSL_AD_DECODE_ERROR, result.why);
    case tls::HelloStatus::Parsed: return begin_tls(result.hello);
    case tls::HelloStatus::NeedMore:
      if (size == bytes.size()) refuse(SSL_AD_DECODE_ERROR, "the ClientHello is too long");
      return;
  }
}

bool Opening::pass_proxy_header(std::string_view bytes) {
  const net::ProxyResult result = net::parse_proxy_header(bytes);
  if (result.status == net::ProxyStatus::NeedMore) return false;
  if (result.status == net::ProxyStatus::Malformed) {
    tell("malformed PROXY header: ", result.why);
    worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
    close();
    return false;
  }
  expects_proxy_ = false;
  if (result.status == net::ProxyStatus::Absent) return true;
  (void)transport_->read(std::span(first_bytes()).first(result.size));
  const CompiledEntryPoint* entry_point = compiled();
  const bool trusted =
      entry_point && entry_point->proxy && entry_point->proxy->contains(transport_->peer().ip);
  if (!trusted)
    spdlog::debug("entry point {}: the PROXY header of {} is ignored: not in proxyProtocol.trustedIPs",
                  entry_point_.name(), transport_->peer().text());
  else if (result.ends)
    transport_->announce(result.ends->source, result.ends->destination);
  // What the client itself says begins only now, and has its own time.
  wait_for_first_byte();
  if (!begin_unread()) look();
  return false;
}

bool Opening::begin_unread() {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return false;
  const auto route = entry_point->tcp.router.before_reading(client_of(*transport_));
  if (!route) return false;
  if (admit(entry_point->tcp.plain[*route])) become_tcp();
  return true;
}

void Opening::agree_to_tls() {
  postgres_ = true;
  (void)transport_->read(std::span(first_bytes()).first(tcp::kSslRequest.size()));
  const iovec answer{const_cast<char*>(tcp::kSslAgreed.data()), tcp::kSslAgreed.size()};
  (void)transport_->write({&answer, 1});
  look();
}

bool Opening::admit(const tcp::RoutePtr& route) {
  Result<tcp::Holds> admitted = route->admit(transport_->peer());
  if (admitted) {
    route_ = route;
    holds_ = std::move(*admitted);
    return true;
  }
  const bool by_client = admitted.error().fault == Fault::Client;
  worker_.tell(by_client ? spdlog::level::info : spdlog::level::warn, transport_->peer(),
               [&](std::string_view peer) {
                 return fmt::format("entry point {}: TCP router {}: the connection of {} is closed: {}",
                                    entry_point_.name(), route->name, peer, admitted.error().detail);
               });
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  (void)transport_->read(first_bytes());  // closing over unread bytes would be a reset
  close();
  return false;
}

void Opening::begin_plain(std::string_view bytes) {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  // Nothing but TLS makes sense then.
  if (postgres_) return refuse(SSL_AD_UNEXPECTED_MESSAGE, "no TLS after PostgreSQL's request for it");
  const routing::TcpDecision decision = entry_point->tcp.router.plain(client_of(*transport_));
  if (decision.kind == routing::TcpDecision::Kind::Tcp) {
    if (admit(entry_point->tcp.plain[decision.index])) become_tcp();
    return;
  }
  if (!entry_point->tls_only) {
    // HTTP/2 without TLS is known by its preface; no method begins with more than "PR" of it.
    http2_ = bytes.starts_with(kHttp2Preface);
    if (!http2_ && kHttp2Preface.starts_with(bytes)) {
      awaited_ = "first line";
      return;
    }
    return become_http();
  }
  tell("", "plain HTTP where only HTTPS is served");
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  // What it sent is taken: closing over unread bytes would reset the connection and the answer with it.
  (void)transport_->read(first_bytes());
  const iovec answer{const_cast<char*>(kSpeaksHttps.data()), kSpeaksHttps.size()};
  (void)transport_->write({&answer, 1});
  transport_->finish_writing();
  close();
}

// The TCP router that takes a TLS connection; null: it is HTTPS.
tcp::RoutePtr Opening::tcp_route(const CompiledEntryPoint& entry_point, const tls::ClientHello& hello) const {
  const std::vector<std::string_view> alpn(hello.alpn.begin(), hello.alpn.end());
  const routing::Connection connection{hello.server_name, alpn, client_of(*transport_)};
  if (postgres_) {
    const auto found = entry_point.tcp.router.starttls(connection);
    return found ? entry_point.tcp.tls[*found] : nullptr;
  }
  const routing::TcpDecision decision = entry_point.tcp.router.tls(connection);
  return decision.kind == routing::TcpDecision::Kind::TlsTcp ? entry_point.tcp.tls[decision.index] : nullptr;
}

void Opening::begin_tls(const tls::ClientHello& hello) {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  const tls::Tables& tables = *(*worker_.snapshot())->tls;
  const tcp::RoutePtr route = tcp_route(*entry_point, hello);
  if (postgres_ && !route)
    return refuse(SSL_AD_UNRECOGNIZED_NAME,
                  fmt::format("no TCP router with tls takes PostgreSQL connections of {}",
                              fairlead::quoted(hello.server_name)));
  // Where no resolver validates that way, and with allowACMEByPass, challenges belong to whoever is behind a
  // router that passes TLS through.
  const auto ours = [this] {
    const Snapshot& now = **worker_.snapshot();
    const auto options = now.install->entry_points.find(entry_point_.name());
    return now.tls_challenges &&
           (options == now.install->entry_points.end() || !options->second.allow_acme_bypass);
  };
  const bool challenged = hello.offers(tls::kAcmeProtocol) && (!route || !route->passthrough || ours());
  std::expected<tls::SslPtr, tls::Refusal> ssl;
  if (challenged) {
    challenge_ = true;
    const tls::CertificatePtr answer = tables.challenges.tls_alpn(hello.server_name);
    if (!answer)
      return refuse(SSL_AD_UNRECOGNIZED_NAME, fmt::format("no challenge for {} is open", hello.server_name));
    ssl = tls::begin_challenge(answer);
  } else if (route) {
    if (!admit(route)) return;
    if (route->passthrough) return become_tcp();
    const std::string local = hello.server_name.empty() ? transport_->local().ip.text() : std::string();
    ssl = tls::begin_server(*route->options, hello, *tables.certificates.table(), local);
  } else {
    const std::string local = hello.server_name.empty() ? transport_->local().ip.text() : std::string();
    const tls::HostTable::Choice& choice =
        entry_point->entry.tls_hosts->find(hello.server_name.empty() ? local : hello.server_name);
    if (!choice.context)
      return refuse(SSL_AD_HANDSHAKE_FAILURE,
                    fmt::format("the TLS options are not usable: {}", choice.refusal));
    options_ = choice.context;
    ssl = tls::begin_server(*choice.context, hello, *tables.certificates.table(), local);
  }
  if (!ssl) return refuse(ssl.error().alert, ssl.error().why);
  timer_.cancel();
  tls::HandshakeUser& user = *this;
  auto secured =
      std::make_unique<tls::TlsTransport>(worker_.loop(), std::move(transport_), std::move(*ssl), user);
  tls::TlsTransport& begun = *secured;
  transport_ = std::move(secured);
  begun.handshake(handshake_deadline_);
}

void Opening::tell(std::string_view what, std::string_view why) {
  worker_.tell(spdlog::level::info, transport_->peer(), [&](std::string_view peer) {
    return fmt::format("entry point {}: {}: {}{}", entry_point_.name(), peer, what, why);
  });
}

void Opening::refuse(int alert, std::string_view why) {
  tell("TLS handshake refused: ", why);
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  (void)transport_->read(first_bytes());
  const std::string record = tls::alert_record(alert);
  const iovec bytes{const_cast<char*>(record.data()), record.size()};
  (void)transport_->write({&bytes, 1});
  close();
}

void Opening::handshake_ended(tls::TlsTransport&, Result<> outcome) {
  if (!outcome) {
    tell("", outcome.error().detail);
    worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
    return close();
  }
  if (challenge_) return close();
  if (route_) return become_tcp();
  become_http();
}

void Opening::become_tcp() {
  gone_ = true;
  timer_.cancel();
  const bool asked = postgres_ && route_->passthrough;
  tcp::Session::Options options{entry_point_.name(), std::move(route_), std::move(holds_), asked};
  entry_point_.remove(*this);
  entry_point_.add(
      std::make_unique<TcpConnection>(worker_, entry_point_, std::move(transport_), std::move(options)));
}

void Opening::become_http() {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  gone_ = true;
  timer_.cancel();
  std::shared_ptr<const exchange::TlsFacts> facts;
  if (options_) {
    tls::Agreed agreed = static_cast<tls::TlsTransport&>(*transport_).agreed();
    http2_ = agreed.protocol == "h2";
    facts = shared({.version = agreed.version,
                    .cipher = agreed.cipher,
                    .server_name = std::move(agreed.server_name),
                    .client_subject = std::move(agreed.peer_subject),
                    .client_chain_pem = std::move(agreed.peer_chain_pem),
                    .options = std::move(options_)});
  }
  entry_point_.remove(*this);
  if (http2_)
    return entry_point_.add(std::make_unique<Http2Connection>(worker_, entry_point_, std::move(transport_),
                                                              entry_point->http2, std::move(facts)));
  entry_point_.add(std::make_unique<HttpConnection>(worker_, entry_point_, std::move(transport_),
                                                    entry_point->settings, std::move(facts)));
}

}  // namespace fairlead::runtime
