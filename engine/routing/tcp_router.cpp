#include "engine/routing/tcp_router.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <array>

namespace fairlead::routing {
namespace {

using Kind = TcpDecision::Kind;

constexpr std::size_t kMaxNameBytes = 255;  // RFC 1035 §2.3.4; longer names are no host's

// A server name in lower case and without the trailing dot that RFC 6066 §3 forbids and some clients send.
class ServerName {
 public:
  explicit ServerName(std::string_view sent) {
    if (sent.ends_with('.')) sent.remove_suffix(1);
    if (sent.size() > kMaxNameBytes) {
      name_ = sent;
      return;
    }
    std::ranges::transform(sent, lower_.begin(), to_lower);
    name_ = {lower_.data(), sent.size()};
  }
  ServerName(const ServerName&) = delete;
  ServerName& operator=(const ServerName&) = delete;

  std::string_view view() const { return name_; }

 private:
  std::array<char, kMaxNameBytes> lower_;
  std::string_view name_;
};

Subject subject_of(const Connection& connection, const ServerName& name) {
  Subject subject;
  subject.host = name.view();
  subject.client = connection.client;
  subject.alpn = connection.alpn;
  return subject;
}

Subject subject_of(const ClientAddress& client) {
  Subject subject;
  subject.client = client;
  return subject;
}

}  // namespace

void TcpRouter::Builder::add_plain(const Rule& rule, const Standing& standing, std::uint32_t index) {
  plain_.add(rule, standing, index);
}

void TcpRouter::Builder::add_tls(const Rule& rule, const Standing& standing, std::uint32_t index) {
  tls_.add(rule, standing, index);
  if (rule.is_catch_all()) catch_all_tls_.push_back(index);
}

void TcpRouter::Builder::add_https_host(std::string_view host, std::uint32_t index) {
  has_https_ = true;
  if (host == "*") return set_https_catch_all(index);
  Rule rule;
  rule.nodes.resize(1);
  rule.nodes[0].matcher = Matcher::Host;
  rule.nodes[0].first = host;
  // An exact name before a wildcard that covers it.
  const std::int64_t priority = host.starts_with("*.") ? 0 : 1;
  https_.add(rule, {.priority = priority, .precedence = 0, .order = https_hosts_++}, index);
}

void TcpRouter::Builder::set_https_catch_all(std::uint32_t index) {
  has_https_ = true;
  if (!https_catch_all_) https_catch_all_ = index;
}

TcpRouter TcpRouter::Builder::build() && {
  TcpRouter out;
  for (RuleSet* rules : {&plain_, &tls_, &https_}) rules->build();
  out.plain_ = std::move(plain_);
  out.tls_ = std::move(tls_);
  out.https_ = std::move(https_);
  std::ranges::sort(catch_all_tls_);
  out.catch_all_tls_ = std::move(catch_all_tls_);
  out.https_catch_all_ = https_catch_all_;
  out.has_https_ = has_https_;
  return out;
}

std::optional<std::uint32_t> TcpRouter::before_reading(const ClientAddress& client) const {
  if (has_tls_routes()) return std::nullopt;
  return plain_.match(subject_of(client));
}

TcpDecision TcpRouter::plain(const ClientAddress& client) const {
  if (const auto route = plain_.match(subject_of(client))) return {Kind::Tcp, *route};
  return {Kind::Http, 0};
}

TcpDecision TcpRouter::tls(const Connection& connection) const {
  const ServerName name(connection.server_name);
  const Subject subject = subject_of(connection, name);
  if (const auto named = https_.match(subject)) return {Kind::Https, *named};
  const auto route = tls_.match(subject);
  if (route && !std::ranges::binary_search(catch_all_tls_, *route)) return {Kind::TlsTcp, *route};
  if (https_catch_all_) return {Kind::HttpsCatchAll, *https_catch_all_};
  if (route) return {Kind::TlsTcp, *route};
  return {Kind::HttpsUnmatched, 0};
}

std::optional<std::uint32_t> TcpRouter::starttls(const Connection& connection) const {
  const ServerName name(connection.server_name);
  return tls_.match(subject_of(connection, name));
}

TcpDecision TcpRouter::https(std::string_view server_name) const {
  const ServerName name(server_name);
  Subject subject;
  subject.host = name.view();
  if (const auto named = https_.match(subject)) return {Kind::Https, *named};
  if (https_catch_all_) return {Kind::HttpsCatchAll, *https_catch_all_};
  return {Kind::HttpsUnmatched, 0};
}

Trace TcpRouter::trace_tls(const Connection& connection, std::size_t max_lines) const {
  const ServerName name(connection.server_name);
  return tls_.trace(subject_of(connection, name), TraceScope::All, max_lines);
}

Trace TcpRouter::trace_plain(const ClientAddress& client, std::size_t max_lines) const {
  return plain_.trace(subject_of(client), TraceScope::All, max_lines);
}

}  // namespace fairlead::routing
