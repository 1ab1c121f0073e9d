#include "engine/runtime/opening.h"

#include "engine/exchange/exchange.h"
#include "engine/runtime/worker.h"
#include "engine/tls/context.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

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

}  // namespace

Opening::Opening(Worker& worker, WorkerEntryPoint& entry_point, std::unique_ptr<net::Transport> transport)
    : worker_(worker),
      entry_point_(entry_point),
      transport_(std::move(transport)),
      timer_(worker.loop().timers(), *this) {
  transport_->set_user(this);
}

const CompiledEntryPoint* Opening::compiled() const {
  const auto found = (*worker_.snapshot())->entry_points.find(entry_point_.name());
  return found == (*worker_.snapshot())->entry_points.end() ? nullptr : &found->second;
}

void Opening::start() {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  if (entry_point->settings->read_timeout > Duration{})
    timer_.arm(worker_.loop().now() + entry_point->settings->read_timeout);
  look();
}

void Opening::drain() {
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
    spdlog::info("entry point {}: {}: the ClientHello was not complete in time", entry_point_.name(),
                 transport_->peer().text());
  close();
}

void Opening::look() {
  if (gone_) return;
  std::array<char, kMaxPeek>& bytes = first_bytes();
  ssize_t got = 0;
  do got = ::recv(transport_->plain_fd(), bytes.data(), bytes.size(), MSG_PEEK);
  while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (got <= 0) return close();
  if (!std::exchange(spoken_, true)) {
    handshake_deadline_ = worker_.loop().now() + kHandshakeTime;
    timer_.arm(handshake_deadline_);
  }
  const auto size = static_cast<std::size_t>(got);
  const tls::HelloResult result = tls::parse_client_hello({bytes.data(), size});
  switch (result.status) {
    case tls::HelloStatus::NotTls: return begin_plain();
    case tls::HelloStatus::Malformed: return refuse(SSL_AD_DECODE_ERROR, result.why);
    case tls::HelloStatus::Parsed: return begin_tls(result.hello);
    case tls::HelloStatus::NeedMore:
      if (size == bytes.size()) refuse(SSL_AD_DECODE_ERROR, "the ClientHello is too long");
      return;
  }
}

void Opening::begin_plain() {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  if (!entry_point->tls_only) return become_http();
  spdlog::info("entry point {}: {} speaks plain HTTP where only HTTPS is served", entry_point_.name(),
               transport_->peer().text());
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  // What it sent is taken: closing over unread bytes would reset the connection and the answer with it.
  (void)transport_->read(first_bytes());
  const iovec answer{const_cast<char*>(kSpeaksHttps.data()), kSpeaksHttps.size()};
  (void)transport_->write({&answer, 1});
  transport_->finish_writing();
  close();
}

void Opening::begin_tls(const tls::ClientHello& hello) {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  const tls::Tables& tables = *(*worker_.snapshot())->tls;
  std::expected<tls::SslPtr, tls::Refusal> ssl;
  if (hello.offers(tls::kAcmeProtocol)) {
    challenge_ = true;
    const tls::CertificatePtr answer = tables.challenges.tls_alpn(hello.server_name);
    if (!answer)
      return refuse(SSL_AD_UNRECOGNIZED_NAME, fmt::format("no challenge for {} is open", hello.server_name));
    ssl = tls::begin_challenge(answer);
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

void Opening::refuse(int alert, std::string_view why) {
  spdlog::info("entry point {}: {}: TLS handshake refused: {}", entry_point_.name(),
               transport_->peer().text(), why);
  worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
  (void)transport_->read(first_bytes());
  const std::string record = tls::alert_record(alert);
  const iovec bytes{const_cast<char*>(record.data()), record.size()};
  (void)transport_->write({&bytes, 1});
  close();
}

void Opening::handshake_ended(tls::TlsTransport&, Result<> outcome) {
  if (!outcome) {
    spdlog::info("entry point {}: {}: {}", entry_point_.name(), transport_->peer().text(),
                 outcome.error().detail);
    worker_.gauges().refused.fetch_add(1, std::memory_order_relaxed);
    return close();
  }
  if (challenge_) return close();
  become_http();
}

void Opening::become_http() {
  const CompiledEntryPoint* entry_point = compiled();
  if (!entry_point) return close();
  gone_ = true;
  timer_.cancel();
  std::unique_ptr<exchange::TlsFacts> facts;
  if (options_) {
    tls::Agreed agreed = static_cast<tls::TlsTransport&>(*transport_).agreed();
    facts = std::make_unique<exchange::TlsFacts>();
    facts->version = agreed.version;
    facts->cipher = agreed.cipher;
    facts->server_name = std::move(agreed.server_name);
    facts->client_subject = std::move(agreed.peer_subject);
    facts->client_chain_pem = std::move(agreed.peer_chain_pem);
    facts->options = std::move(options_);
  }
  entry_point_.remove(*this);
  entry_point_.add(std::make_unique<HttpConnection>(worker_, entry_point_, std::move(transport_),
                                                    entry_point->settings, std::move(facts)));
}

}  // namespace fairlead::runtime
