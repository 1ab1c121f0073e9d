#include "engine/upstream/sticky.h"

#include <gtest/gtest.h>

namespace fairlead::upstream {
namespace {

class StickyTest : public ::testing::Test {
 protected:
  Sticky::Hit find(std::string_view cookie) {
    http::Fields request(arena_);
    request.add("Cookie", cookie);
    return sticky_.find(request);
  }
  Arena arena_;
  Sticky sticky_{"shop@docker", {.name = "srv", .path = "/"}, {"http://10.0.0.1:80", "http://10.0.0.2:80"}};
};

TEST_F(StickyTest, FindsTheServerOfItsOwnCookie) {
  http::Fields response(arena_);
  sticky_.set(response, 1);
  const std::string_view line = response.get("Set-Cookie");
  EXPECT_TRUE(line.ends_with("; Path=/")) << line;

  const Sticky::Hit hit = find(line.substr(0, line.find(';')));

  EXPECT_EQ(hit.target, 1);
  EXPECT_FALSE(hit.legacy);
}

TEST_F(StickyTest, TheValueIsTheFirstSixteenDigitsOfTheUrlsSha256) {
  // printf %s http://10.0.0.1:80 | sha256sum | head -c 16
  EXPECT_EQ(Sticky::value_of("http://10.0.0.1:80").size(), 16u);
  EXPECT_EQ(Sticky::value_of("abc"), "ba7816bf8f01cfea");
}

TEST_F(StickyTest, AcceptsTheRawUrlAsALegacyValue) {
  const Sticky::Hit hit = find("other=1; srv=http://10.0.0.2:80");

  EXPECT_EQ(hit.target, 1);
  EXPECT_TRUE(hit.legacy);
}

TEST_F(StickyTest, ATargetWithoutANameIsKeptByNoCookie) {
  sticky_ = Sticky("shop@docker", {.name = "srv", .path = "/"}, {"", "http://10.0.0.2:80"});

  EXPECT_EQ(find("srv=" + Sticky::value_of("")).target, -1);
  EXPECT_EQ(find("srv=").target, -1);
  EXPECT_EQ(find("srv=" + Sticky::value_of("http://10.0.0.2:80")).target, 1);
}

TEST_F(StickyTest, KnowsNoServerForAnUnknownValue) {
  EXPECT_EQ(find("srv=0123456789abcdef").target, -1);
  EXPECT_EQ(find("srv2=x").target, -1);
}

TEST(Sticky, DerivesItsNameFromTheService) {
  const std::string name = Sticky::default_name("shop@docker");

  EXPECT_EQ(name.size(), 6u);
  EXPECT_EQ(name[0], '_');
  EXPECT_NE(name, Sticky::default_name("shop@file"));
}

}  // namespace
}  // namespace fairlead::upstream
