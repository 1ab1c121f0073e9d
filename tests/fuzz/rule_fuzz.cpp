// The first byte of the input chooses protocol and syntax, the rest is a rule. A rule that parses is also
// asked about two requests: matching, and the trace that must agree with it.
#include "engine/routing/http_router.h"
#include "engine/routing/rule_parser.h"
#include "engine/routing/tcp_router.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace fairlead;
using namespace fairlead::routing;

void require(bool condition) {
  if (!condition) std::abort();
}

void match_http(const Rule& rule) {
  HttpRouter::Builder builder;
  // Enough of them for the path index.
  for (std::uint32_t i = 0; i < 20; ++i) builder.add(rule, {.priority = 1, .precedence = 0, .order = i}, i);
  const HttpRouter router = std::move(builder).build();
  for (const char* host : {"a.example.com", ""}) {
    Arena arena;
    http::RequestHead head(arena);
    Scratch scratch;
    head.method = "GET";
    head.host = host;
    head.path = "/api/%20%2Fx";
    head.query = "k=v&debug&x=%41+b&%zz";
    head.fields.append("X-A", "b", http::Name::Other);
    const MatchContext context{ClientAddress::v4({10, 0, 0, 1}), scratch};
    const auto index = router.match(head, context);
    require(!index || *index == 0);
    const Trace all = router.trace(head, context, TraceScope::All);
    const Trace candidates = router.trace(head, context, TraceScope::Candidates);
    require(all.matched == index && candidates.matched == index);
    require(all.lines.size() == (index ? 1 : 20));
    for (const TraceLine& line : all.lines) require(line.matched != !line.clause.empty());
  }
}

void match_tcp(const Rule& rule) {
  TcpRouter::Builder builder;
  builder.add_tls(rule, {}, 0);
  builder.add_plain(rule, {}, 1);
  const TcpRouter router = std::move(builder).build();
  const std::string_view alpn[] = {"h2", "mqtt"};
  (void)router.tls(
      {.server_name = "A.example.com.", .alpn = alpn, .client = ClientAddress::v4({10, 0, 0, 1})});
  (void)router.plain({});
  (void)router.trace_tls({});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto protocol = (data[0] & 1) != 0 ? Protocol::Tcp : Protocol::Http;
  const auto syntax = (data[0] & 2) != 0 ? Syntax::V2 : Syntax::V3;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto rule = parse_rule(text, protocol, syntax);
  if (!rule) {
    require(rule.error().path == "rule" && !rule.error().what.empty());
    return 0;
  }

  require(!rule->nodes.empty() && rule->nodes[0].size == rule->nodes.size());
  (void)rule->hosts();
  if (protocol == Protocol::Http)
    match_http(*rule);
  else
    match_tcp(*rule);
  return 0;
}
