#include "engine/middleware/expression.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace fairlead::middleware {
namespace {

constexpr std::size_t kMaxBytes = 4096;
constexpr int kMaxDepth = 64;

enum class Compare : unsigned char { Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual };

// Longer ones first.
constexpr std::array<std::pair<std::string_view, Compare>, 6> kComparisons = {
    {{"==", Compare::Equal},
     {"!=", Compare::NotEqual},
     {"<=", Compare::LessOrEqual},
     {">=", Compare::GreaterOrEqual},
     {"<", Compare::Less},
     {">", Compare::Greater}}};

template <class T>
bool compare(const T& left, Compare how, const T& right) {
  switch (how) {
    case Compare::Equal: return left == right;
    case Compare::NotEqual: return left != right;
    case Compare::Less: return left < right;
    case Compare::LessOrEqual: return left <= right;
    case Compare::Greater: return left > right;
    case Compare::GreaterOrEqual: return left >= right;
  }
  return false;
}

struct Literal {
  Expression::Type type = Expression::Type::Integer;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
};

constexpr std::string_view type_name(Expression::Type type) {
  switch (type) {
    case Expression::Type::Truth: return "a truth value";
    case Expression::Type::Integer: return "an integer such as 5";
    case Expression::Type::Real: return "a number with a decimal point such as 0.5";
    case Expression::Type::Text: return "a text in double quotes";
  }
  return {};
}

}  // namespace

struct Expression::Node {
  enum class Kind : unsigned char { And, Or, Not, Call };
  Kind kind = Kind::Call;
  std::unique_ptr<const Node> left;
  std::unique_ptr<const Node> right;
  std::size_t function = 0;
  Type type = Type::Truth;
  std::vector<double> arguments;
  Compare how = Compare::Equal;
  Literal literal;
};

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, std::span<const Expression::Function> functions)
      : whole_(text), rest_(text), functions_(functions) {}

  Configured<Expression> parse() {
    if (whole_.size() > kMaxBytes) return misconfigured("", "is longer than 4096 bytes");
    auto root = either();
    if (!root) return std::unexpected(std::move(root.error()));
    skip_blanks();
    if (!rest_.empty()) return wrong("unexpected `" + std::string(rest_.substr(0, 16)) + "`");
    return Expression(std::move(*root));
  }

 private:
  using Node = Expression::Node;
  using Made = Configured<std::unique_ptr<const Node>>;

  std::unexpected<ConfigError> wrong(std::string what) const {
    return misconfigured("", what + " at byte " + std::to_string(whole_.size() - rest_.size() + 1));
  }
  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  // Left to right; && binds tighter than ||.
  Made either() { return joined("||", Node::Kind::Or, &ExpressionParser::both); }
  Made both() { return joined("&&", Node::Kind::And, &ExpressionParser::unary); }
  Made joined(std::string_view token, Node::Kind kind, Made (ExpressionParser::*operand)()) {
    Made left = (this->*operand)();
    while (left && take(token)) {
      Made right = (this->*operand)();
      if (!right) return right;
      auto node = std::make_unique<Node>();
      node->kind = kind;
      node->left = std::move(*left);
      node->right = std::move(*right);
      left = std::unique_ptr<const Node>(std::move(node));
    }
    return left;
  }

  Made unary() {
    // A nested operand is one level of this program's stack.
    if (depth_ == kMaxDepth) return wrong("nested too deeply");
    ++depth_;
    Made made = operand();
    --depth_;
    return made;
  }
  Made operand() {
    skip_blanks();
    if (!rest_.starts_with("!=") && take("!")) {
      Made inner = unary();
      if (!inner) return inner;
      auto node = std::make_unique<Node>();
      node->kind = Node::Kind::Not;
      node->left = std::move(*inner);
      return node;
    }
    if (take("(")) {
      Made inner = either();
      if (inner && !take(")")) return wrong("`)` expected");
      return inner;
    }
    return call();
  }

  Made call() {
    const std::size_t length = static_cast<std::size_t>(
        std::ranges::find_if_not(rest_, [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; }) -
        rest_.begin());
    const std::string_view name = rest_.substr(0, length);
    if (name.empty()) return wrong("a function expected");
    const auto function = std::ranges::find(functions_, name, &Expression::Function::name);
    if (function == functions_.end()) return wrong("there is no function `" + std::string(name) + "`");
    rest_.remove_prefix(length);
    auto node = std::make_unique<Node>();
    node->function = static_cast<std::size_t>(function - functions_.begin());
    node->type = function->result;
    if (!take("(")) return wrong("`(` expected");
    while (!take(")")) {
      if (!node->arguments.empty() && !take(",")) return wrong("`,` or `)` expected");
      const auto argument = literal();
      if (!argument || argument->type == Expression::Type::Text) return wrong("a number expected");
      node->arguments.push_back(argument->real);
    }
    if (node->arguments.size() != function->arguments)
      return wrong(std::string(name) + " takes " + std::to_string(function->arguments) + " arguments");
    if (auto error = comparison(*node, name)) return std::unexpected(std::move(*error));
    return node;
  }

  std::optional<ConfigError> comparison(Node& node, std::string_view name) {
    skip_blanks();
    const auto found =
        std::ranges::find_if(kComparisons, [&](const auto& row) { return rest_.starts_with(row.first); });
    if (found == kComparisons.end()) {
      if (node.type == Expression::Type::Truth) return std::nullopt;
      return wrong(std::string(name) + " must be compared with " + std::string(type_name(node.type))).error();
    }
    if (node.type == Expression::Type::Truth)
      return wrong(std::string(name) + " is true or false and cannot be compared").error();
    rest_.remove_prefix(found->first.size());
    node.how = found->second;
    auto value = literal();
    if (!value || value->type != node.type)
      return wrong(std::string(name) + " must be compared with " + std::string(type_name(node.type))).error();
    node.literal = std::move(*value);
    return std::nullopt;
  }

  std::optional<Literal> literal() {
    skip_blanks();
    if (rest_.starts_with('"') || rest_.starts_with('`')) {
      const auto end = rest_.find(rest_[0], 1);
      if (end == std::string_view::npos) return std::nullopt;
      Literal value{.type = Expression::Type::Text,
                    .integer = 0,
                    .real = 0,
                    .text = std::string(rest_.substr(1, end - 1))};
      rest_.remove_prefix(end + 1);
      return value;
    }
    const char* const begin = rest_.data();
    const char* const end = begin + rest_.size();
    Literal value;
    const auto whole = std::from_chars(begin, end, value.integer);
    const auto real = std::from_chars(begin, end, value.real);
    if (real.ec != std::errc{}) return std::nullopt;
    if (whole.ec != std::errc{} || whole.ptr != real.ptr) value.type = Expression::Type::Real;
    // "inf" and "nan" are numbers to from_chars, not to us.
    if (!is_digit(*begin) && *begin != '-' && *begin != '.') return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(real.ptr - begin));
    return value;
  }

  std::string_view whole_;
  std::string_view rest_;
  std::span<const Expression::Function> functions_;
  int depth_ = 0;
};

