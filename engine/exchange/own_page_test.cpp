#include "engine/exchange/own_page.h"

#include <gtest/gtest.h>

namespace fairlead::exchange {
namespace {

TEST(PreferredForm, TakesTheHighestWeightAndTheFirstOfEquals) {
  EXPECT_EQ(preferred_form(""), OwnForm::Text);
  EXPECT_EQ(preferred_form("*/*"), OwnForm::Text);
  EXPECT_EQ(preferred_form("text/html"), OwnForm::Html);
  EXPECT_EQ(preferred_form("application/json, text/html;q=0.9"), OwnForm::Json);
  EXPECT_EQ(preferred_form("application/json;q=0.1, TEXT/HTML;q=0.2"), OwnForm::Html);
  EXPECT_EQ(preferred_form("application/problem+json, text/html"), OwnForm::Json);
  EXPECT_EQ(preferred_form("text/html;q=0"), OwnForm::Text);
  EXPECT_EQ(preferred_form("text/plain, text/html;q=0.5"), OwnForm::Text);
}

TEST(PreferredForm, ReadsALongListOnlyInPart) {
  std::string accept;
  for (int i = 0; i < 100'000; ++i) accept += "a/b,";

  EXPECT_EQ(preferred_form(accept + "text/html"), OwnForm::Text);
}

}  // namespace
}  // namespace fairlead::exchange
