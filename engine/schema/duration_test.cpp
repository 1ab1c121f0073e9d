#include "engine/schema/duration.h"

#include <gtest/gtest.h>

namespace fairlead::schema {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ABareIntegerIsSeconds) {
  EXPECT_EQ(parse_duration("10"), Duration(10s));
  EXPECT_EQ(parse_duration("-3"), Duration(-3s));
  EXPECT_EQ(parse_duration("0"), Duration(0s));
}

TEST(Duration, ReadsGoSyntax) {
  EXPECT_EQ(parse_duration("1h2m3s"), Duration(1h + 2min + 3s));
  EXPECT_EQ(parse_duration("1.5s"), Duration(1500ms));
  EXPECT_EQ(parse_duration("100ms"), Duration(100ms));
  EXPECT_EQ(parse_duration("-250us"), Duration(-250us));
  EXPECT_EQ(parse_duration("7\u00b5s"), Duration(7us));
  EXPECT_EQ(parse_duration(".5h"), Duration(30min));
  EXPECT_EQ(parse_duration("90s"), Duration(90s));
}

TEST(Duration, RefusesWhatGoRefuses) {
  for (const char* text : {"", " ", "10 s", "1d", "s", "-", "1.5", ".s", "1h2", "10s ", "abc",
                           "99999999999999999999", "9999999999999h", "1e3s", "+-1s"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Duration, PrintsAsGoDoes) {
  EXPECT_EQ(print_duration(0s), "0s");
  EXPECT_EQ(print_duration(30s), "30s");
  EXPECT_EQ(print_duration(90s), "1m30s");
  EXPECT_EQ(print_duration(3600s), "1h0m0s");
  EXPECT_EQ(print_duration(100ms), "100ms");
  EXPECT_EQ(print_duration(1500ms), "1.5s");
  EXPECT_EQ(print_duration(1050us), "1.05ms");
  EXPECT_EQ(print_duration(3us), "3\u00b5s");
  EXPECT_EQ(print_duration(17ns), "17ns");
  EXPECT_EQ(print_duration(-90s), "-1m30s");
  EXPECT_EQ(print_duration(Duration::min()), "-2562047h47m16.854775808s");
}

TEST(Duration, WhatIsPrintedReadsBackTheSame) {
  for (Duration value :
       {Duration(1ns), Duration(999ns), Duration(1234567ns), Duration(61s + 5ns), Duration(100h + 1ms)})
    EXPECT_EQ(parse_duration(print_duration(value)), value) << value.count();
}

}  // namespace
}  // namespace fairlead::schema
