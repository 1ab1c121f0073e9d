#include "engine/telemetry/metric_encoder.h"

#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>

namespace fairlead::telemetry {
namespace {

using Label = std::pair<std::string_view, std::string_view>;
using protozero::pbf_reader;

constexpr WallTime at(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

// Name of the metric of each piece.
std::vector<std::string> names(const std::vector<std::string>& pieces) {
  std::vector<std::string> out;
  for (const std::string& piece : pieces) {
    pbf_reader scope(piece);
    EXPECT_TRUE(scope.next(2));
    pbf_reader metric = scope.get_message();
    EXPECT_TRUE(metric.next(1));
    out.push_back(metric.get_string());
    EXPECT_FALSE(scope.next());
  }
  return out;
}

TEST(MetricEncoder, MakesAPieceOfEachFamilyThatHasPoints) {
  MetricEncoder encoder(at(1), at(2));
  const Label labels[] = {{"a", "1"}};

  encoder.family("first_total", "One.", "counter");
  encoder.sample("first_total", labels, std::uint64_t{1});
  encoder.family("empty", "None.", "gauge");
  encoder.family("second", "Two.", "gauge");
  encoder.sample("second", {}, 0.5);

  EXPECT_EQ(names(encoder.take()), (std::vector<std::string>{"first_total", "second"}));
}

TEST(MetricEncoder, CountsTheWholeOfAHistogram) {
  MetricEncoder encoder(at(1), at(2));
  const double limits[] = {0.1, 1};
  const std::uint64_t counts[] = {3, 0, 2};
  encoder.family("took_seconds", "How long.", "histogram");
  encoder.histogram("took_seconds", {}, limits, counts, 4.5);

  const auto pieces = encoder.take();
  ASSERT_EQ(pieces.size(), 1U);
  pbf_reader scope(pieces[0]);
  ASSERT_TRUE(scope.next(2));
  pbf_reader metric = scope.get_message();
  ASSERT_TRUE(metric.next(9));
  pbf_reader histogram = metric.get_message();
  ASSERT_TRUE(histogram.next(1));
  pbf_reader point = histogram.get_message();
  ASSERT_TRUE(point.next(2));
  EXPECT_EQ(point.get_fixed64(), 1'000'000'000U);
  ASSERT_TRUE(point.next(4));
  EXPECT_EQ(point.get_fixed64(), 5U);
  ASSERT_TRUE(point.next(5));
  EXPECT_EQ(point.get_double(), 4.5);
}

TEST(MetricEncoder, SplitsAFamilyThatNoRequestCouldHold) {
  MetricEncoder encoder(at(1), at(2));
  const std::string text(1000, 'x');
  const Label labels[] = {{"a", text}};
  encoder.family("many_total", "Many.", "counter");
  for (int i = 0; i < 1000; ++i) encoder.sample("many_total", labels, std::uint64_t{1});

  const auto pieces = encoder.take();

  EXPECT_GE(pieces.size(), 4U);
  for (const std::string& piece : pieces) EXPECT_LT(piece.size(), 300'000U);
  EXPECT_EQ(names(pieces).back(), "many_total");
}

}  // namespace
}  // namespace fairlead::telemetry
