#include "providers/normalize.h"

#include <gtest/gtest.h>

namespace fairlead::providers {
namespace {

TEST(Normalize, JoinsLettersAndDigitsWithSingleDashes) {
  EXPECT_EQ(normalize("/my_app..web-1/"), "my-app-web-1");
  EXPECT_EQ(normalize("web_shop"), "web-shop");
  EXPECT_EQ(normalize("Plain"), "Plain");
  EXPECT_EQ(normalize("___"), "");
  EXPECT_EQ(normalize(""), "");
}

TEST(Normalize, KeepsLettersAndDigitsOfEveryScript) {
  EXPECT_EQ(normalize("müsli_größe"), "müsli-größe");
  EXPECT_EQ(normalize("сайт.日本"), "сайт-日本");
  EXPECT_EQ(normalize("a²_b"), "a²-b") << "other numbers count as digits, as in Go's unicode.IsNumber";
}

}  // namespace
}  // namespace fairlead::providers
