#include "engine/net/address.h"

#include <gtest/gtest.h>

namespace fairlead::net {
namespace {

TEST(Ip, IPv4MappedIPv6IsTheSameAddress) {
  EXPECT_EQ(Ip::parse("::ffff:10.0.0.1"), Ip::parse("10.0.0.1"));
  EXPECT_EQ(Ip::parse("::ffff:10.0.0.1")->text(), "10.0.0.1");
}

TEST(Ip, RefusesWhatIsNoPlainAddress) {
  for (const char* text :
       {"", "10.0.0", "10.0.0.256", "[::1]", "fe80::1%eth0", "10.0.0.1:80", "example.com", " 10.0.0.1"})
    EXPECT_FALSE(Ip::parse(text)) << text;
}

TEST(Cidr, ContainsExactlyItsRange) {
  const auto range = Cidr::parse("10.1.0.0/15");
  ASSERT_TRUE(range);

  EXPECT_TRUE(range->contains(*Ip::parse("10.1.255.255")));
  EXPECT_TRUE(range->contains(*Ip::parse("10.0.0.0")));
  EXPECT_TRUE(range->contains(*Ip::parse("::ffff:10.1.2.3")));
  EXPECT_FALSE(range->contains(*Ip::parse("10.2.0.0")));
  EXPECT_FALSE(range->contains(*Ip::parse("::1")));
}

TEST(Cidr, KnowsSingleAddressesAndIPv6) {
  EXPECT_TRUE(Cidr::parse("192.168.1.7")->contains(*Ip::parse("192.168.1.7")));
  EXPECT_FALSE(Cidr::parse("192.168.1.7")->contains(*Ip::parse("192.168.1.8")));
  EXPECT_TRUE(Cidr::parse("2001:db8::/33")->contains(*Ip::parse("2001:db8:7fff::1")));
  EXPECT_FALSE(Cidr::parse("2001:db8::/33")->contains(*Ip::parse("2001:db8:8000::1")));
  for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "/8"})
    EXPECT_FALSE(Cidr::parse(text)) << text;
}

TEST(Cidr, AnIPv6RangeContainsNoIPv4Address) {
  for (const char* range : {"::/0", "::/95", "::ffff:0:0/95", "::/64"}) {
    EXPECT_FALSE(Cidr::parse(range)->contains(*Ip::parse("10.0.0.1"))) << range;
    EXPECT_FALSE(Cidr::parse(range)->contains(*Ip::parse("::ffff:10.0.0.1"))) << range;
  }
  EXPECT_TRUE(Cidr::parse("::/0")->contains(*Ip::parse("2001:db8::1")));
  EXPECT_TRUE(Cidr::parse("::ffff:0:0/96")->contains(*Ip::parse("10.0.0.1")));
  EXPECT_TRUE(Cidr::parse("::ffff:10.0.0.0/104")->contains(*Ip::parse("10.9.9.9")));
  EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains(*Ip::parse("10.0.0.1")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(*Ip::parse("::1")));
}

TEST(Address, SurvivesTheKernelsForm) {
  for (const char* text : {"127.0.0.1", "2001:db8::7"}) {
    const Address address{*Ip::parse(text), 8080};
    sockaddr_storage raw;
    address.to(raw);

    EXPECT_EQ(Address::from(raw), address);
  }
  EXPECT_EQ((Address{*Ip::parse("::1"), 80}.text()), "[::1]:80");
}

}  // namespace
}  // namespace fairlead::net
