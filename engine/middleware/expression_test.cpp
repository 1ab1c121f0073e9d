#include "engine/middleware/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace fairlead::middleware {
namespace {

using Type = Expression::Type;
using testing::HasSubstr;

constexpr std::array kFunctions = {
    Expression::Function{"Ratio", Type::Real, 0},    Expression::Function{"Codes", Type::Real, 4},
    Expression::Function{"Count", Type::Integer, 0}, Expression::Function{"Method", Type::Text, 0},
    Expression::Function{"Failed", Type::Truth, 0},
};

struct Fixed final : Expression::Values {
  bool truth(std::size_t) const override { return true; }
  std::int64_t integer(std::size_t, std::span<const double>) const override { return 3; }
  double real(std::size_t function, std::span<const double> arguments) const override {
    return function == 0 ? 0.5 : arguments[0] / arguments[3];
  }
  std::string_view text(std::size_t) const override { return "GET"; }
};

bool holds(std::string_view text) {
  const auto parsed = Expression::parse(text, kFunctions);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().what);
  return parsed && parsed->holds(Fixed());
}
std::string error(std::string_view text) {
  const auto parsed = Expression::parse(text, kFunctions);
  return parsed ? "" : parsed.error().what;
}

TEST(Expression, ComparesFunctionsWithLiterals) {
  EXPECT_TRUE(holds("Ratio() == 0.5"));
  EXPECT_TRUE(holds("Ratio() >= 0.50 && Ratio() <= .5"));
  EXPECT_TRUE(holds("Ratio() == 5e-1 && Ratio() < 1E2"));
  EXPECT_FALSE(holds("Ratio() > 0.5"));
  EXPECT_TRUE(holds("Codes(500, 600, 0, 1000) < 0.51"));
  EXPECT_TRUE(holds("Count() != 2"));
  EXPECT_TRUE(holds("Method() == \"GET\""));
  EXPECT_TRUE(holds("Method() != `POST`"));
  EXPECT_TRUE(holds("Failed()"));
}

TEST(Expression, AndBindsTighterThanOrAndNotTightest) {
  EXPECT_TRUE(holds("Failed() || Failed() && Count() == 0"));
  EXPECT_FALSE(holds("(Failed() || Failed()) && Count() == 0"));
  EXPECT_TRUE(holds("!Failed() || Count() == 3"));
  EXPECT_FALSE(holds("!(Failed() || Count() == 3)"));
  EXPECT_TRUE(holds("!!Failed()"));
}

TEST(Expression, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(error("Ratio() > 1"), HasSubstr("decimal point"));
  EXPECT_THAT(error("Count() > 1.5"), HasSubstr("integer"));
  EXPECT_THAT(error("Method() == GET"), HasSubstr("double quotes"));
  EXPECT_THAT(error("Failed() == 1"), HasSubstr("true or false"));
  EXPECT_THAT(error("Rate() > 1"), HasSubstr("no function `Rate` at byte 1"));
  EXPECT_THAT(error("Codes(1, 2) > 0.5"), HasSubstr("takes 4 arguments"));
  EXPECT_THAT(error("Count() > 1 )"), HasSubstr("unexpected `)`"));
  EXPECT_THAT(error("(Count() > 1"), HasSubstr("`)` expected"));
  EXPECT_THAT(error("Count()"), HasSubstr("must be compared"));
  EXPECT_THAT(error(""), HasSubstr("a function expected"));
  EXPECT_THAT(error("Ratio() > nan"), HasSubstr("decimal point"));
  EXPECT_THAT(error(std::string(1000, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error(std::string(1000, '!')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error(std::string(5000, ' ')), HasSubstr("4096"));
}

TEST(Expression, KnowsWhichFunctionsItUses) {
  const auto parsed = Expression::parse("!(Failed()) || Count() > 1", kFunctions);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->uses(2));
  EXPECT_FALSE(parsed->uses(3));
}

}  // namespace
}  // namespace fairlead::middleware
