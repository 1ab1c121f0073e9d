#include "engine/routing/client_address.h"

#include <gtest/gtest.h>

namespace fairlead::routing {
namespace {

ClientAddress client(std::string_view text) { return ClientAddress::parse(text).value(); }

bool holds(std::string_view network, std::string_view address) {
  return Network::parse(network).value().contains(client(address));
}

TEST(ClientAddress, IsTheSameForAnIpv4ClientOfADualStackSocket) {
  EXPECT_EQ(client("192.0.2.7").bytes, client("::ffff:192.0.2.7").bytes);
  EXPECT_EQ(text(client("::ffff:192.0.2.7")), "192.0.2.7");
}

TEST(ClientAddress, IsNothingElseThanAnAddress) {
  for (const char* text : {"", "192.0.2", "192.0.2.7:80", "[::1]", "fe80::1%eth0", "192.0.2.256", "host"})
    EXPECT_FALSE(ClientAddress::parse(text)) << text;
}

TEST(Network, HoldsTheAddressesOfItsBlock) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(holds("192.168.1.77/25", "192.168.1.3"));
  EXPECT_FALSE(holds("192.168.1.0/25", "192.168.1.128"));
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7", "192.0.2.8"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
}

TEST(Network, NeverMixesTheTwoFamilies) {
  EXPECT_FALSE(holds("::/0", "10.0.0.1"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
}

TEST(Network, HoldsNoUnknownClient) { EXPECT_FALSE(Network::parse("::/0")->contains(ClientAddress{})); }

TEST(Network, RefusesWhatIsNoBlock) {
  for (const char* text :
       {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::1/129", "/8", "10.0.0.0/8/8", "10.0.0.0/-1"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

}  // namespace
}  // namespace fairlead::routing
