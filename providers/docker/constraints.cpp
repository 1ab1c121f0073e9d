#include "providers/docker/constraints.h"

#include "engine/base/strings.h"
#include "providers/go_string.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <vector>

namespace fairlead::providers::docker {

struct Constraints::Node {
  enum class Kind : unsigned char { Label, LabelRegex, Not, And, Or };
  Kind kind;
  std::string key, value;
  std::unique_ptr<RE2> regex;
  std::vector<Node> operands;

  bool holds(const Labels& labels) const;
  bool names(std::string_view wanted) const {
    return key == wanted ||
           std::ranges::any_of(operands, [wanted](const Node& operand) { return operand.names(wanted); });
  }
};

bool Constraints::Node::holds(const Labels& labels) const {
  switch (kind) {
    case Kind::Not: return !operands[0].holds(labels);
    case Kind::And:
      for (const Node& operand : operands)
        if (!operand.holds(labels)) return false;
      return true;
    case Kind::Or:
      for (const Node& operand : operands)
        if (operand.holds(labels)) return true;
      return false;
    case Kind::Label:
    case Kind::LabelRegex: break;
  }
  const auto found = labels.find(key);
  const std::string_view actual =
      found == labels.end() ? std::string_view() : std::string_view(found->second);
  if (kind == Kind::Label) return actual == value;
  return regex->ok() && RE2::PartialMatch(re2::StringPiece(actual.data(), actual.size()), *regex);
}

namespace {

using Node = Constraints::Node;

constexpr int kMaxDepth = 64;

class Parser {
 public:
  explicit Parser(std::string_view text) : all_(text), rest_(text) {}

  std::expected<Node, std::string> run(std::vector<std::string>& complaints) {
    Node root = disjunction(0);
    complaints = std::move(complaints_);
    skip_space();
    if (error_.empty() && !rest_.empty()) fail("an operator");
    if (!error_.empty()) return std::unexpected(error_);
    return root;
  }

 private:
  void fail(std::string_view expected) {
    if (error_.empty())
      error_ = fmt::format("expected {} at byte {}, got {}", expected, all_.size() - rest_.size(),
                           rest_.empty() ? "the end" : quoted(rest_, 30));
  }

  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n' || rest_[0] == '\r'))
      rest_.remove_prefix(1);
  }

  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  Node chain(Node::Kind kind, std::string_view token, Node (Parser::*next)(int), int depth) {
    Node first = (this->*next)(depth);
    if (!error_.empty() || !take(token)) return first;
    Node out{kind, {}, {}, nullptr, {}};
    out.operands.push_back(std::move(first));
    do out.operands.push_back((this->*next)(depth));
    while (error_.empty() && take(token));
    return out;
  }

  Node disjunction(int depth) { return chain(Node::Kind::Or, "||", &Parser::conjunction, depth); }
  Node conjunction(int depth) { return chain(Node::Kind::And, "&&", &Parser::unary, depth); }

  Node unary(int depth) {
    if (depth > kMaxDepth) {
      fail("less nesting");
      return {Node::Kind::Or, {}, {}, nullptr, {}};
    }
    if (take("!")) {
      Node out{Node::Kind::Not, {}, {}, nullptr, {}};
      out.operands.push_back(unary(depth + 1));
      return out;
    }
    if (!take("(")) return call();
    Node inner = disjunction(depth + 1);
    if (!take(")")) fail("\")\"");
    return inner;
  }

  Node call() {
    const bool regex = take("LabelRegex");
    Node out{regex ? Node::Kind::LabelRegex : Node::Kind::Label, {}, {}, nullptr, {}};
    if (!regex && !take("Label")) fail("Label or LabelRegex");
    if (!take("(")) fail("\"(\"");
    out.key = text();
    if (!take(",")) fail("\",\"");
    out.value = text();
    if (!take(")")) fail("\")\"");
    if (regex) out.regex = std::make_unique<RE2>(out.value, RE2::Quiet);
    if (regex && !out.regex->ok())
      complaints_.push_back(fmt::format("LabelRegex({}, {}) never matches: {}", quoted(out.key, 60),
                                        quoted(out.value, 60), out.regex->error()));
    return out;
  }

  std::string text() {
    skip_space();
    auto literal = take_go_string(rest_);
    if (!literal) fail("a quoted text");
    return literal.value_or("");
  }

  const std::string_view all_;
  std::string_view rest_;
  std::string error_;
  std::vector<std::string> complaints_;
};

}  // namespace

std::expected<Constraints, std::string> Constraints::parse(std::string_view text) {
  Constraints out;
  if (trim(text).empty()) return out;
  auto root = Parser(text).run(out.complaints_);
  if (!root) return std::unexpected(std::move(root.error()));
  out.root_ = std::make_shared<const Node>(std::move(*root));
  return out;
}

bool Constraints::allow(const Labels& labels) const { return root_ == nullptr || root_->holds(labels); }

bool Constraints::names(std::string_view key) const { return root_ != nullptr && root_->names(key); }

}  // namespace fairlead::providers::docker
