#include "engine/upstream/server.h"

#include <gtest/gtest.h>

namespace fairlead::upstream {
namespace {

TEST(ServerAddress, TakesAUrlApart) {
  const auto address = ServerAddress::parse("http://10.0.0.2:8080/base/");
  ASSERT_TRUE(address);

  EXPECT_EQ(address->scheme, Scheme::Http);
  EXPECT_EQ(address->host, "10.0.0.2");
  EXPECT_EQ(address->port, 8080);
  EXPECT_EQ(address->path, "/base");
  EXPECT_EQ(address->host_port, "10.0.0.2:8080");
  EXPECT_TRUE(address->ip);
}

TEST(ServerAddress, KnowsDefaultPortsNamesAndIPv6) {
  EXPECT_EQ(ServerAddress::parse("https://app")->port, 443);
  EXPECT_EQ(ServerAddress::parse("h2c://app")->port, 80);
  EXPECT_FALSE(ServerAddress::parse("http://app")->ip);
  EXPECT_EQ(ServerAddress::parse("http://app")->host_port, "app");
  EXPECT_EQ(ServerAddress::parse("http://[::1]:90")->host, "::1");
  EXPECT_EQ(ServerAddress::parse("http://[::1]:90")->host_port, "[::1]:90");
}

TEST(ServerAddress, RefusesWhatCannotBeDialled) {
  for (const char* url :
       {"", "app:80", "ftp://app", "http://", "http://:80", "http://app:0", "http://app:65536",
        "http://app:8o", "http://user@app", "http://[::1", "http://[app]", "http://a b", "http://app:"})
    EXPECT_FALSE(ServerAddress::parse(url)) << url;
}

TEST(ServerAddress, SaysWhatToDoAboutAUserNameAndShowsNoPassword) {
  const auto address = ServerAddress::parse("http://jo:s3cret@app:80/");

  ASSERT_FALSE(address);
  EXPECT_NE(address.error().what.find("customRequestHeaders.Authorization"), std::string::npos);
  EXPECT_NE(address.error().what.find("\"http://xxxx@app:80/\""), std::string::npos) << address.error().what;
}

}  // namespace
}  // namespace fairlead::upstream
