#include "engine/middleware/strip_prefix_regex.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

std::string stripped(const test::Made& made, std::string_view path) {
  auto x = test::get(path);
  const exchange::Response response = test::run(*made, x);
  return response.head.status == 200 ? x.request.path : std::to_string(response.head.status);
}

TEST(StripPrefixRegex, RemovesWhatMatchesAtTheBeginning) {
  const test::Made made("stripPrefixRegex", {{"regex", "/v[0-9]+"}});
  auto x = test::get("/v12/cart");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/cart");
  EXPECT_EQ(x.request.fields.get("X-Forwarded-Prefix"), "/v12");
}

TEST(StripPrefixRegex, PassesWhatMatchesElsewhere) {
  EXPECT_EQ(stripped(test::Made("stripPrefixRegex", {{"regex", "/v[0-9]+"}}), "/x/v12"), "/x/v12");
}

TEST(StripPrefixRegex, CutsTheEscapedPathWhereTheDecodedMatchEnds) {
  EXPECT_EQ(stripped(test::Made("stripPrefixRegex", {{"regex", "/a b"}}), "/a%20b/c%2Fd"), "/c%2Fd");
  EXPECT_EQ(stripped(test::Made("stripPrefixRegex", {{"regex", "/[^/]+/"}}), "/%FF%C3%A9/c%FF"), "/c%FF");
}

TEST(StripPrefixRegex, RefusesWhatWouldLeaveDotSegments) {
  EXPECT_EQ(stripped(test::Made("stripPrefixRegex", {{"regex", "/api"}}), "/api%2E%2E/admin"), "400");
}

TEST(StripPrefixRegex, IsBrokenByABadPattern) {
  EXPECT_TRUE(test::Made("stripPrefixRegex", {{"regex", "/a("}}).error().starts_with("regex: is no regular"));
}

}  // namespace
}  // namespace fairlead::middleware
