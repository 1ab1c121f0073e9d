#include "engine/middleware/redirect_regex.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(RedirectRegex, MatchesTheWholeUrlAndExpandsGroups) {
  const test::Made made(
      "redirectRegex",
      {{"regex", "^http://www\\.(.+)$"}, {"replacement", "https://${1}"}, {"permanent", "true"}});
  test::TestExchange x("GET", "/a%20b?q=1", "www.example.com");

  const auto response = test::run(*made, x);

  EXPECT_EQ(response.head.status, 301);
  EXPECT_EQ(response.head.fields.get("Location"), "https://example.com/a%20b?q=1");
}

TEST(RedirectRegex, PassesWhatDoesNotMatchOrStaysTheSame) {
  const test::Made other("redirectRegex", {{"regex", "^https://"}, {"replacement", "http://x"}});
  const test::Made same("redirectRegex", {{"regex", "example"}, {"replacement", "example"}});
  auto first = test::get("/");
  auto second = test::get("/");

  EXPECT_EQ(test::run(*other, first).head.status, 200);
  EXPECT_EQ(test::run(*same, second).head.status, 200);
}

TEST(RedirectRegex, Answers502WhenTheReplacementIsNoUrl) {
  const test::Made made("redirectRegex", {{"regex", ".*"}, {"replacement", "http://a:port/"}});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x).head.status, 502);
}

TEST(RedirectRegex, EscapesWhatALocationCannotHold) {
  const test::Made made("redirectRegex", {{"regex", ".*/x$"}, {"replacement", "/a b?c d"}});
  auto x = test::get("/x");

  EXPECT_EQ(test::run(*made, x).head.fields.get("Location"), "/a%20b?c%20d");
}

TEST(RedirectRegex, IsBrokenByABadPattern) {
  EXPECT_TRUE(test::Made("redirectRegex", {{"regex", "("}}).error().starts_with("regex: is no regular"));
}

}  // namespace
}  // namespace fairlead::middleware
