#include "engine/routing/rule_parser.h"

#include "engine/base/strings.h"
#include "engine/routing/clause.h"
#include "engine/routing/rule_lexer.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::routing {
namespace {

// Recursive descent, one token ahead. Every function returns false once a fault is recorded.
class Parser {
 public:
  Parser(std::string_view text, Protocol protocol, Syntax syntax)
      : lexer_(text), protocol_(protocol), syntax_(syntax) {
    rule_.text = text;
    rule_.protocol = protocol;
  }

  std::expected<Rule, RuleFault> parse() {
    if (advance() && either(false) && at_end()) return std::move(rule_);
    return std::unexpected(std::move(fault_));
  }

 private:
  bool fail(std::size_t at, std::string what) {
    fault_ = {at, std::move(what)};
    return false;
  }

  bool advance() {
    auto token = lexer_.next();
    if (!token) {
      fault_ = std::move(token.error());
      return false;
    }
    token_ = std::move(*token);
    return true;
  }

  bool at_end() {
    switch (token_.kind) {
      case Token::Kind::End: return true;
      case Token::Kind::Close: return fail(token_.at, "this ) was never opened");
      case Token::Kind::Comma:
        return fail(token_.at, "a comma stands only between values; combine with && or ||");
      case Token::Kind::Name: return fail(token_.at, fmt::format("put && or || before {}", shown()));
      default: return fail(token_.at, "put && or || between matchers");
    }
  }

  bool either(bool negated) {
    return chain(Token::Kind::Or, negated ? Node::Op::All : Node::Op::Any, [&] { return both(negated); });
  }

  bool both(bool negated) {
    return chain(Token::Kind::And, negated ? Node::Op::Any : Node::Op::All, [&] { return unary(negated); });
  }

  // operand { sign operand }. Under a negation the operator is the other one (De Morgan).
  template <class Operand>
  bool chain(Token::Kind sign, Node::Op op, Operand operand) {
    const std::size_t start = rule_.nodes.size();
    if (!operand()) return false;
    if (token_.kind != sign) return true;
    Node group;
    group.op = op;
    rule_.nodes.insert(rule_.nodes.begin() + static_cast<std::ptrdiff_t>(start), std::move(group));
    while (token_.kind == sign)
      if (!advance() || !operand()) return false;
    rule_.nodes[start].size = static_cast<std::uint32_t>(rule_.nodes.size() - start);
    return true;
  }

  bool unary(bool negated) {
    while (token_.kind == Token::Kind::Not) {
      negated = !negated;
      if (!advance()) return false;
    }
    switch (token_.kind) {
      case Token::Kind::Open: return group(negated);
      case Token::Kind::Name: return call(negated);
      case Token::Kind::End: return fail(token_.at, "a matcher is missing at the end");
      case Token::Kind::Literal:
        if (token_.at == 0 && token_.text.find('(') != std::string::npos) return fail(0, kQuotedWhole);
        return fail(token_.at, fmt::format("a value stands inside a matcher: {}(`…`)", example_name()));
      default: return fail(token_.at, "a matcher is missing here");
    }
  }

  bool group(bool negated) {
    const std::size_t open = token_.at;
    if (++depth_ > kMaxRuleDepth)
      return fail(open, fmt::format("more than {} nested parentheses", kMaxRuleDepth));
    if (!advance() || !either(negated)) return false;
    if (token_.kind == Token::Kind::End) return fail(open, "this ( is never closed");
    if (token_.kind != Token::Kind::Close) return at_end();
    --depth_;
    return advance();
  }

  bool call(bool negated) {
    Call call;
    call.at = token_.at;
    const std::string name = token_.text;
    call.form = find_form(name, protocol_, syntax_);
    if (!call.form)
      return fail(call.at,
                  fmt::format("unknown matcher {}; {}", shown(), form_remedy(name, protocol_, syntax_)));
    if (!advance()) return false;
    if (token_.kind != Token::Kind::Open)
      return fail(call.at, fmt::format("{} needs a value in parentheses: {}(`…`)", name, call.form->name));
    const std::size_t open = token_.at;
    if (!advance()) return false;
    while (token_.kind != Token::Kind::Close) {
      if (!argument(call, open) || !separator(open)) return false;
    }
    if (const auto appended = append_clause(rule_, call, syntax_, negated); !appended)
      return fail(appended.error().at, appended.error().what);
    return advance();
  }

  bool argument(Call& call, std::size_t open) {
    if (token_.kind == Token::Kind::End) return fail(open, "this ( is never closed");
    if (token_.kind == Token::Kind::Name)
      return fail(token_.at, fmt::format("values stand in backticks: `{}…`", token_.text.substr(0, 64)));
    if (token_.kind != Token::Kind::Literal) return fail(token_.at, "a value is missing here");
    call.arguments.push_back(std::move(token_));
    return advance();
  }

  // A comma, or the parenthesis that ends the arguments; Go allows a comma before it, too.
  bool separator(std::size_t open) {
    if (token_.kind == Token::Kind::Close) return true;
    if (token_.kind == Token::Kind::Comma) return advance();
    if (token_.kind == Token::Kind::End) return fail(open, "this ( is never closed");
    if (token_.kind == Token::Kind::Literal) return fail(token_.at, "put a comma between values");
    if (token_.kind == Token::Kind::And || token_.kind == Token::Kind::Or)
      return fail(token_.at, "operators stand between matchers, not between values");
    return fail(token_.at, "expected , or ) behind a value");
  }

  std::string shown() const { return quoted(token_.text, 64); }
  std::string_view example_name() const { return protocol_ == Protocol::Tcp ? "HostSNI" : "Host"; }

  RuleLexer lexer_;
  const Protocol protocol_;
  const Syntax syntax_;
  Rule rule_;
  Token token_;
  RuleFault fault_;
  int depth_ = 0;
};

}  // namespace

Configured<Rule> parse_rule(std::string_view text, Protocol protocol, Syntax syntax) {
  if (text.size() > kMaxRuleBytes)
    return misconfigured("rule", fmt::format("is longer than {} KiB", kMaxRuleBytes >> 10));
  if (trim(text).empty())
    return misconfigured("rule", protocol == Protocol::Tcp
                                     ? "is empty; write HostSNI(`example.com`) or HostSNI(`*`)"
                                     : "is empty; write Host(`example.com`)");
  auto rule = Parser(text, protocol, syntax).parse();
  if (!rule)
    return misconfigured("rule", fmt::format("column {}: {}", rule.error().at + 1, rule.error().what));
  return std::move(*rule);
}

}  // namespace fairlead::routing
