#include "engine/service/hop_by_hop.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::service {
namespace {

std::string left_of(std::initializer_list<std::pair<const char*, const char*>> lines) {
  Arena arena;
  http::Fields fields(arena);
  for (const auto& [name, value] : lines) fields.add(name, value);
  remove_hop_by_hop(fields);
  std::string left;
  for (const http::Field& line : fields) left += std::string(line.name) + ";";
  return left;
}

TEST(HopByHop, DropsTheFieldsOfOneHopAndKeepsTheRest) {
  EXPECT_EQ(left_of({{"Keep-Alive", "5"},
                     {"X-A", "1"},
                     {"proxy-authorization", "x"},
                     {"Trailer", "T"},
                     {"Upgrade", "x"},
                     {"Content-Length", "3"}}),
            "X-A;Content-Length;");
}

TEST(HopByHop, KeepsTheNamesOfTrailersThatFollow) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("Trailer", "X-Sum");
  fields.add("Transfer-Encoding", "chunked");

  remove_hop_by_hop(fields, true);

  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields.get(http::Name::Trailer), "X-Sum");
}

TEST(HopByHop, DropsWhatConnectionNamesInAnyCase) {
  EXPECT_EQ(left_of({{"Connection", "x-Secret , close"}, {"X-SECRET", "1"}, {"X-Other", "2"}}), "X-Other;");
}

TEST(HopByHop, FindsEachOfManyThatConnectionNames) {
  EXPECT_EQ(left_of({{"Connection", "x-d, X-B,keep-alive"},
                     {"X-A", "1"},
                     {"x-b", "2"},
                     {"Connection", "X-Bb, , x-C"},
                     {"X-C", "3"},
                     {"X-D", "4"},
                     {"X-BB", "5"},
                     {"X-Bbb", "6"}}),
            "X-A;X-Bbb;");
}

TEST(HopByHop, NamesWhatMustNotFollowAsTrailerEither) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("Connection", "close, X-Sum");
  fields.add("connection", "x-hop,keep-alive, Upgrade");

  const auto named = named_in_connection(fields);

  for (const char* name : {"X-Sum", "x-sum", "X-HOP"}) EXPECT_TRUE(is_named(named, name)) << name;
  for (const char* name : {"close", "upgrade", "keep-alive", "X-Other"}) EXPECT_FALSE(is_named(named, name));
  EXPECT_FALSE(is_named({}, "X-Sum"));
}

TEST(HopByHop, NeverLetsConnectionTakeTheFramingAway) {
  EXPECT_EQ(left_of({{"Connection", "Content-Length"}, {"Content-Length", "3"}}), "Content-Length;");
}

TEST(HopByHop, KeepsTeOnlyForTrailers) {
  EXPECT_EQ(left_of({{"TE", "trailers"}}), "TE;");
  EXPECT_EQ(left_of({{"TE", "gzip"}}), "");
}

TEST(HopByHop, KeepsOnlyTrailersOfWhatTeLists) {
  Arena arena;
  http::Fields fields(arena);
  fields.add("TE", "gzip;q=0.5");
  fields.add("te", "deflate, trailers");

  remove_hop_by_hop(fields);

  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields.get(http::Name::Te), "trailers");
}

}  // namespace
}  // namespace fairlead::service
