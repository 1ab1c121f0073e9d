#include "engine/telemetry/metric_encoder.h"

#include "engine/base/strings.h"
#include "engine/telemetry/write.h"

namespace fairlead::telemetry {
namespace {

using protozero::pbf_tag_type;
using protozero::pbf_writer;

constexpr std::size_t kMaxPoints = 256 * 1024;  // bytes of one piece, roughly

// Fields of Metric.
constexpr pbf_tag_type kName = 1;
constexpr pbf_tag_type kDescription = 2;
constexpr pbf_tag_type kUnit = 3;
constexpr pbf_tag_type kGauge = 5;
constexpr pbf_tag_type kSum = 7;
constexpr pbf_tag_type kHistogram = 9;

// Fields of Sum and Histogram; a Gauge has the first only.
constexpr pbf_tag_type kPoints = 1;
constexpr pbf_tag_type kTemporality = 2;
constexpr pbf_tag_type kMonotonic = 3;
constexpr std::int32_t kCumulative = 2;

// Fields of both kinds of points.
constexpr pbf_tag_type kSince = 2;
constexpr pbf_tag_type kTime = 3;
// Of NumberDataPoint.
constexpr pbf_tag_type kDouble = 4;
constexpr pbf_tag_type kInt = 6;
constexpr pbf_tag_type kNumberAttributes = 7;
// Of HistogramDataPoint.
constexpr pbf_tag_type kCount = 4;
constexpr pbf_tag_type kTotal = 5;
constexpr pbf_tag_type kBucketCounts = 6;
constexpr pbf_tag_type kBounds = 7;
constexpr pbf_tag_type kHistogramAttributes = 9;

std::uint64_t since_epoch(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

// By the Unified Code for Units of Measure, as OTLP wants them.
std::string_view unit(std::string_view name) {
  if (name.ends_with("_seconds") || name.ends_with("_seconds_total") || name.ends_with(".duration"))
    return "s";
  if (name.ends_with("_bytes") || name.ends_with("_bytes_total")) return "By";
  return "1";
}

// Codes of HTTP are numbers in the semantic conventions, texts everywhere else.
void add_label(pbf_writer& point, pbf_tag_type tag, std::string_view name, std::string_view value) {
  constexpr std::string_view kStatus = "http.response.status_code";
  constexpr std::string_view kPort = "server.port";
  if (name != kStatus && name != kPort) return add_attribute(point, tag, name, value);
  add_attribute(point, tag, name, static_cast<std::int64_t>(parse_digits(value).value_or(0)));
}

}  // namespace

MetricEncoder::MetricEncoder(WallTime since, WallTime now)
    : since_(since_epoch(since)), now_(since_epoch(now)) {}

void MetricEncoder::family(std::string_view name, std::string_view help, std::string_view type) {
  finish();
  name_ = name;
  help_ = help;
  type_ = type;
}

void MetricEncoder::sample(std::string_view, Labels labels, double value) { number(labels, true, value, 0); }

void MetricEncoder::sample(std::string_view, Labels labels, std::uint64_t value) {
  number(labels, false, 0, value);
}

void MetricEncoder::number(Labels labels, bool real, double real_value, std::uint64_t count) {
  {
    pbf_writer points(points_);
    pbf_writer point(points, kPoints);
    if (type_ == "counter") point.add_fixed64(kSince, since_);
    point.add_fixed64(kTime, now_);
    if (real)
      point.add_double(kDouble, real_value);
    else
      point.add_sfixed64(kInt, static_cast<std::int64_t>(count));
    for (const auto& [label, text] : labels) add_label(point, kNumberAttributes, label, text);
  }
  if (points_.size() >= kMaxPoints) finish();
}

void MetricEncoder::histogram(std::string_view, Labels labels, std::span<const double> limits,
                              std::span<const std::uint64_t> counts, double sum) {
  {
    pbf_writer points(points_);
    pbf_writer point(points, kPoints);
    point.add_fixed64(kSince, since_);
    point.add_fixed64(kTime, now_);
    std::uint64_t total = 0;
    for (const std::uint64_t count : counts) total += count;
    point.add_fixed64(kCount, total);
    point.add_double(kTotal, sum);
    point.add_packed_fixed<std::uint64_t>(kBucketCounts, counts.begin(), counts.end());
    point.add_packed_double(kBounds, limits.begin(), limits.end());
    for (const auto& [label, text] : labels) add_label(point, kHistogramAttributes, label, text);
  }
  if (points_.size() >= kMaxPoints) finish();
}

void MetricEncoder::finish() {
  if (points_.empty()) return;
  std::string piece;
  {
    pbf_writer scope(piece);
    pbf_writer metric(scope, kRecord);
    add_text(metric, kName, name_);
    add_text(metric, kDescription, help_);
    add_text(metric, kUnit, unit(name_));
    const bool counter = type_ == "counter";
    pbf_writer data(metric, counter ? kSum : type_ == "histogram" ? kHistogram : kGauge);
    if (type_ != "gauge") data.add_enum(kTemporality, kCumulative);
    if (counter) data.add_bool(kMonotonic, true);
    piece += points_;  // fields of the data
  }
  points_.clear();
  pieces_.push_back(std::move(piece));
}

std::vector<std::string> MetricEncoder::take() {
  finish();
  return std::move(pieces_);
}

}  // namespace fairlead::telemetry
