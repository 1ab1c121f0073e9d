#include "engine/model/static.h"

#include "engine/model/not_yet.h"
#include "engine/model/static_checks.h"
#include "engine/model/static_values.h"
#include "engine/schema/read.h"

namespace fairlead::model {
namespace {

constexpr const char* kInternalEntryPoint = "traefik";

bool needs_internal_entry_point(const Static& s) {
  return (s.api && s.api->insecure) ||
         (s.ping && !s.ping->manual_routing && s.ping->entry_point == kInternalEntryPoint) ||
         (s.metrics.prometheus && !s.metrics.prometheus->manual_routing &&
          s.metrics.prometheus->entry_point == kInternalEntryPoint) ||
         (s.providers.rest && s.providers.rest->insecure);
}

void add_missing_entry_points(Static& s) {
  if (s.entry_points.empty()) s.entry_points["http"].address = ":80";
  if (needs_internal_entry_point(s) && !s.entry_points.contains(kInternalEntryPoint))
    s.entry_points[kInternalEntryPoint].address = ":8080";
}

// Traefik takes a file that holds both kinds of configuration: the file provider may name it too.
void allow_dynamic_beside(schema::Problem& problem) {
  if (problem.kind != schema::Problem::Kind::UnknownKey || problem.segments.size() != 1) return;
  for (const char* section : {"http", "tcp", "udp", "tls"}) {
    if (!schema::equal_ignoring_case(problem.segments.front(), section)) continue;
    problem.kind = schema::Problem::Kind::Ignored;
    problem.severity = schema::Severity::Notice;
    problem.what = "is no install option: it counts only where providers.file names this file";
    problem.suggestion.clear();
  }
}

// Details that Traefik starts with although it does not know them: the default counts.
void only_say(schema::Problem& problem) {
  if (problem.kind != schema::Problem::Kind::BadValue || problem.segments.size() < 2) return;
  const std::vector<std::string>& at = problem.segments;
  const bool is_mode = at.front() == "accessLog" && at[1] == "fields" &&
                       (at.back() == "defaultMode" || at[at.size() - 2] == "names");
  const bool is_filter = at.front() == "accessLog" && at.back() == "statusCodes";
  const bool is_verbosity = at.front() == "entryPoints" && at.back() == "traceVerbosity";
  const bool is_status =
      at.front() == "ping" && at.back() == "terminatingStatusCode" && problem.what.starts_with("must be");
  if (!is_mode && !is_filter && !is_verbosity && !is_status) return;
  problem.severity = schema::Severity::Warning;
  problem.what += is_filter ? "; it is no filter" : "; the default counts";
}

}  // namespace

std::vector<std::string> Static::default_entry_points(bool udp) const {
  std::vector<std::string> chosen;
  std::vector<std::string> rest;
  for (const auto& [name, entry_point] : entry_points) {
    const std::optional<ListenAddress> address = parse_listen_address(entry_point.address);
    if (!address || address->udp != udp) continue;
    if (entry_point.as_default) chosen.push_back(name);
    if (name != kInternalEntryPoint) rest.push_back(name);
  }
  return chosen.empty() ? rest : chosen;
}

Static read_static(const schema::Node& root, schema::Problems& problems) {
  Static out;
  const std::size_t before = problems.size();
  schema::read(root, out, problems);
  for (std::size_t i = before; i < problems.size(); ++i) {
    explain_removed(problems[i]);
    allow_dynamic_beside(problems[i]);
    only_say(problems[i]);
  }
  settle_values(out, root, problems);
  add_missing_entry_points(out);
  check_static(out, root, problems);
  report_not_yet(out, problems);
  return out;
}

ServersTransport default_servers_transport(const Static& install) {
  const DefaultServersTransport& from = install.servers_transport;
  ServersTransport out;
  out.insecure_skip_verify = from.insecure_skip_verify;
  out.root_cas = from.root_cas;
  out.max_idle_conns_per_host = from.max_idle_conns_per_host;
  out.forwarding_timeouts.dial_timeout = from.forwarding_timeouts.dial_timeout;
  out.forwarding_timeouts.response_header_timeout = from.forwarding_timeouts.response_header_timeout;
  out.forwarding_timeouts.idle_conn_timeout = from.forwarding_timeouts.idle_conn_timeout;
  return out;
}

TcpServersTransport default_tcp_servers_transport(const Static& install) {
  const DefaultTcpServersTransport& from = install.tcp_servers_transport;
  TcpServersTransport out;
  out.dial_keep_alive = from.dial_keep_alive;
  out.dial_timeout = from.dial_timeout;
  out.termination_delay = from.termination_delay;
  if (from.tls) {
    TcpClientTls& tls = out.tls.emplace();
    tls.insecure_skip_verify = from.tls->insecure_skip_verify;
    tls.root_cas = from.tls->root_cas;
  }
  return out;
}

}  // namespace fairlead::model
