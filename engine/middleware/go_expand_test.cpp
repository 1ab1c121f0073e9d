#include "engine/middleware/go_expand.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

std::string replaced(std::string_view pattern, std::string_view replacement, std::string_view text) {
  return *Replacement(*compile_pattern("regex", pattern), replacement).replace_all(text);
}

// Results as Go's regexp.ReplaceAllString gives them.
TEST(GoExpand, FillsInNumberedAndNamedGroups) {
  EXPECT_EQ(replaced("^/(a+)/(?P<rest>.*)$", "/$rest/${1}x$2", "/aa/b"), "/b/aaxb");
  EXPECT_EQ(replaced("^/(?<rest>.*)$", "/x/${rest}", "/b"), "/x/b");
}

TEST(GoExpand, TakesTheLongestName) {
  EXPECT_EQ(replaced("(a)", "$1x", "a"), "");
  EXPECT_EQ(replaced("(a)", "$1-x", "a"), "a-x");
}

TEST(GoExpand, LeavesADollarThatBeginsNothing) {
  EXPECT_EQ(replaced("a", "$$1 $ ${ ${} $-", "a"), "$1 $ ${ ${} $-");
}

TEST(GoExpand, MakesUnknownGroupsEmpty) {
  EXPECT_EQ(replaced("(a)", "[$2$name$01${99999999999}]", "a"), "[]");
}

TEST(GoExpand, ReplacesEveryMatchEmptyOnesToo) {
  EXPECT_EQ(replaced("a*", "-", "baac"), "-b-c-");
  EXPECT_EQ(replaced("", "-", "aé"), "-a-é-");
  EXPECT_EQ(replaced("b", "-", "abab"), "a-a-");
}

TEST(GoExpand, KeepsAnchorsAtTheBeginningOnly) { EXPECT_EQ(replaced("^a", "-", "aaa"), "-aa"); }

TEST(GoExpand, GivesUpOnResultsThatAreTooLong) {
  const Replacement replacement(*compile_pattern("regex", "."), std::string(1000, 'x'));

  EXPECT_FALSE(replacement.replace_all(std::string(1000, 'a')));
}

}  // namespace
}  // namespace fairlead::middleware
