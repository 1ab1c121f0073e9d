#include "engine/observe/semantic_metrics.h"

#include "engine/base/strings.h"
#include "engine/observe/protocol_version.h"

#include <fmt/format.h>

#include <map>
#include <string>

namespace fairlead::observe {
namespace {

using Label = std::pair<std::string_view, std::string_view>;

struct CallSeries {
  std::string method;
  std::string version;
  std::string scheme;
  std::string server;  // of clients
  int code = 0;
  auto operator<=>(const CallSeries&) const = default;
};

struct DurationSum {
  std::uint64_t ns = 0;
  std::vector<std::uint64_t> counts;

  void add(const std::atomic<std::uint64_t>& time, const std::atomic<std::uint64_t>* buckets,
           std::size_t size) {
    ns += time.load(std::memory_order_relaxed);
    counts.resize(size);
    for (std::size_t i = 0; i < size; ++i) counts[i] += buckets[i].load(std::memory_order_relaxed);
  }
};
using DurationSums = std::map<CallSeries, DurationSum>;

void write(MetricWriter& out, std::string_view name, std::string_view help, const DurationSums& sums,
           const std::vector<double>& limits) {
  if (sums.empty()) return;
  out.family(name, help, "histogram");
  for (const auto& [series, sum] : sums) {
    const fmt::format_int code(series.code);
    const std::string_view code_text(code.data(), code.size());
    std::vector<Label> labels = {{"http.request.method", series.method},
                                 {"http.response.status_code", code_text}};
    if (!series.version.empty()) {
      labels.emplace_back("network.protocol.name", "http");
      labels.emplace_back("network.protocol.version", protocol_version(series.version));
    }
    if (!series.scheme.empty()) labels.emplace_back("url.scheme", series.scheme);
    if (const std::size_t colon = series.server.rfind(':'); colon != std::string::npos) {
      std::string_view host = std::string_view(series.server).substr(0, colon);
      if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
      labels.emplace_back("server.address", host);
      labels.emplace_back("server.port", std::string_view(series.server).substr(colon + 1));
    }
    // Whose fault a status of 4xx is differs between the two ends.
    if (series.code >= (series.server.empty() ? 500 : 400)) labels.emplace_back("error.type", code_text);
    out.histogram(name, labels, limits, sum.counts, static_cast<double>(sum.ns) / 1e9);
  }
}

}  // namespace

void write_semantic_durations(MetricWriter& out, Metrics& metrics) {
  const std::size_t size = metrics.options().buckets.size() + 1;
  DurationSums servers;
  DurationSums clients;
  metrics.collect([&](const MetricRow& row) {
    if (!row.tls) {
      // The convention's own name for what is none of its methods.
      const std::string method = row.method == "EXTENSION_METHOD" ? "_OTHER" : row.method;
      if (!row.entry_point.empty())
        servers[{method, row.version, row.scheme, {}, row.status}].add(row.all.duration_ns,
                                                                       row.all.buckets.get(), size);
      if (row.server_buckets)
        clients[{method, {}, {}, row.server, row.server_code}].add(row.server_ns, row.server_buckets.get(),
                                                                   size);
    }
    return !row.gone.load(std::memory_order_relaxed);
  });
  const std::vector<double>& limits = metrics.options().buckets;
  write(out, "http.server.request.duration", "Duration of HTTP server requests.", servers, limits);
  write(out, "http.client.request.duration", "Duration of HTTP client requests.", clients, limits);
}

}  // namespace fairlead::observe
