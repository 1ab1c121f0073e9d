#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

// A condition over functions of its user, in the syntax of Go expressions:
//   NetworkErrorRatio() > 0.30 && !(ResponseCodeRatio(500, 600, 0, 600) <= 0.5)
// with && || ! == != < <= > >= and parentheses. A comparison has a function on its left and a literal of the
// function's type on its right.
class Expression {
 public:
  enum class Type : unsigned char { Truth, Integer, Real, Text };

  struct Function {
    std::string_view name;
    Type result;
    std::size_t arguments;  // all of them numbers
  };

  // What the functions return now, by their index. Only the one for a function's type is called.
  class Values {
   public:
    virtual bool truth(std::size_t function) const;
    virtual std::int64_t integer(std::size_t function, std::span<const double> arguments) const;
    virtual double real(std::size_t function, std::span<const double> arguments) const;
    virtual std::string_view text(std::size_t function) const;

   protected:
    ~Values() = default;
  };

  // The error says what is wrong and where. At most 4,096 bytes and 64 levels of parentheses.
  static Configured<Expression> parse(std::string_view text, std::span<const Function> functions);

  bool holds(const Values& values) const;
  // Whether the function occurs.
  bool uses(std::size_t function) const;

  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

 private:
  struct Node;
  friend class ExpressionParser;
  explicit Expression(std::unique_ptr<const Node> root);
  static bool holds(const Node& node, const Values& values);
  static bool uses(const Node& node, std::size_t function);

  std::unique_ptr<const Node> root_;
};

}  // namespace fairlead::middleware
