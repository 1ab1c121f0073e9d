#include "engine/schema/file.h"
#include "engine/tcp/registry.h"

#include <gtest/gtest.h>

namespace fairlead::tcp {
namespace {

class TcpMiddlewareTest : public ::testing::Test {
 protected:
  Configured<MiddlewarePtr> make(const char* type, const std::string& yaml) {
    auto node = schema::read_yaml(yaml, "test.yml");
    EXPECT_TRUE(node) << (node ? "" : node.error().what);
    Making making{.name = "m@file", .carry_over = carry_over_};
    auto made = find(type)->make(*node, making);
    notices_ = making.notices.size();
    return made;
  }
  static bool passes(const Middleware& middleware, std::string_view client, Holds& holds,
                     std::string_view router = "db@file") {
    return middleware.admit(router, {*net::Ip::parse(client), 1}, holds).has_value();
  }

  exchange::CarryOver carry_over_;
  std::size_t notices_ = 0;
  Holds holds_;
};

TEST_F(TcpMiddlewareTest, OnlyAddressesInTheRangePass) {
  const auto list = make("ipAllowList", "sourceRange: [10.0.0.0/8, \"2001:db8::/32\"]");
  ASSERT_TRUE(list);

  EXPECT_TRUE(passes(**list, "10.1.2.3", holds_));
  EXPECT_TRUE(passes(**list, "::ffff:10.1.2.3", holds_)) << "the same address";
  EXPECT_TRUE(passes(**list, "2001:db8::1", holds_));
  EXPECT_FALSE(passes(**list, "11.0.0.1", holds_));
}

TEST_F(TcpMiddlewareTest, ARangeMustBeGivenAndBeOne) {
  EXPECT_EQ(make("ipAllowList", "sourceRange: []").error().path, "sourceRange");
  EXPECT_FALSE(make("ipAllowList", "sourceRange: [10.0.0.0/33]"));
  EXPECT_FALSE(make("ipAllowList", "sourceRanges: [10.0.0.0/8]")) << "a misspelt guard must not open a door";
}

TEST_F(TcpMiddlewareTest, TheOldNameWorksWithANotice) {
  const auto list = make("ipWhiteList", "sourceRange: [10.0.0.0/8]");

  ASSERT_TRUE(list);
  EXPECT_EQ(notices_, 1u);
  EXPECT_FALSE(passes(**list, "11.0.0.1", holds_));
}

TEST_F(TcpMiddlewareTest, CountsConnectionsOfOneAddress) {
  const auto limit = make("inFlightConn", "amount: 2");
  ASSERT_TRUE(limit);

  EXPECT_TRUE(passes(**limit, "10.0.0.1", holds_));
  EXPECT_TRUE(passes(**limit, "10.0.0.1", holds_));
  EXPECT_FALSE(passes(**limit, "10.0.0.1", holds_));
  EXPECT_TRUE(passes(**limit, "10.0.0.2", holds_));
  holds_.clear();
  EXPECT_TRUE(passes(**limit, "10.0.0.1", holds_)) << "a closed connection gives its place back";
}

TEST_F(TcpMiddlewareTest, CountsConnectionsOfEachRouterByThemselves) {
  const auto limit = make("inFlightConn", "amount: 1");

  EXPECT_TRUE(passes(**limit, "10.0.0.1", holds_, "db@file"));
  EXPECT_TRUE(passes(**limit, "10.0.0.1", holds_, "mail@file"));
  EXPECT_FALSE(passes(**limit, "10.0.0.1", holds_, "db@file"));
}

TEST_F(TcpMiddlewareTest, AnEqualDefinitionKeepsItsCount) {
  const auto before = make("inFlightConn", "amount: 1");
  ASSERT_TRUE(passes(**before, "10.0.0.1", holds_));
  const auto after = make("inFlightConn", "amount: 1");
  const auto changed = make("inFlightConn", "amount: 3");

  EXPECT_FALSE(passes(**after, "10.0.0.1", holds_));
  EXPECT_TRUE(passes(**changed, "10.0.0.1", holds_));
}

TEST_F(TcpMiddlewareTest, NoneAtAllPassAnAmountOfZero) {
  const auto limit = make("inFlightConn", "{}");

  EXPECT_FALSE(passes(**limit, "10.0.0.1", holds_));
}

}  // namespace
}  // namespace fairlead::tcp
