#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace fairlead::observe {

// Takes metrics, family by family: a scrape of Prometheus, or what is pushed by OTLP.
class MetricWriter {
 public:
  using Labels = std::span<const std::pair<std::string_view, std::string_view>>;

  // Begins a family: `type` is counter, gauge or histogram.
  virtual void family(std::string_view name, std::string_view help, std::string_view type) = 0;
  virtual void sample(std::string_view name, Labels labels, double value) = 0;
  virtual void sample(std::string_view name, Labels labels, std::uint64_t value) = 0;
  // Of a histogram: `counts` has one more than `limits`, for what is above them all, and is not cumulative.
  virtual void histogram(std::string_view name, Labels labels, std::span<const double> limits,
                         std::span<const std::uint64_t> counts, double sum) = 0;

 protected:
  ~MetricWriter() = default;
};

}  // namespace fairlead::observe
