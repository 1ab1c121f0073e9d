#include "engine/base/utf8.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Utf8, KnowsTheLengthOfACharacter) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("\xc3\xa9x"), 2u);
  EXPECT_EQ(utf8_length("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80"), 4u);
}

TEST(Utf8, TakesNothingElseForACharacter) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("\xc3"), 0u);      // cut off
  EXPECT_EQ(utf8_length("\x80"), 0u);      // begins with a continuation
  EXPECT_EQ(utf8_length("\xc0\xaf"), 0u);  // a slash, overlong
  EXPECT_EQ(utf8_length("\xe0\x80\xaf"), 0u);
  EXPECT_EQ(utf8_length("\xed\xa0\x80"), 0u);      // half of a surrogate pair
  EXPECT_EQ(utf8_length("\xf4\x90\x80\x80"), 0u);  // beyond U+10FFFF
}

TEST(Utf8, ReplacesByteForByteAndCopiesNothingThatIsGood) {
  std::string scratch;
  const std::string_view good = "/caf\xc3\xa9";
  EXPECT_EQ(as_utf8(good, scratch).data(), good.data());
  EXPECT_EQ(as_utf8("a\xff\xc3(", scratch), "a\xef\xbf\xbd\xef\xbf\xbd(");
}

}  // namespace
}  // namespace fairlead
