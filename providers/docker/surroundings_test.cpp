#include "providers/docker/surroundings.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

TEST(Surroundings, FindTheDefaultGateway) {
  const char* routes =
      "Iface\tDestination\tGateway\tFlags\n"
      "eth0\t000011AC\t00000000\t0001\n"
      "eth0\t00000000\t010011AC\t0003\n";

  EXPECT_EQ(default_gateway(routes), "172.17.0.1");
  EXPECT_EQ(default_gateway("Iface\tDestination\n"), std::nullopt);
  EXPECT_EQ(default_gateway(""), std::nullopt);
}

TEST(Surroundings, LoopbackEnginesAreOnThisMachine) {
  Endpoint near, far;
  near.host = "127.0.0.1";
  far.host = "192.0.2.1";  // TEST-NET-1 (RFC 5737): nobody's address
  far.local = false;

  EXPECT_FALSE(look_around(near).remote);
  EXPECT_TRUE(look_around(far).remote);
  EXPECT_EQ(look_around(far).address, "192.0.2.1");
}

}  // namespace
}  // namespace fairlead::providers::docker
