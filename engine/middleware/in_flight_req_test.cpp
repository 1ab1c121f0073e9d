#include "engine/middleware/in_flight_req.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(InFlightReq, RefusesOneMoreUntilABodyHasEnded) {
  const test::Made made("inFlightReq", {{"amount", "1"}});
  auto first = test::get("/");
  auto second = test::get("/");
  auto third = test::get("/");

  const auto running = test::run(*made, first);

  EXPECT_EQ(test::run(*made, second).head.status, 429);
  EXPECT_EQ(test::text_of(running.body), "ok");
  EXPECT_EQ(test::run(*made, third).head.status, 200);
}

TEST(InFlightReq, CountsARequestNoLongerWhenItsBodyIsDropped) {
  const test::Made made("inFlightReq", {{"amount", "1"}});
  auto first = test::get("/");
  auto second = test::get("/");

  {
    const auto dropped = test::run(*made, first);
  }

  EXPECT_EQ(test::run(*made, second).head.status, 200);
}

TEST(InFlightReq, CountsEachSourceByItself) {
  const test::Made made("inFlightReq", {{"amount", "1"}, {"sourceCriterion.requestHeaderName", "X-Tenant"}});
  auto blue = test::get("/");
  blue.header("X-Tenant", "blue");
  auto red = test::get("/");
  red.header("X-Tenant", "red");

  const auto first = test::run(*made, blue);
  const auto second = test::run(*made, red);

  EXPECT_EQ(second.head.status, 200);
}

TEST(InFlightReq, CountsEachRouterByItself) {
  const test::Made made("inFlightReq", {{"amount", "1"}});
  auto first = test::get("/");
  first.router_name = "shop@docker";
  auto second = test::get("/");
  second.router_name = "blog@docker";

  const auto running = test::run(*made, first);

  EXPECT_EQ(test::run(*made, second).head.status, 200);
}

TEST(InFlightReq, LetsNothingPassWithAmountZero) {
  const test::Made made("inFlightReq", {});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x).head.status, 429);
}

TEST(InFlightReq, KeepsItsCountsWhenTheConfigurationChangesElsewhere) {
  test::Made before("inFlightReq", {{"amount", "1"}});
  auto first = test::get("/");
  const auto running = test::run(*before, first);

  const auto after = find("inFlightReq")->make(test::options({{"amount", "1"}}), before.making);
  auto second = test::get("/");

  EXPECT_EQ(test::run(**after, second).head.status, 429);
}

}  // namespace
}  // namespace fairlead::middleware
