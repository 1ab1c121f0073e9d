#pragma once

#include "engine/base/clock.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace fairlead::middleware {

// What a circuit breaker knows of recent responses: their codes over ten seconds, their latencies over a
// minute. Not thread-safe.
class BreakerMetrics {
 public:
  explicit BreakerMetrics(bool with_latencies);

  void record(int status, Duration latency, TimePoint now);
  void reset();

  std::int64_t total(TimePoint now) const;
  // Share of 502 and 504; 0 without responses.
  double network_error_ratio(TimePoint now) const;
  // Responses with a code in [a, b) per response with one in [c, d); 0 without the latter.
  double code_ratio(int a, int b, int c, int d, TimePoint now) const;
  // Milliseconds below which this percentage of responses took; 0 without responses.
  std::int64_t latency_ms(double percent, TimePoint now) const;

 private:
  static constexpr std::size_t kSeconds = 10;
  static constexpr std::size_t kCodes = 600;  // the last one counts all above
  struct Second {
    std::int64_t second = -1;
    std::array<std::uint32_t, kCodes> codes{};
  };

  // Microseconds in buckets that widen with their value: 128 per power of two, an error below 1 %.
  static constexpr std::size_t kPerOctave = 128;
  static constexpr std::size_t kOctaves = 26;  // up to an hour and more
  static constexpr std::size_t kSlices = 6;
  static constexpr std::int64_t kSliceSeconds = 10;
  struct Slice {
    std::int64_t number = -1;
    std::vector<std::uint32_t> counts;
  };
  static std::size_t bucket_of(std::uint64_t microseconds);
  static std::uint64_t value_of(std::size_t bucket);

  std::int64_t sum(std::size_t from, std::size_t to, TimePoint now) const;

  std::array<Second, kSeconds> seconds_;
  std::array<Slice, kSlices> slices_;
  bool with_latencies_;
};

}  // namespace fairlead::middleware
