#include "engine/observe/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace fairlead::observe {
namespace {

WallTime at(std::int64_t nanoseconds) { return WallTime(std::chrono::nanoseconds(nanoseconds)); }

std::string utc(TimeText& times, std::int64_t nanoseconds) {
  std::string out;
  times.append_utc(out, at(nanoseconds));
  return out;
}

struct InZone {
  explicit InZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~InZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST(TimeText, WritesTheFractionWithoutZerosAtItsEnd) {
  TimeText times;

  EXPECT_EQ(utc(times, 1'700'000'000'012'500'000), "2023-11-14T22:13:20.0125Z");
  EXPECT_EQ(utc(times, 1'700'000'000'000'000'001), "2023-11-14T22:13:20.000000001Z");
  EXPECT_EQ(utc(times, 1'700'000'000'000'000'000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(utc(times, 1'700'000'001'999'999'999), "2023-11-14T22:13:21.999999999Z");
}

TEST(TimeText, WritesLocalTimesWithTheirZone) {
  const InZone zone("XYZ-05:30");
  TimeText times;
  std::string local;
  std::string second;
  std::string clf;

  times.append_local(local, at(1'700'000'000'500'000'000));
  times.append_local_second(second, at(1'700'000'000'500'000'000));
  times.append_clf(clf, at(1'700'000'000'500'000'000), false);

  EXPECT_EQ(local, "2023-11-15T03:43:20.5+05:30");
  EXPECT_EQ(second, "2023-11-15T03:43:20+05:30");
  EXPECT_EQ(clf, "15/Nov/2023:03:43:20 +0530");
}

TEST(TimeText, WritesTheCommonLogFormInUtc) {
  TimeText times;
  std::string out;

  times.append_clf(out, at(1'700'000'000'000'000'000), true);

  EXPECT_EQ(out, "14/Nov/2023:22:13:20 +0000");
}

}  // namespace
}  // namespace fairlead::observe
