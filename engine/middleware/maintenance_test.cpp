#include "engine/middleware/maintenance.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(Maintenance, AnswersEverybodyWith503AndRetryAfter) {
  const test::Made made("maintenance", {{"", "true"}});
  auto x = test::get("/");
  const test::StubService service;

  const auto response = test::run(*made, x, service);

  EXPECT_EQ(response.head.status, 503);
  EXPECT_EQ(response.head.fields.joined("Retry-After"), "300");
  EXPECT_EQ(test::text_of(response.body), "Down for maintenance. Please try again later.");
  EXPECT_EQ(service.calls, 0);
}

TEST(Maintenance, LetsListedAddressesThrough) {
  const test::Made made("maintenance", {{"sourceRange", "192.0.2.7"}});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
}

TEST(Maintenance, ShowsItsMessageEscapedInPages) {
  const test::Made made("maintenance", {{"message", "Back at <noon>"}, {"retryAfter", "1500ms"}});
  auto x = test::get("/");
  x.header("Accept", "text/html");

  const auto response = test::run(*made, x);

  EXPECT_NE(test::text_of(response.body).find("Back at &lt;noon&gt;"), std::string::npos);
  EXPECT_EQ(response.head.fields.get("Retry-After"), "2");
}

TEST(Maintenance, CanBeSwitchedOffWithoutBeingRemoved) {
  const test::Made made("maintenance", {{"enabled", "false"}});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
}

}  // namespace
}  // namespace fairlead::middleware
