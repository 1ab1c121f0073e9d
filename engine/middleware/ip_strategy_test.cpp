#include "engine/middleware/ip_strategy.h"

#include "engine/exchange/test_exchange.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

std::string found(const IpStrategyOptions& options, std::string_view forwarded,
                  std::string_view peer = "192.0.2.7") {
  auto x = test::get("/");
  x.from(peer);
  if (!forwarded.empty()) x.header("X-Forwarded-For", forwarded);
  return std::string(IpStrategy::make(options, "ipStrategy")->text(x));
}

TEST(IpStrategy, TakesThePeerByDefault) { EXPECT_EQ(found({}, "10.0.0.1"), "192.0.2.7"); }

TEST(IpStrategy, CountsDepthFromTheRight) {
  EXPECT_EQ(found({.depth = 1}, "1.1.1.1, 2.2.2.2 ,3.3.3.3"), "3.3.3.3");
  EXPECT_EQ(found({.depth = 3}, "1.1.1.1, 2.2.2.2 ,3.3.3.3"), "1.1.1.1");
  EXPECT_EQ(found({.depth = 4}, "1.1.1.1, 2.2.2.2 ,3.3.3.3"), "");
  EXPECT_EQ(found({.depth = 1}, ""), "");
}

TEST(IpStrategy, FindsTheAddressBesideAPortOrAZone) {
  const auto address = [](std::string_view entry) {
    auto x = test::get("/");
    x.from("192.0.2.7");
    x.header("X-Forwarded-For", entry);
    const auto ip = IpStrategy::make({.depth = 1}, "ipStrategy")->ip(x);
    return ip ? ip->text() : "none";
  };
  EXPECT_EQ(address("10.0.0.1:80"), "10.0.0.1");
  EXPECT_EQ(address("[2001:db8::5]:80"), "2001:db8::5");
  EXPECT_EQ(address("[2001:db8::5]"), "2001:db8::5");
  EXPECT_EQ(address("2001:db8::5"), "2001:db8::5");
  EXPECT_EQ(address("fe80::1%eth0"), "fe80::1");
  EXPECT_EQ(address("["), "none");
  EXPECT_EQ(address("unknown:80"), "none");
}

TEST(IpStrategy, TakesTheRightmostAddressThatIsNotExcluded) {
  const IpStrategyOptions options{.excluded_ips = {"10.0.0.0/8", "3.3.3.3"}};

  EXPECT_EQ(found(options, "1.1.1.1, 2.2.2.2, 10.1.2.3, 3.3.3.3"), "2.2.2.2");
  EXPECT_EQ(found(options, "10.1.2.3"), "");
}

TEST(IpStrategy, PrefersDepthToExcludedAddresses) {
  EXPECT_EQ(found({.depth = 1, .excluded_ips = {"3.3.3.3"}}, "2.2.2.2, 3.3.3.3"), "3.3.3.3");
}

TEST(IpStrategy, ReadsSeveralFieldLinesAsOneList) {
  auto x = test::get("/");
  x.header("X-Forwarded-For", "1.1.1.1").header("X-Forwarded-For", "2.2.2.2");

  EXPECT_EQ(IpStrategy::make({.depth = 1}, "")->text(x), "2.2.2.2");
}

TEST(IpStrategy, MasksIpv6AddressesToASubnet) {
  EXPECT_EQ(found({.ipv6_subnet = 64}, "", "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  EXPECT_EQ(found({.depth = 1, .ipv6_subnet = 48}, "2001:db8:1:2::1"), "2001:db8:1::");
  EXPECT_EQ(found({.ipv6_subnet = 64}, "", "192.0.2.7"), "192.0.2.7");
}

TEST(IpStrategy, NamesTheOptionThatIsWrong) {
  EXPECT_EQ(IpStrategy::make({.ipv6_subnet = 129}, "ipStrategy").error().path, "ipStrategy.ipv6Subnet");
  EXPECT_EQ(IpStrategy::make({.excluded_ips = {"x"}}, "ipStrategy").error().path, "ipStrategy.excludedIPs");
}

TEST(IpSet, NeverFindsAnIpv4AddressInAnIpv6Range) {
  const auto set = IpSet::make("sourceRange", {"::/0"});

  EXPECT_FALSE(set->contains(*net::Ip::parse("192.0.2.7")));
  EXPECT_TRUE(set->contains(*net::Ip::parse("2001:db8::1")));
}

TEST(IpSet, SeesAMappedAddressAsTheIpv4AddressItIs) {
  const auto set = IpSet::make("sourceRange", {"10.0.0.0/8"});

  EXPECT_TRUE(set->contains(*net::Ip::parse("::ffff:10.1.2.3")));
}

}  // namespace
}  // namespace fairlead::middleware
