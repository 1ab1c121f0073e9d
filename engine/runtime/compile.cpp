#include "engine/runtime/compile.h"

#include "engine/routing/rule_parser.h"
#include "engine/runtime/departures.h"
#include "engine/runtime/route_compiler.h"
#include "engine/runtime/service_compiler.h"
#include "engine/runtime/tcp_route_compiler.h"
#include "engine/runtime/tracer.h"
#include "engine/runtime/udp_compiler.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

namespace fairlead::runtime {
namespace {

// A field of just maxHeaderBytes still fits, with what every request has beside it: so it is in Traefik,
// where the library reads up to 4 KiB more than the option says.
constexpr std::size_t kHeadSlack = 512;

const std::string& host_name() {
  static const std::string name = [] {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? std::string(text.data())
                                                            : std::string("localhost");
  }();
  return name;
}

std::vector<net::Cidr> ranges(const std::vector<std::string>& texts) {
  std::vector<net::Cidr> out;
  for (const std::string& text : texts)
    if (const auto range = net::Cidr::parse(text)) out.push_back(*range);
  return out;
}

CompiledEntryPoint compile_entry_point(const std::string& name, const model::EntryPoint& options,
                                       const model::Static& install) {
  CompiledEntryPoint out;
  exchange::EntryPoint& entry = out.entry;
  entry.name = name;
  entry.server_name = host_name();
  entry.paths.sanitize_path = options.http.sanitize_path;
  entry.paths.encode_query_semicolons = options.http.encode_query_semicolons;
  const std::string& underscores = options.http.underscore_headers_strategy;
  entry.underscores = underscores == "delete"   ? exchange::UnderscoreHeaders::Delete
                      : underscores == "reject" ? exchange::UnderscoreHeaders::Reject
                                                : exchange::UnderscoreHeaders::Keep;
  entry.forwarded.insecure = options.forwarded_headers.insecure;
  entry.forwarded.trusted = ranges(options.forwarded_headers.trusted_ips);
  entry.forwarded.connection = options.forwarded_headers.connection;
  entry.forwarded.not_append_for = options.forwarded_headers.not_append_x_forwarded_for;
  entry.forwarded.add_scheme = options.forwarded_headers.add_x_forwarded_scheme_headers;
  entry.reasons.detail = install.reasons.detail == "off"    ? exchange::ReasonDetail::Off
                         : install.reasons.detail == "full" ? exchange::ReasonDetail::Full
                                                            : exchange::ReasonDetail::Short;
  entry.reasons.trusted = entry.forwarded.trusted;
  entry.access_log = options.observability.access_logs;
  entry.metrics = options.observability.metrics;
  entry.traces = options.observability.tracing;
  if (const auto& proxy = options.proxy_protocol)
    out.proxy = ProxyTrust{proxy->insecure, ranges(proxy->trusted_ips)};

  auto settings = std::make_shared<codec::h1::ServerSettings>();
  settings->limits.max_head_bytes =
      static_cast<std::size_t>(std::max<std::int64_t>(options.http.max_header_bytes, 1024)) + kHeadSlack;
  const model::RespondingTimeouts& timeouts = options.transport.responding_timeouts;
  settings->read_timeout =
      timeouts.read_timeout ? Duration(*timeouts.read_timeout) : Duration(model::kDefaultReadTimeout);
  settings->read_timeout_whole = timeouts.read_timeout.has_value();
  settings->write_timeout = timeouts.write_timeout;
  settings->idle_timeout = timeouts.idle_timeout;
  settings->keep_alive_max_time = options.transport.keep_alive_max_time;
  settings->keep_alive_max_requests = static_cast<int>(std::clamp<std::int64_t>(
      options.transport.keep_alive_max_requests, 0, std::numeric_limits<int>::max()));

  auto http2 = std::make_shared<codec::h2::ServerSettings>();
  http2->common = *settings;
  // 0 is Go's own default, which Traefik leaves in force.
  const auto number = [](std::int64_t value, std::uint32_t otherwise, std::int64_t most) {
    return value > 0 ? static_cast<std::uint32_t>(std::min(value, most)) : otherwise;
  };
  http2->max_concurrent_streams = number(options.http2.max_concurrent_streams, 250, 1 << 20);
  http2->decoder_table = number(options.http2.max_decoder_header_table_size, 4096, 1 << 20);
  http2->encoder_table = number(options.http2.max_encoder_header_table_size, 4096, 1 << 20);
  out.http2 = std::move(http2);
  out.settings = std::move(settings);
  return out;
}

}  // namespace

upstream::SetId Compiler::set_id(SetIds& ids, const std::string& service) {
  return ids.try_emplace(service, static_cast<upstream::SetId>(set_ids_.size() + tcp_set_ids_.size()))
      .first->second;
}

std::shared_ptr<const routing::Rule> Compiler::rule(const model::HttpRouter& router, std::string& problem,
                                                    const model::Static& install) {
  const std::string& wanted = router.rule_syntax.empty() || router.rule_syntax == "default"
                                  ? install.core.default_rule_syntax
                                  : router.rule_syntax;
  const routing::Syntax syntax = wanted == "v2" ? routing::Syntax::V2 : routing::Syntax::V3;
  const std::string key = (syntax == routing::Syntax::V2 ? "2" : "3") + router.rule;
  if (const auto now = rules_.find(key); now != rules_.end()) return now->second;
  if (const auto before = rules_before_.find(key); before != rules_before_.end())
    return rules_[key] = before->second;
  auto parsed = routing::parse_rule(router.rule, routing::Protocol::Http, syntax);
  if (!parsed) {
    problem = fmt::format("rule: {}", parsed.error().what);
    return nullptr;
  }
  return rules_[key] = std::make_shared<const routing::Rule>(std::move(*parsed));
}

std::shared_ptr<const Snapshot> Compiler::compile(std::shared_ptr<const model::Static> install,
                                                  std::shared_ptr<model::Dynamic> dynamic,
                                                  const Snapshot* previous) {
  auto out = std::make_shared<Snapshot>();
  out->version = ++version_;
  rules_before_ = std::exchange(rules_, {});
  const auto tracer = install->tracing ? make_tracer(*install->tracing) : nullptr;
  for (const auto& [name, options] : install->entry_points) {
    const auto address = model::parse_listen_address(options.address);
    if (!address || address->udp) continue;
    const auto added = out->entry_points.emplace(name, compile_entry_point(name, options, *install));
    added.first->second.entry.tracer = tracer;
  }
  site_.build(dynamic->tls);
  out->tls = site_.tables();
  out->tls_challenges = std::ranges::any_of(install->certificates_resolvers, [](const auto& entry) {
    return entry.second.acme && entry.second.acme->tls_challenge;
  });
  ServiceCompiler services(*this, *install, *dynamic, *out, previous);
  RouteCompiler routes(*this, *install, *dynamic, *out, services);
  services.finish();
  routes.run();
  TcpServiceCompiler tcp_services(*this, *install, *dynamic, *out, previous);
  TcpRouteCompiler tcp_routes(*this, *install, *dynamic, *out, tcp_services);
  tcp_services.finish();
  tcp_routes.run(routes);
  UdpCompiler(*this, *install, *dynamic, *out).run();
  if (previous != nullptr) follow_departures(*this, *previous, *dynamic, install->hold.time, *out);
  carry_over_.sweep();
  site_.files().sweep();
  client_contexts_.sweep();
  out->install = std::move(install);
  out->dynamic = std::move(dynamic);
  return out;
}

std::vector<upstream::SetId> Compiler::set_phases(const Snapshot& snapshot, const Phases& phases) {
  std::vector<upstream::SetId> changed;
  const auto look = [&](const auto& sets, SetIds& ids) {
    for (const auto& [name, set] : sets) {
      bool concerned = false;
      for (const upstream::Server& server : set->servers) {
        const auto phase = phases.find(server.address.url);
        if (phase == phases.end()) continue;
        server.state->phase.store(phase->second, std::memory_order_relaxed);
        concerned = true;
      }
      if (!concerned) continue;
      note_usable(*set);
      changed.push_back(set_id(ids, name));
    }
  };
  look(snapshot.sets, set_ids_);
  look(snapshot.tcp_sets, tcp_set_ids_);
  // Nothing waits for a UDP server: the next session looks at its state.
  for (const auto& balancer : snapshot.udp_balancers)
    for (const udp::ServerPtr& server : balancer->servers())
      if (const auto phase = phases.find(server->address); phase != phases.end())
        server->state->phase.store(phase->second, std::memory_order_relaxed);
  return changed;
}

}  // namespace fairlead::runtime
