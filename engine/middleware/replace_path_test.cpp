#include "engine/middleware/replace_path.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(ReplacePath, ReplacesThePathKeepsTheQueryAndTellsTheOldPath) {
  const test::Made made("replacePath", {{"path", "/new%2Fone"}});
  auto x = test::get("/old?q=1");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/new%2Fone");
  EXPECT_EQ(x.request.query, "q=1");
  EXPECT_EQ(x.request.fields.get("X-Replaced-Path"), "/old");
}

TEST(ReplacePath, EscapesAQuestionMark) {
  const test::Made made("replacePath", {{"path", "/a?b"}});
  auto x = test::get("/old");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/a%3Fb");
}

TEST(ReplacePath, IsBrokenWithoutAPath) {
  EXPECT_EQ(test::Made("replacePath", {}).error(), "path: must not be empty");
}

}  // namespace
}  // namespace fairlead::middleware
