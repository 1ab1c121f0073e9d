#include "engine/middleware/request_id.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(RequestId, GivesServerAndClientTheSameFreshIdentifier) {
  const test::Made made("requestId", {{"", ""}});
  auto x = test::get("/");
  x.header("X-Request-Id", "theirs");

  const auto response = test::run(*made, x);

  const std::string_view id = x.request.fields.joined("X-Request-Id");
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(response.head.fields.get("X-Request-Id"), id);
}

TEST(RequestId, KeepsAHarmlessOneWhenTrusted) {
  const test::Made made("requestId", {{"trust", "true"}, {"header", "X-Trace"}, {"response", "false"}});
  auto good = test::get("/");
  good.header("X-Trace", "abc-123");
  auto bad = test::get("/");
  bad.header("X-Trace", "<script>");

  const auto response = test::run(*made, good);
  test::run(*made, bad);

  EXPECT_EQ(good.request.fields.get("X-Trace"), "abc-123");
  EXPECT_FALSE(response.head.fields.has("X-Trace"));
  EXPECT_EQ(bad.request.fields.get("X-Trace").size(), 32u);
}

}  // namespace
}  // namespace fairlead::middleware
