#include "engine/middleware/content_type.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

test::StubService page(std::string_view type = {}) {
  return test::StubService([=](exchange::Exchange& x) {
    exchange::Response response(x.arena());
    if (!type.empty()) response.head.fields.add("Content-Type", type);
    response.body = http::text_body("<html>hello");
    return response;
  });
}

TEST(ContentType, GuessesWhatTheServerLeftOutAndKeepsTheBody) {
  const test::Made made("contentType", {{"", "true"}});
  auto x = test::get("/");

  const auto response = test::run(*made, x, page());

  EXPECT_EQ(response.head.fields.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.body->length(), 11u);
  EXPECT_EQ(test::text_of(response.body), "<html>hello");
}

TEST(ContentType, KeepsWhatTheServerSaid) {
  const test::Made made("contentType", {});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x, page("text/x")).head.fields.joined("Content-Type"), "text/x");
}

TEST(ContentType, DoesNothingWhenDetectionIsOff) {
  const test::Made made("contentType", {{"autodetect", "false"}});
  auto x = test::get("/");

  EXPECT_FALSE(test::run(*made, x, page()).head.fields.has("Content-Type"));
  EXPECT_EQ(made.making.notices.size(), 1u);
}

}  // namespace
}  // namespace fairlead::middleware
