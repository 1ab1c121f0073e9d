#include "engine/observe/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace fairlead::observe {
namespace {

using Label = std::pair<std::string_view, std::string_view>;

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
}

// As clients of Prometheus have it; tests and dashboards compare whole lines.
void sort_by_name(std::vector<Label>& labels) { std::ranges::sort(labels, {}, &Label::first); }

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

struct Sum {
  std::uint64_t requests = 0;
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  std::uint64_t duration_ns = 0;
  std::vector<std::uint64_t> buckets;

  void add(const Counts& counts, std::size_t bucket_count) {
    requests += counts.requests.load(std::memory_order_relaxed);
    request_bytes += counts.request_bytes.load(std::memory_order_relaxed);
    response_bytes += counts.response_bytes.load(std::memory_order_relaxed);
    duration_ns += counts.duration_ns.load(std::memory_order_relaxed);
    buckets.resize(bucket_count);
    for (std::size_t i = 0; i < bucket_count; ++i)
      buckets[i] += counts.buckets[i].load(std::memory_order_relaxed);
  }
};

// code, method, protocol (of TLS: 0, version, cipher), then the names that the scope adds.
struct Series {
  int code;
  std::string method;
  std::string protocol;
  std::string first;   // entry point, or router, or service
  std::string second;  // of routers: the service
  auto operator<=>(const Series&) const = default;
};

// All that is said about entry points, or routers, or services.
struct Scope {
  std::string_view prefix;
  std::vector<std::string_view> label_names;
  std::map<Series, Sum> sums;
  std::map<std::pair<Series, std::string>, std::uint64_t> requests;  // with the header labels
  std::map<Series, std::uint64_t> tls;

  void add(const MetricRow& row, const Counts& counts, std::string first, std::string second,
           std::size_t buckets) {
    Series series{row.code, row.method, row.protocol, std::move(first), std::move(second)};
    if (row.tls) {
      tls[series] += counts.requests.load(std::memory_order_relaxed);
      return;
    }
    requests[{series, row.header_labels}] += counts.requests.load(std::memory_order_relaxed);
    sums[series].add(counts, buckets);
  }

  std::vector<Label> names(const Series& series) const {
    std::vector<Label> out;
    out.emplace_back(label_names.front(), series.first);
    if (label_names.size() > 1) out.emplace_back(label_names[1], series.second);
    return out;
  }
  std::vector<Label> labels(const Series& series, std::string_view code) const {
    std::vector<Label> out{{"code", code}, {"method", series.method}, {"protocol", series.protocol}};
    for (const Label& label : names(series)) out.push_back(label);
    sort_by_name(out);
    return out;
  }

  void write(MetricWriter& out, const std::vector<double>& limits,
             const std::vector<std::string>& header_labels) const;
};

void Scope::write(MetricWriter& out, const std::vector<double>& limits,
                  const std::vector<std::string>& header_labels) const {
  const auto family = [&](std::string_view suffix) { return fmt::format("traefik_{}_{}", prefix, suffix); };
  const auto per_series = [&](std::string_view suffix, std::string_view help, auto value) {
    const std::string name = family(suffix);
    out.family(name, help, "counter");
    for (const auto& [series, sum] : sums)
      out.sample(name, labels(series, fmt::format_int(series.code).c_str()), value(sum));
  };
  if (!requests.empty()) {
    const std::string name = family("requests_total");
    out.family(name, "How many HTTP requests were processed, by status code, protocol and method.",
               "counter");
    for (const auto& [key, count] : requests) {
      const fmt::format_int code(key.first.code);
      std::vector<Label> all = labels(key.first, {code.data(), code.size()});
      std::string_view values = key.second;
      for (const std::string& label : header_labels) {
        const std::size_t end = values.find('\0');
        all.emplace_back(label, values.substr(0, end));
        values = end == std::string_view::npos ? std::string_view{} : values.substr(end + 1);
      }
      sort_by_name(all);
      out.sample(name, all, count);
    }
  }
  if (!tls.empty()) {
    const std::string name = family("requests_tls_total");
    out.family(name, "How many HTTP requests came with TLS, by version and cipher suite.", "counter");
    for (const auto& [series, count] : tls) {
      std::vector<Label> all{{"tls_version", series.method}, {"tls_cipher", series.protocol}};
      for (const Label& label : names(series)) all.push_back(label);
      sort_by_name(all);
      out.sample(name, all, count);
    }
  }
  if (sums.empty()) return;
  const std::string name = family("request_duration_seconds");
  out.family(name, "How long it took to process the request.", "histogram");
  for (const auto& [series, sum] : sums) {
    const fmt::format_int code(series.code);
    const std::vector<Label> all = labels(series, {code.data(), code.size()});
    out.histogram(name, all, limits, sum.buckets, static_cast<double>(sum.duration_ns) / 1e9);
  }
  per_series("requests_bytes_total", "The total size of request bodies, in bytes.",
             [](const Sum& sum) { return sum.request_bytes; });
  per_series("responses_bytes_total", "The total size of response bodies, in bytes.",
             [](const Sum& sum) { return sum.response_bytes; });
}

