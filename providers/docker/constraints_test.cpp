#include "providers/docker/constraints.h"

#include <gtest/gtest.h>

namespace fairlead::providers::docker {
namespace {

const Labels kLabels{{"tier", "front"}, {"env", "prod-eu"}, {"quoted", "a\"b"}};

bool allowed(std::string_view text) {
  const auto made = Constraints::parse(text);
  EXPECT_TRUE(made) << text << ": " << (made ? "" : made.error());
  return made && made->allow(kLabels);
}

std::string error_of(std::string_view text) {
  const auto made = Constraints::parse(text);
  return made ? "" : made.error();
}

TEST(Constraints, AreTrueWhenEmpty) {
  EXPECT_TRUE(allowed(""));
  EXPECT_TRUE(allowed("  "));
  EXPECT_TRUE(Constraints().allow(kLabels));
}

TEST(Constraints, CompareLabelsExactly) {
  EXPECT_TRUE(allowed("Label(`tier`, `front`)"));
  EXPECT_FALSE(allowed("Label(`tier`, `Front`)"));
  EXPECT_TRUE(allowed(R"(Label("quoted", "a\"b"))"));
  EXPECT_TRUE(allowed("Label(`absent`, ``)")) << "an absent label counts as empty";
}

TEST(Constraints, MatchRegularExpressionsAnywhere) {
  EXPECT_TRUE(allowed("LabelRegex(`env`, `prod`)"));
  EXPECT_FALSE(allowed("LabelRegex(`env`, `^eu`)"));
  EXPECT_FALSE(allowed("LabelRegex(`env`, `(`)")) << "an invalid expression never matches";
  EXPECT_EQ(Constraints::parse("Label(`a`,``) || LabelRegex(`env`, `(`)")->complaints(),
            std::vector<std::string>{"LabelRegex(\"env\", \"(\") never matches: missing ): ("});
}

TEST(Constraints, FollowTheUsualPrecedence) {
  EXPECT_TRUE(allowed("Label(`tier`,`x`) && Label(`tier`,`y`) || Label(`tier`,`front`)"));
  EXPECT_FALSE(allowed("Label(`tier`,`x`) && (Label(`tier`,`y`) || Label(`tier`,`front`))"));
  EXPECT_TRUE(allowed("!Label(`tier`,`x`) && !!Label(`tier`,`front`)"));
}

TEST(Constraints, SayWhatWasExpected) {
  EXPECT_EQ(error_of("Tag(`a`,`b`)"), "expected Label or LabelRegex at byte 0, got \"Tag(`a`,`b`)\"");
  EXPECT_EQ(error_of("Label(`a`)"), "expected \",\" at byte 9, got \")\"");
  EXPECT_EQ(error_of("Label(`a`,`b`) &&"), "expected Label or LabelRegex at byte 17, got the end");
  EXPECT_EQ(error_of("Label(`a`,`b`) Label(`a`,`b`)"),
            "expected an operator at byte 15, got \"Label(`a`,`b`)\"");
  EXPECT_FALSE(error_of(std::string(10000, '!')).empty());
  EXPECT_FALSE(error_of(std::string(10000, '(')).empty());
}

}  // namespace
}  // namespace fairlead::providers::docker
