#include "engine/middleware/breaker_metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fairlead::middleware {
namespace {

std::int64_t second_of(TimePoint now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

BreakerMetrics::BreakerMetrics(bool with_latencies) : with_latencies_(with_latencies) {
  if (!with_latencies) return;
  for (Slice& slice : slices_) slice.counts.resize(kPerOctave * kOctaves);
}

// Values below 256 have a bucket each; above, the leading eight bits choose.
std::size_t BreakerMetrics::bucket_of(std::uint64_t microseconds) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(microseconds)) - 8);
  const std::size_t bucket =
      static_cast<std::size_t>(shift) * kPerOctave + static_cast<std::size_t>(microseconds >> shift);
  return std::min(bucket, kPerOctave * kOctaves - 1);
}

std::uint64_t BreakerMetrics::value_of(std::size_t bucket) {
  if (bucket < 2 * kPerOctave) return bucket;
  const std::size_t shift = bucket / kPerOctave - 1;
  const std::uint64_t leading = bucket - shift * kPerOctave;
  return ((leading + 1) << shift) - 1;  // the highest value that falls into it
}

void BreakerMetrics::record(int status, Duration latency, TimePoint now) {
  const std::int64_t number = second_of(now);
  Second& second = seconds_[static_cast<std::size_t>(number) % kSeconds];
  if (second.second != number) second = {.second = number, .codes = {}};
  ++second.codes[static_cast<std::size_t>(std::clamp(status, 0, static_cast<int>(kCodes) - 1))];
  if (!with_latencies_) return;
  Slice& slice = slices_[static_cast<std::size_t>(number / kSliceSeconds) % kSlices];
  if (slice.number != number / kSliceSeconds) {
    slice.number = number / kSliceSeconds;
    std::ranges::fill(slice.counts, 0);
  }
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  ++slice.counts[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(1, microseconds)))];
}

void BreakerMetrics::reset() {
  for (Second& second : seconds_) second.second = -1;
  for (Slice& slice : slices_) slice.number = -1;
}

std::int64_t BreakerMetrics::sum(std::size_t from, std::size_t to, TimePoint now) const {
  const std::int64_t oldest = second_of(now) - static_cast<std::int64_t>(kSeconds);
  std::int64_t count = 0;
  for (const Second& second : seconds_) {
    if (second.second < 0 || second.second <= oldest) continue;
    for (std::size_t code = from; code < std::min(to, kCodes); ++code) count += second.codes[code];
  }
  return count;
}

std::int64_t BreakerMetrics::total(TimePoint now) const { return sum(0, kCodes, now); }

double BreakerMetrics::network_error_ratio(TimePoint now) const {
  const std::int64_t all = total(now);
  if (all == 0) return 0;
  return static_cast<double>(sum(502, 503, now) + sum(504, 505, now)) / static_cast<double>(all);
}

double BreakerMetrics::code_ratio(int a, int b, int c, int d, TimePoint now) const {
  const auto count = [&](int from, int to) {
    return sum(static_cast<std::size_t>(std::max(from, 0)), static_cast<std::size_t>(std::max(to, 0)), now);
  };
  const std::int64_t divisor = count(c, d);
  return divisor == 0 ? 0 : static_cast<double>(count(a, b)) / static_cast<double>(divisor);
}

std::int64_t BreakerMetrics::latency_ms(double percent, TimePoint now) const {
  const std::int64_t oldest = second_of(now) / kSliceSeconds - static_cast<std::int64_t>(kSlices);
  const auto counts = [&](const Slice& slice) { return slice.number >= 0 && slice.number > oldest; };
  std::uint64_t all = 0;
  for (const Slice& slice : slices_)
    if (counts(slice))
      for (const std::uint32_t count : slice.counts) all += count;
  if (all == 0) return 0;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(all) + 0.5));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kPerOctave * kOctaves; ++bucket) {
    for (const Slice& slice : slices_)
      if (counts(slice)) seen += slice.counts[bucket];
    if (seen >= wanted) return static_cast<std::int64_t>(value_of(bucket) / 1000);
  }
  return 0;
}

}  // namespace fairlead::middleware
