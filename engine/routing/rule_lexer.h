#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace fairlead::routing {

// What is wrong with a rule, and at which byte of its text.
struct RuleFault {
  std::size_t at = 0;
  std::string what;
};

// A label in Compose's list form, `- key="value"`, has the quotes in its value.
inline constexpr const char* kQuotedWhole =
    "the whole rule stands in quotes; leave them out, or put them around the whole line: - \"key=value\"";

struct Token {
  enum class Kind : std::uint8_t { Name, Literal, Open, Close, Comma, And, Or, Not, End };

  Kind kind = Kind::End;
  std::size_t at = 0;
  std::string text;  // of a Name as written, of a Literal decoded
};

// Cuts a rule into tokens. Literals are Go's: `raw`, or "interpreted" with its escapes (Go specification,
// "String literals").
class RuleLexer {
 public:
  explicit RuleLexer(std::string_view rule) : rule_(rule) {}

  std::expected<Token, RuleFault> next();

 private:
  std::expected<Token, RuleFault> raw_literal(std::size_t start);
  std::expected<Token, RuleFault> quoted_literal(std::size_t start);
  // Appends what the escape at `at_`, just behind the backslash, stands for.
  std::expected<void, RuleFault> escape(std::string& out);
  std::unexpected<RuleFault> stray(std::size_t start) const;

  std::string_view rule_;
  std::size_t at_ = 0;
};

}  // namespace fairlead::routing
