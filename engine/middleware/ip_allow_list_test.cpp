#include "engine/middleware/ip_allow_list.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

TEST(IpAllowList, LetsListedAddressesPassAndRefusesOthers) {
  const test::Made made("ipAllowList", {{"sourceRange", "192.0.2.0/24, ::1"}});
  auto listed = test::get("/");
  auto other = test::get("/");
  other.from("198.51.100.1");

  EXPECT_EQ(test::run(*made, listed).head.status, 200);
  const auto refusal = test::run(*made, other);
  EXPECT_EQ(refusal.head.status, 403);
  EXPECT_EQ(test::text_of(refusal.body), "Forbidden");
}

TEST(IpAllowList, AnswersTheStatusThatIsAskedFor) {
  const test::Made made("ipAllowList", {{"sourceRange", "10.0.0.0/8"}, {"rejectStatusCode", "404"}});
  auto x = test::get("/");

  const exchange::Response refusal = test::run(*made, x);

  EXPECT_EQ(refusal.head.status, 404);
  EXPECT_EQ(test::text_of(refusal.body), "Not Found");
}

TEST(IpAllowList, RefusesASourceThatIsNoAddress) {
  const test::Made made("ipAllowList", {{"sourceRange", "0.0.0.0/0,::/0"}, {"ipStrategy.depth", "1"}});
  auto without = test::get("/");
  auto with_text = test::get("/");
  with_text.header("X-Forwarded-For", "unknown");
  auto with_address = test::get("/");
  with_address.header("X-Forwarded-For", "1.1.1.1");

  EXPECT_EQ(test::run(*made, without).head.status, 403);
  EXPECT_EQ(test::run(*made, with_text).head.status, 403);
  EXPECT_EQ(test::run(*made, with_address).head.status, 200);
}

TEST(IpAllowList, TakesAnEmptyStrategyForThePeer) {
  const test::Made made("ipAllowList", {{"sourceRange", "192.0.2.7"}, {"ipStrategy", "true"}});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
}

TEST(IpAllowList, IsBrokenByBadOptions) {
  EXPECT_EQ(test::Made("ipAllowList", {}).error(), "sourceRange: must not be empty");
  EXPECT_EQ(test::Made("ipAllowList", {{"sourceRange", "10.0.0.0/33"}}).error(),
            "sourceRange: \"10.0.0.0/33\" is no address and no range such as 10.0.0.0/8");
  EXPECT_EQ(test::Made("ipAllowList", {{"sourceRange", "::1"}, {"rejectStatusCode", "999"}}).error(),
            "rejectStatusCode: 999 is no HTTP status");
}

TEST(IpWhiteList, WorksAndSaysThatItsNameIsOld) {
  const test::Made made("ipWhiteList", {{"sourceRange", "192.0.2.7"}});
  auto x = test::get("/");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
  ASSERT_EQ(made.making.notices.size(), 1u);
  EXPECT_EQ(made.making.notices[0].suggestion, "ipAllowList");
  EXPECT_STREQ(find("ipwhitelist")->replaced_by, "ipAllowList");
}

}  // namespace
}  // namespace fairlead::middleware
