#include "engine/admin/prometheus.h"

#include "engine/admin/certificates.h"
#include "engine/event/offload.h"
#include "engine/exchange/exchange.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

namespace fairlead::admin {
namespace {

using Label = std::pair<std::string_view, std::string_view>;

double seconds(WallTime time) { return static_cast<double>(time.time_since_epoch().count()) / 1e9; }

void gauge(observe::MetricWriter& out, std::string_view name, std::string_view help, double value) {
  out.family(name, help, "gauge");
  out.sample(name, {}, value);
}

void write_connections(observe::MetricWriter& out, const Sources& sources,
                       const std::vector<UdpCounts>& udp) {
  if (!sources.connections) return;
  out.family("traefik_open_connections", "How many connections are open, by entry point.", "gauge");
  for (const OpenConnections& open : sources.connections()) {
    const Label labels[] = {{"entrypoint", open.entry_point}, {"protocol", "TCP"}};
    out.sample("traefik_open_connections", labels, open.count);
  }
  for (const UdpCounts& counts : udp) {
    const Label labels[] = {{"entrypoint", counts.entry_point}, {"protocol", "UDP"}};
    out.sample("traefik_open_connections", labels, counts.open);
  }
}

// Whether the provider of a server, if it knows, takes it to be ready.
bool stands(const model::Dynamic& dynamic, const std::string& service, std::string_view url) {
  const auto standings = dynamic.http.standings.find(service);
  if (standings == dynamic.http.standings.end()) return true;
  for (const model::Standing& standing : standings->second)
    if (standing.url == url) return standing.state == model::ServerState::Ready;
  return true;
}

// Only servers that somebody checks have a state worth a series: none of a service that is broken. One that
// is listed twice has one, as no page may have a series twice.
void write_servers(observe::MetricWriter& out, const Sources& sources, const model::Dynamic& dynamic) {
  if (!sources.server_up) return;
  bool begun = false;
  for (const auto& [name, service] : dynamic.http.services) {
    if (service.broken() || !service.options.load_balancer || !service.options.load_balancer->health_check)
      continue;
    std::set<std::string_view> told;
    for (const auto& server : service.options.load_balancer->servers) {
      if (!told.insert(server.url).second) continue;
      const bool up = sources.server_up(name, server.url).value_or(stands(dynamic, name, server.url));
      if (!std::exchange(begun, true))
        out.family("traefik_service_server_up", "Whether the server is up: 1, or 0.", "gauge");
      const Label labels[] = {{"service", name}, {"url", server.url}};
      out.sample("traefik_service_server_up", labels, std::uint64_t{up});
    }
  }
}

void write_dropped_records(observe::MetricWriter& out,
                           const std::vector<std::pair<std::string_view, std::uint64_t>>& dropped) {
  if (dropped.empty()) return;
  out.family("fairlead_otlp_records_lost_total", "Records that no OTLP collector took.", "counter");
  for (const auto& [of, count] : dropped) {
    const Label labels[] = {{"of", of}};
    out.sample("fairlead_otlp_records_lost_total", labels, count);
  }
}

}  // namespace

Task<exchange::Response> Prometheus::serve(exchange::Exchange& x) const {
  Result<std::string> made = co_await event::Offload::shared().run(
      x.loop, event::Lane::Files, [sources = sources_, scrape = scrape_] { return text(*sources, *scrape); });
  if (!made) co_return exchange::failure(x, std::move(made.error()));
  co_return exchange::plain(x, 200, "text/plain; version=0.0.4; charset=utf-8", x.arena().copy(*made));
}

std::string Prometheus::text(const Sources& sources, Scrape& scrape) {
  observe::Exposition out;
  const auto view = sources.view();
  const auto metrics = sources.metrics ? sources.metrics() : nullptr;
  observe::RequestFamilies families;
  const bool shows = metrics && view && view->install->metrics.prometheus;
  if (shows) {
    const model::Prometheus& options = *view->install->metrics.prometheus;
    families.entry_points = options.add_entry_points_labels;
    families.routers = options.add_routers_labels;
    families.services = options.add_services_labels;
    for (const auto& [label, header] : options.header_labels) families.header_labels.push_back(label);
  }
  const std::lock_guard lock(scrape.mutex);
  write_metrics(out, sources, view.get(), shows ? metrics.get() : nullptr, families, scrape.requests);
  return out.take();
}

void write_metrics(observe::MetricWriter& out, const Sources& sources, const AdminView* view,
                   observe::Metrics* requests, observe::RequestFamilies families,
                   observe::RequestMetrics& shown) {
  if (view) {
    out.family("traefik_config_reloads_total", "How many configurations were applied.", "counter");
    out.sample("traefik_config_reloads_total", {}, view->reloads);
    gauge(out, "traefik_config_last_reload_success",
          "When a configuration was applied last, in Unix seconds.", seconds(view->applied));
    if (families.services) write_servers(out, sources, *view->dynamic);
  }
  const std::vector<UdpCounts> udp = sources.udp ? sources.udp() : std::vector<UdpCounts>();
  write_connections(out, sources, udp);
  write_udp(out, udp);
  write_certificates(out, sources);
  if (requests && view) {
    families.router_exists = [view](std::string_view name) {
      const auto& routers = view->dynamic->http.routers;
      if (routers.contains(std::string(name))) return true;
      // One of several entry points, one of which adds something of its own: "websecure-shop@docker".
      for (const auto& [entry_point, options] : view->install->entry_points)
        if (name.starts_with(entry_point) && name.substr(entry_point.size()).starts_with('-') &&
            routers.contains(std::string(name.substr(entry_point.size() + 1))))
          return true;
      return false;
    };
    families.service_exists = [view](std::string_view name) {
      return view->dynamic->http.services.contains(std::string(name));
    };
    shown.write(out, *requests, families);
  }
  if (sources.http2_floods) {
    out.family("fairlead_http2_floods_total", "HTTP/2 connections that were ended for a flood of frames.",
               "counter");
    for (const auto& [kind, count] : sources.http2_floods()) {
      const Label labels[] = {{"frame", kind}};
      out.sample("fairlead_http2_floods_total", labels, count);
    }
  }
  if (sources.dropped_log_lines) {
    out.family("fairlead_access_log_lines_lost_total", "Lines of the access log that could not be written.",
               "counter");
    out.sample("fairlead_access_log_lines_lost_total", {}, sources.dropped_log_lines());
  }
  if (sources.dropped_records) write_dropped_records(out, sources.dropped_records());
  write_process_metrics(out, sources.started);
}

void write_process_metrics(observe::MetricWriter& out, WallTime started) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto time = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  out.family("process_cpu_seconds_total", "User and system time, in seconds.", "counter");
  out.sample("process_cpu_seconds_total", {}, time(used.ru_utime) + time(used.ru_stime));
  gauge(out, "process_start_time_seconds", "Start, in Unix seconds.", seconds(started));

  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  gauge(out, "process_virtual_memory_bytes", "Virtual memory, in bytes.", static_cast<double>(pages * page));
  rlimit memory{};
  ::getrlimit(RLIMIT_AS, &memory);
  gauge(out, "process_virtual_memory_max_bytes", "Virtual memory that may be used, in bytes.",
        static_cast<double>(memory.rlim_cur));
  gauge(out, "process_resident_memory_bytes", "Resident memory, in bytes.",
        static_cast<double>(resident * page));

  std::error_code failed;
  std::uint64_t open = 0;
  for (std::filesystem::directory_iterator fds("/proc/self/fd", failed), end; !failed && fds != end;
       fds.increment(failed))
    ++open;
  gauge(out, "process_open_fds", "Open descriptors.", static_cast<double>(open));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  gauge(out, "process_max_fds", "Descriptors that may be open.", static_cast<double>(limit.rlim_cur));
}

}  // namespace fairlead::admin
