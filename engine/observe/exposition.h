#pragma once

#include "engine/observe/metric_writer.h"
#include "engine/observe/metrics.h"

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::observe {

// The text format of Prometheus, version 0.0.4.
class Exposition final : public MetricWriter {
 public:
  void family(std::string_view name, std::string_view help, std::string_view type) override;
  void sample(std::string_view name, Labels labels, double value) override;
  void sample(std::string_view name, Labels labels, std::uint64_t value) override;
  void histogram(std::string_view name, Labels labels, std::span<const double> limits,
                 std::span<const std::uint64_t> counts, double sum) override;
  std::string take() { return std::move(text_); }

 private:
  void line(std::string_view name, Labels labels, std::string_view value);
  std::string text_;
};

// Which families of request counters are shown, and how.
struct RequestFamilies {
  bool entry_points = true;
  bool routers = false;
  bool services = true;
  std::vector<std::string> header_labels = {};  // names of the labels, in the order of header_names
  std::function<bool(std::string_view)> router_exists = nullptr;
  std::function<bool(std::string_view)> service_exists = nullptr;
};

// Writes traefik_{entrypoint,router,service}_* from the counters. Series of routers and services that are
// gone are shown once more, then no longer.
class RequestMetrics {
 public:
  void write(MetricWriter& out, Metrics& metrics, const RequestFamilies& families);

 private:
  std::set<std::string, std::less<>> gone_routers_;
  std::set<std::string, std::less<>> gone_services_;
};

}  // namespace fairlead::observe
