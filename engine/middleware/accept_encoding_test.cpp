#include "engine/middleware/accept_encoding.h"

#include <gtest/gtest.h>

#include <array>

namespace fairlead::middleware {
namespace {

constexpr std::array kUsual = {Coding::Gzip, Coding::Brotli, Coding::Zstd};

std::string chosen(std::string_view value, std::optional<Coding> fallback = std::nullopt) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("Accept-Encoding", value);
  const auto coding = choose_coding(fields, kUsual, fallback);
  return coding ? std::string(text(*coding)) : "none";
}

TEST(AcceptEncoding, TheOfferedOrderDecidesAtEqualWeight) {
  EXPECT_EQ(chosen("zstd, br, gzip"), "gzip");
  EXPECT_EQ(chosen("zstd, br"), "br");
  EXPECT_EQ(chosen("br;q=0.8, gzip;q=0.8"), "gzip");
}

TEST(AcceptEncoding, TheHigherWeightWins) {
  EXPECT_EQ(chosen("gzip;q=0.5, br;q=0.8"), "br");
  EXPECT_EQ(chosen("gzip; q=0.999, zstd"), "zstd");
}

TEST(AcceptEncoding, WeightZeroExcludes) {
  EXPECT_EQ(chosen("gzip;q=0"), "none");
  EXPECT_EQ(chosen("gzip;q=0, *"), "br");
  EXPECT_EQ(chosen("*;q=0"), "none");
  EXPECT_EQ(chosen("gzip;q=0.000, br;Q=0.0"), "none");
}

TEST(AcceptEncoding, APreferredIdentityMeansUncompressed) {
  EXPECT_EQ(chosen("identity"), "none");
  EXPECT_EQ(chosen("identity;q=0.9, gzip;q=0.5"), "none");
  EXPECT_EQ(chosen("identity, gzip"), "gzip");
}

TEST(AcceptEncoding, TheStarStandsForTheDefault) {
  EXPECT_EQ(chosen("*"), "gzip");
  EXPECT_EQ(chosen("*", Coding::Zstd), "zstd");
  EXPECT_EQ(chosen("zstd;q=0, *", Coding::Zstd), "gzip");
  EXPECT_EQ(chosen("zstd;q=0.5, *;q=0.1", Coding::Brotli), "zstd");
}

TEST(AcceptEncoding, AtEqualWeightTheStarLeavesTheChoiceToTheServer) {
  EXPECT_EQ(chosen("br, *"), "gzip");
  EXPECT_EQ(chosen("br, *", Coding::Zstd), "zstd");
  EXPECT_EQ(chosen("br, *;q=0.5", Coding::Zstd), "br");
  EXPECT_EQ(chosen("br, zstd", Coding::Zstd), "br");
}

TEST(AcceptEncoding, AnEmptyFieldAsksForNothingAndAnAbsentOneForTheDefault) {
  Arena arena;
  const http::Fields none(arena);

  EXPECT_EQ(chosen("", Coding::Gzip), "none");
  EXPECT_EQ(choose_coding(none, kUsual, Coding::Brotli), Coding::Brotli);
  EXPECT_EQ(choose_coding(none, kUsual, std::nullopt), std::nullopt);
}

TEST(AcceptEncoding, NamesAreComparedWithoutCaseAndNonsenseIsPassedOver) {
  EXPECT_EQ(chosen("GZIP"), "gzip");
  EXPECT_EQ(chosen("x-gzip"), "gzip");
  EXPECT_EQ(chosen(",,;;=,deflate;q=x,br"), "br");
  EXPECT_EQ(chosen("gzip;q=7"), "none");
}

}  // namespace
}  // namespace fairlead::middleware
