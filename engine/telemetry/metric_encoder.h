#pragma once

#include "engine/base/clock.h"
#include "engine/observe/metric_writer.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::telemetry {

// Metrics as OTLP has them: counters and histograms count since `since`.
class MetricEncoder final : public observe::MetricWriter {
 public:
  MetricEncoder(WallTime since, WallTime now);

  void family(std::string_view name, std::string_view help, std::string_view type) override;
  void sample(std::string_view name, Labels labels, double value) override;
  void sample(std::string_view name, Labels labels, std::uint64_t value) override;
  void histogram(std::string_view name, Labels labels, std::span<const double> limits,
                 std::span<const std::uint64_t> counts, double sum) override;

  // The encoded metrics in pieces that a request can hold.
  std::vector<std::string> take();

 private:
  void number(Labels labels, bool real, double real_value, std::uint64_t count);
  void finish();

  const std::uint64_t since_;  // ns since the epoch
  const std::uint64_t now_;
  std::string name_;
  std::string help_;
  std::string type_;
  std::string points_;  // encoded
  std::vector<std::string> pieces_;
};

}  // namespace fairlead::telemetry
