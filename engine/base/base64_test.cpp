#include "engine/base/base64.h"

#include <gtest/gtest.h>

#include <array>

namespace fairlead {
namespace {

TEST(Base64, PadsToGroupsOfFour) {  // RFC 4648 §10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
}

TEST(Base64, TakesBytesOfAnyValue) {
  EXPECT_EQ(base64(std::array<unsigned char, 3>{0xfb, 0xff, 0x00}), "+/8A");
}

TEST(Base64, AppendsBehindWhatIsThere) {
  std::string out = "Basic ";
  append_base64(out, "u:p");
  EXPECT_EQ(out, "Basic dTpw");
}

}  // namespace
}  // namespace fairlead
