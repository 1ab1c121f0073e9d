#include "engine/routing/regex.h"

#include <gtest/gtest.h>

namespace fairlead::routing {
namespace {

TEST(Regex, FindsItsMatchAnywhereUnlessAnchored) {
  EXPECT_TRUE(Regex::compile("b+").value()->matches("abbc"));
  EXPECT_FALSE(Regex::compile("^b+$").value()->matches("abbc"));
}

TEST(Regex, IsSharedByEqualPatterns) {
  const auto first = Regex::compile("^shared-[0-9]+$").value();

  EXPECT_EQ(first, Regex::compile("^shared-[0-9]+$").value());
  EXPECT_NE(first, Regex::compile("^shared-[0-8]+$").value());
}

TEST(Regex, KnowsBothSpellingsOfANamedGroup) {
  EXPECT_TRUE(Regex::compile("^(?<year>[0-9]{4})$").value()->matches("2024"));
  EXPECT_TRUE(Regex::compile("^(?P<year>[0-9]{4})$").value()->matches("2024"));
}

TEST(Regex, RewritesGroupNamesOnlyWhereTheyAreGroups) {
  EXPECT_EQ(with_re2_group_names("(?<n>a)(?<m>b)"), "(?P<n>a)(?P<m>b)");
  EXPECT_EQ(with_re2_group_names(R"(\(?<n>)"), R"(\(?<n>)");
  EXPECT_EQ(with_re2_group_names("[(?<n>]"), "[(?<n>]");
  EXPECT_EQ(with_re2_group_names("[](?<n>](?<n>x)"), "[](?<n>](?P<n>x)");
  EXPECT_EQ(with_re2_group_names("[^](?<n>]"), "[^](?<n>]");
  EXPECT_EQ(with_re2_group_names("[[:alpha:](?<n>]"), "[[:alpha:](?<n>]");
  EXPECT_EQ(with_re2_group_names(R"(\Q(?<n>\E(?<n>x))"), R"(\Q(?<n>\E(?P<n>x))");
  EXPECT_EQ(with_re2_group_names("(?<=a)b"), "(?<=a)b");
  EXPECT_EQ(with_re2_group_names("\\"), "\\");
}

TEST(Regex, SaysWhatIsWrongWithAPattern) {
  const auto broken = Regex::compile("a(b");

  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().find("missing )"), std::string::npos) << broken.error();
}

TEST(Regex, RefusesLookaroundAndWhatWouldCostTooMuch) {
  EXPECT_FALSE(Regex::compile("(?<=a)b"));
  EXPECT_FALSE(Regex::compile("(?!a)b"));
  EXPECT_FALSE(Regex::compile("((a{100}){100}){100}"));
  EXPECT_FALSE(Regex::compile(R"((\pL{500}\pN{500}){1,2}[^\x00-\x{10}]{1000})"));
  EXPECT_FALSE(Regex::compile(std::string(70'000, 'a')));
}

TEST(Regex, TakesCountedClassesOfUnicode) {
  const auto letters = Regex::compile(R"(^/\p{L}{1,255}$)");
  ASSERT_TRUE(letters) << letters.error();
  EXPECT_TRUE((*letters)->matches("/\xc3\xa9t\xc3\xa9"));
  EXPECT_FALSE((*letters)->matches("/7"));
}

TEST(Regex, TakesBytesThatAreNoTextForCharacters) {
  EXPECT_TRUE(Regex::compile("^/.*$").value()->matches("/\xff"));
  EXPECT_TRUE(Regex::compile("^/[^/]$").value()->matches("/\xc3"));
  EXPECT_TRUE(Regex::compile("^/..$").value()->matches("/\xc3("));
  EXPECT_FALSE(Regex::compile("^/[a-z]+$").value()->matches("/a\xff"));
  EXPECT_TRUE(Regex::compile("^/\xc3\xa9$").value()->matches("/\xc3\xa9"));
}

TEST(Regex, CountsTheBytesOfAMatchAtTheBegin) {
  const auto regex = Regex::compile("/[^/]+/").value();
  EXPECT_EQ(regex->leading_match("/ab/c"), 4u);
  EXPECT_EQ(regex->leading_match("/\xff\xfe/c"), 4u);
  EXPECT_EQ(regex->leading_match("/\xc3\xa9\xff/\xff"), 5u);
  EXPECT_EQ(regex->leading_match("x/ab/"), 0u);
  EXPECT_EQ(regex->leading_match("/ab"), 0u);
}

TEST(Regex, QuotesWhatMeansSomething) {
  EXPECT_TRUE(Regex::compile("^" + Regex::quote("a.b*[c]/d") + "$").value()->matches("a.b*[c]/d"));
}

}  // namespace
}  // namespace fairlead::routing