// Whether it is still worth showing: it exists, or it is shown for the last time.
bool show(std::string_view name, const std::function<bool(std::string_view)>& exists,
          const std::set<std::string, std::less<>>& gone_before, std::set<std::string, std::less<>>& gone) {
  if (!exists || exists(name)) return true;
  gone.emplace(name);
  return !gone_before.contains(name);
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view help, std::string_view type) {
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void Exposition::sample(std::string_view name, Labels labels, double value) {
  line(name, labels, number(value));
}

void Exposition::sample(std::string_view name, Labels labels, std::uint64_t value) {
  const fmt::format_int text(value);
  line(name, labels, {text.data(), text.size()});
}

void Exposition::histogram(std::string_view name, Labels labels, std::span<const double> limits,
                           std::span<const std::uint64_t> counts, double sum) {
  std::vector<Label> all(labels.begin(), labels.end());
  std::uint64_t below = 0;
  all.emplace_back("le", "");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    const std::string limit = i < limits.size() ? number(limits[i]) : "+Inf";
    all.back().second = limit;
    sample(fmt::format("{}_bucket", name), all, below);
  }
  sample(fmt::format("{}_sum", name), labels, sum);
  sample(fmt::format("{}_count", name), labels, below);
}

void Exposition::line(std::string_view name, Labels labels, std::string_view value) {
  text_ += name;
  char before = '{';
  for (const auto& [label, text] : labels) {
    text_ += std::exchange(before, ',');
    text_ += label;
    text_ += "=\"";
    append_escaped(text_, text);
    text_ += '"';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

void RequestMetrics::write(MetricWriter& out, Metrics& metrics, const RequestFamilies& families) {
  const std::size_t buckets = metrics.options().buckets.size() + 1;
  Scope entry_points{
      .prefix = "entrypoint", .label_names = {"entrypoint"}, .sums = {}, .requests = {}, .tls = {}};
  Scope routers{
      .prefix = "router", .label_names = {"router", "service"}, .sums = {}, .requests = {}, .tls = {}};
  Scope services{.prefix = "service", .label_names = {"service"}, .sums = {}, .requests = {}, .tls = {}};
  std::map<std::string, std::uint64_t> retries;
  std::set<std::string, std::less<>> gone_routers;
  std::set<std::string, std::less<>> gone_services;
  metrics.collect([&](const MetricRow& row) {
    if (families.entry_points && !row.entry_point.empty())
      entry_points.add(row, row.all, row.entry_point, {}, buckets);
    const bool router =
        row.router.empty() || show(row.router, families.router_exists, gone_routers_, gone_routers);
    const bool service =
        row.service.empty() || show(row.service, families.service_exists, gone_services_, gone_services);
    if (router && families.routers && !row.router.empty())
      routers.add(row, row.all, row.router, row.router_service, buckets);
    if (service && families.services && !row.service.empty()) {
      services.add(row, row.in_service, row.service, {}, buckets);
      if (!row.tls) retries[row.service] += row.retries.load(std::memory_order_relaxed);
    }
    return router && service;
  });
  gone_routers_ = std::move(gone_routers);
  gone_services_ = std::move(gone_services);

  for (const Scope* scope : {&entry_points, &routers, &services})
    scope->write(out, metrics.options().buckets, families.header_labels);
  if (retries.empty()) return;
  out.family("traefik_service_retries_total", "How many requests were sent again to a service.", "counter");
  for (const auto& [service, count] : retries) {
    const std::array<Label, 1> label = {Label{"service", service}};
    out.sample("traefik_service_retries_total", label, count);
  }
}

}  // namespace fairlead::observe
