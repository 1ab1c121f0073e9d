// The first byte chooses the syntax and the client's address; then, each ended by a zero byte: up to four TCP
// rules of TLS routers, and at last the server name and the protocols (separated by commas) of a connection.
// Whatever the rules are, matching and its trace agree, and the order of the kinds of router is kept.
#include "engine/routing/rule_parser.h"
#include "engine/routing/tcp_router.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace fairlead::routing;
using Kind = TcpDecision::Kind;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

void check(const std::vector<Rule>& rules, const Connection& connection, bool https_named, bool https_rest) {
  TcpRouter::Builder builder;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    builder.add_tls(rules[i], {.priority = rules[i].default_priority(), .precedence = 0, .order = i}, i);
    builder.add_plain(rules[i], {.priority = rules[i].default_priority(), .precedence = 0, .order = i}, i);
  }
  if (https_named) builder.add_https_host("web.example.com", 0);
  if (https_rest) builder.set_https_catch_all(0);
  const TcpRouter router = std::move(builder).build();

  const auto route = router.starttls(connection);
  require(!route || *route < rules.size());
  require(router.trace_tls(connection).matched == route);
  const TcpDecision decision = router.tls(connection);
  const bool catch_all = route && rules[*route].is_catch_all();
  if (decision.kind == Kind::TlsTcp) require(route && decision.index == *route);
  if (decision.kind == Kind::TlsTcp && catch_all) require(!https_rest);
  if (decision.kind == Kind::HttpsCatchAll) require(https_rest && (!route || catch_all));
  if (decision.kind == Kind::HttpsUnmatched) require(!route && !https_rest);
  if (decision.kind == Kind::Https) require(https_named);
  require(decision.kind != Kind::Http && decision.kind != Kind::Tcp);

  const TcpDecision plain = router.plain(connection.client);
  require(router.trace_plain(connection.client).matched.has_value() == (plain.kind == Kind::Tcp));
  if (router.before_reading(connection.client)) require(!router.has_tls_routes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t flags = data[0];
  const auto syntax = (flags & 1) != 0 ? Syntax::V2 : Syntax::V3;
  std::vector<std::string_view> parts = split({reinterpret_cast<const char*>(data) + 1, size - 1}, '\0');
  if (parts.size() < 3) return 0;
  const std::vector<std::string_view> alpn = split(parts.back(), ',');
  parts.pop_back();
  Connection connection;
  connection.server_name = parts.back();
  parts.pop_back();
  connection.alpn = alpn;
  connection.client = (flags & 2) != 0 ? ClientAddress::v4({10, 0, 0, 1}) : ClientAddress{};

  std::vector<Rule> rules;
  for (const std::string_view text : parts) {
    if (rules.size() == 4) break;
    auto rule = parse_rule(text, Protocol::Tcp, syntax);
    if (rule) rules.push_back(std::move(*rule));
  }
  check(rules, connection, (flags & 4) != 0, (flags & 8) != 0);
  return 0;
}
