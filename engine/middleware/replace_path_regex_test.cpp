#include "engine/middleware/replace_path_regex.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(ReplacePathRegex, RewritesAMatchingPathAndTellsTheOldOne) {
  const test::Made made("replacePathRegex", {{"regex", " ^/foo/(.*) "}, {"replacement", " /bar/$1 "}});
  auto x = test::get("/foo/a%2Fb?q=1");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/bar/a%2Fb");
  EXPECT_EQ(x.request.fields.get("X-Replaced-Path"), "/foo/a%2Fb");
}

TEST(ReplacePathRegex, PassesWhatDoesNotMatch) {
  const test::Made made("replacePathRegex", {{"regex", "^/foo"}, {"replacement", "/bar"}});
  auto x = test::get("/web");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/web");
  EXPECT_FALSE(x.request.fields.has("X-Replaced-Path"));
}

TEST(ReplacePathRegex, EscapesWhatAPathCannotHold) {
  const test::Made made("replacePathRegex", {{"regex", "^/(.*)$"}, {"replacement", "/é #1/?$1 x"}});
  auto x = test::get("/foo");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/%C3%A9%20%231/%3Ffoo%20x");
}

TEST(ReplacePathRegex, LeavesThePathWithoutAReplacement) {
  const test::Made made("replacePathRegex", {{"regex", "^/foo"}, {"replacement", " "}});
  auto x = test::get("/foo/bar");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/foo/bar");
  EXPECT_FALSE(x.request.fields.has("X-Replaced-Path"));
  ASSERT_EQ(made.making.notices.size(), 1u);
  EXPECT_TRUE(made.making.notices[0].what.starts_with("is empty, so the path stays as it is"));
}

TEST(ReplacePathRegex, RefusesAResultWithDotSegments) {
  const test::Made made("replacePathRegex", {{"regex", "^/api(.*)"}, {"replacement", "/$1"}});
  auto x = test::get("/api../admin");

  EXPECT_EQ(test::run(*made, x).head.status, 400);
}

TEST(ReplacePathRegex, RefusesAResultWithDoubledSlashes) {
  const test::Made made("replacePathRegex", {{"regex", "^/api(.*)"}, {"replacement", "/$1"}});
  auto x = test::get("/api/admin");

  EXPECT_EQ(test::run(*made, x).head.status, 400);
}

TEST(ReplacePathRegex, RefusesAResultThatGrowsWithoutBounds) {
  const std::string long_text(1000, 'x');
  const test::Made made("replacePathRegex", {{"regex", ""}, {"replacement", long_text}});
  const test::Made each("replacePathRegex", {{"regex", "x*"}, {"replacement", long_text}});
  auto x = test::get("/" + std::string(2000, 'a'));

  EXPECT_TRUE(made.error().starts_with("regex: must not be empty"));
  EXPECT_EQ(test::run(*each, x).head.status, 400);
}

}  // namespace
}  // namespace fairlead::middleware
