#include "engine/middleware/add_prefix.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(AddPrefix, PutsThePrefixBeforeThePathAndKeepsTheQuery) {
  const test::Made made("addPrefix", {{"prefix", "/api"}});
  auto x = test::get("/cart?id=7");

  EXPECT_EQ(test::run(*made, x).head.status, 200);

  EXPECT_EQ(x.request.path, "/api/cart");
  EXPECT_EQ(x.request.query, "id=7");
}

TEST(AddPrefix, AddsTheLeadingSlashThatWasForgotten) {
  const test::Made made("addPrefix", {{"prefix", "api"}});
  auto x = test::get("/cart");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/api/cart");
}

TEST(AddPrefix, KeepsEscapesOfThePathAndEscapesThePrefix) {
  const test::Made made("addPrefix", {{"prefix", "/my api"}});
  auto x = test::get("/a%2Fb");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "/my%20api/a%2Fb");
}

TEST(AddPrefix, LeavesTheServerWideOptionsRequestAlone) {
  const test::Made made("addPrefix", {{"prefix", "/api"}});
  auto x = test::request("OPTIONS", "*");

  test::run(*made, x);

  EXPECT_EQ(x.request.path, "*");
}

TEST(AddPrefix, IsBrokenWithoutAPrefixOrWithDotSegments) {
  EXPECT_EQ(test::Made("addPrefix", {}).error(), "prefix: must not be empty");
  EXPECT_EQ(test::Made("addPrefix", {{"prefix", "/../x"}}).error(), "prefix: \"/../x\" is no clean path");
}

}  // namespace
}  // namespace fairlead::middleware
