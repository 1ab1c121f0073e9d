#include "engine/middleware/encoded_characters.h"

#include "engine/exchange/test_exchange.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>

namespace fairlead::middleware {
namespace {

struct Row {
  const char* escape;
  const char* option;
};
constexpr Row kRows[] = {{"%2F", "allowEncodedSlash"},         {"%5C", "allowEncodedBackSlash"},
                         {"%00", "allowEncodedNullCharacter"}, {"%3B", "allowEncodedSemicolon"},
                         {"%25", "allowEncodedPercent"},       {"%3F", "allowEncodedQuestionMark"},
                         {"%23", "allowEncodedHash"}};

TEST(EncodedCharacters, RefusesEachListedEscapeUnlessItIsAllowed) {
  for (const Row& row : kRows) {
    const test::Made closed("encodedCharacters", {});
    const test::Made open("encodedCharacters", {{row.option, "true"}});
    auto first = test::get(std::string("/a") + row.escape);
    auto second = test::get(std::string("/a") + row.escape);

    EXPECT_EQ(test::run(*closed, first).head.status, 400) << row.escape;
    EXPECT_EQ(test::run(*open, second).head.status, 200) << row.escape;
  }
}

TEST(EncodedCharacters, PassesOtherEscapes) {
  const test::Made made("encodedCharacters", {});
  auto x = test::get("/a%20b");

  EXPECT_EQ(test::run(*made, x).head.status, 200);
}

}  // namespace
}  // namespace fairlead::middleware
