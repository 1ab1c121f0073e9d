#include "engine/telemetry/wire.h"

#include <gtest/gtest.h>

namespace fairlead::telemetry {
namespace {

std::string clean(std::string_view text) {
  std::string scratch;
  return std::string(clean_text(text, scratch));
}

TEST(CleanText, LeavesUtf8AsItIs) {
  for (const std::string_view text :
       {"", "plain", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xed\x9f\xbf\xee\x80\x80"})
    EXPECT_EQ(clean(text), text);
}

// One such byte would make a collector refuse every record of the request.
TEST(CleanText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(clean("a\xff"
                  "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(clean("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "too long a spelling of '/'";
  EXPECT_EQ(clean("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "half of a surrogate pair";
  EXPECT_EQ(clean("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd") << "cut off";
  EXPECT_EQ(clean("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")
      << "above U+10FFFF";
}

TEST(CleanText, IsCutBetweenCharacters) {
  const std::string long_one = std::string(kMaxText - 1, 'a') + "\xc3\xa4" + "b";

  EXPECT_EQ(clean(long_one), std::string(kMaxText - 1, 'a') + "\xc3\xa4");
  EXPECT_EQ(clean(std::string(kMaxText, 'a')).size(), kMaxText);
  EXPECT_EQ(clean(std::string(10 * kMaxText, 'a')).size(), kMaxText);
}

TEST(ResourceAttributes, AreReadFromTheEnvironmentsForm) {
  EXPECT_EQ(read_resource_attributes("team=edge, region=eu%2Cwest,broken,=x,bad=%zz"),
            (std::map<std::string, std::string>{{"team", "edge"}, {"region", "eu,west"}}));
}

}  // namespace
}  // namespace fairlead::telemetry