bool Expression::Values::truth(std::size_t) const { return false; }
std::int64_t Expression::Values::integer(std::size_t, std::span<const double>) const { return 0; }
double Expression::Values::real(std::size_t, std::span<const double>) const { return 0; }
std::string_view Expression::Values::text(std::size_t) const { return {}; }

Expression::Expression(std::unique_ptr<const Node> root) : root_(std::move(root)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Configured<Expression> Expression::parse(std::string_view text, std::span<const Function> functions) {
  return ExpressionParser(text, functions).parse();
}

bool Expression::holds(const Values& values) const { return holds(*root_, values); }
bool Expression::uses(std::size_t function) const { return uses(*root_, function); }

bool Expression::uses(const Node& node, std::size_t function) {
  if (node.kind == Node::Kind::Call) return node.function == function;
  return uses(*node.left, function) || (node.right && uses(*node.right, function));
}

bool Expression::holds(const Node& node, const Values& values) {
  switch (node.kind) {
    case Node::Kind::And: return holds(*node.left, values) && holds(*node.right, values);
    case Node::Kind::Or: return holds(*node.left, values) || holds(*node.right, values);
    case Node::Kind::Not: return !holds(*node.left, values);
    case Node::Kind::Call: break;
  }
  switch (node.type) {
    case Type::Truth: return values.truth(node.function);
    case Type::Integer:
      return compare(values.integer(node.function, node.arguments), node.how, node.literal.integer);
    case Type::Real: return compare(values.real(node.function, node.arguments), node.how, node.literal.real);
    case Type::Text:
      return compare(values.text(node.function), node.how, std::string_view(node.literal.text));
  }
  return false;
}

}  // namespace fairlead::middleware
