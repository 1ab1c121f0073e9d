#include "engine/base/strings.h"
#include "providers/go_string.h"
#include "providers/template_nodes.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::providers {
namespace {

using ast::Command;
using ast::Operand;
using ast::Pipeline;
using Node = Template::Node;

constexpr int kMaxDepth = 32;  // of nested blocks and parentheses

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_word(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

std::string_view trim_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : all_(text), rest_(text) {}

  std::expected<std::vector<Node>, std::string> run() {
    std::vector<Node> nodes = block(0);
    if (error_.empty() && !keyword_.empty()) fail(fmt::format("\"{}\" without an \"if\"", keyword_));
    if (!error_.empty()) return std::unexpected(error_);
    return nodes;
  }

 private:
  void fail(std::string what) {
    if (!error_.empty()) return;
    const auto read = all_.substr(0, all_.size() - rest_.size());
    error_ = fmt::format("line {}: {}", 1 + std::count(read.begin(), read.end(), '\n'), what);
  }

  // Text and actions up to the end or to an action that closes a block, which is left in keyword_/inner_.
  std::vector<Node> block(int depth) {
    std::vector<Node> nodes;
    keyword_ = {};
    if (depth > kMaxDepth) fail("blocks are nested too deeply");
    while (error_.empty() && !rest_.empty()) {
      if (!take_text(nodes)) break;
      if (!take_action()) break;
      const std::size_t end = std::min(inner_.find_first_of(" \t\r\n"), inner_.size());
      const std::string_view word = inner_.substr(0, end);
      if (word == "else" || word == "end") {
        keyword_ = word;
        inner_ = trim_space(inner_.substr(end));
        return nodes;
      }
      if (word == "if") {
        inner_ = inner_.substr(end);
        nodes.push_back(if_node(depth));
      } else if (inner_.starts_with("/*")) {
        if (!inner_.ends_with("*/") || inner_.size() < 4) fail("a comment must fill its action");
      } else {
        nodes.push_back({Node::Kind::Print, {}, whole_pipeline(), {}, {}});
      }
    }
    keyword_ = {};
    return nodes;
  }

  // `inner_` holds the condition. Reads up to the matching end.
  Node if_node(int depth) {
    Node node{Node::Kind::If, {}, whole_pipeline(), {}, {}};
    node.then = block(depth + 1);
    if (error_.empty() && keyword_ == "else") {
      if (inner_.starts_with("if") && (inner_.size() == 2 || !is_word(inner_[2]))) {
        inner_ = inner_.substr(2);
        if (depth > kMaxDepth) fail("blocks are nested too deeply");
        if (error_.empty()) node.otherwise.push_back(if_node(depth + 1));
        return node;  // the inner if took the end of both
      }
      if (!inner_.empty()) fail("unexpected words after \"else\"");
      node.otherwise = block(depth + 1);
    }
    if (error_.empty() && keyword_ != "end") fail("\"if\" without \"end\"");
    keyword_ = {};
    return node;
  }

  // The literal before the next action. False at the end of the template.
  bool take_text(std::vector<Node>& nodes) {
    const std::size_t open = rest_.find("{{");
    std::string_view text = rest_.substr(0, open);
    if (trim_next_)
      while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    trim_next_ = false;
    const bool action = open != std::string_view::npos;
    if (action && rest_.size() > open + 3 && rest_[open + 2] == '-' && is_space(rest_[open + 3]))
      while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    if (!text.empty()) nodes.push_back({Node::Kind::Text, std::string(text), {}, {}, {}});
    rest_.remove_prefix(action ? open : rest_.size());
    return action;
  }

  // Sets inner_ to what stands between the braces, without trim markers.
  bool take_action() {
    const std::size_t end = action_end();
    if (end == std::string_view::npos) {
      fail("\"{{\" without \"}}\"");
      return false;
    }
    inner_ = rest_.substr(2, end - 2);
    if (inner_.size() >= 2 && inner_[0] == '-' && is_space(inner_[1])) inner_.remove_prefix(1);
    if (inner_.size() >= 2 && inner_.back() == '-' && is_space(inner_[inner_.size() - 2])) {
      inner_.remove_suffix(1);
      trim_next_ = true;
    }
    inner_ = trim_space(inner_);
    rest_.remove_prefix(end + 2);
    return true;
  }

  // Position of the "}}" that ends the action at the front; braces inside strings and comments do not count.
  std::size_t action_end() const {
    const std::string_view after = trim_space(rest_.substr(2, 8));
    if (after.starts_with("/*") || after.starts_with("- /*")) {
      const std::size_t close = rest_.find("*/");
      return close == std::string_view::npos ? close : rest_.find("}}", close);
    }
    for (std::size_t i = 2; i + 1 < rest_.size(); ++i) {
      if (rest_[i] == '}' && rest_[i + 1] == '}') return i;
      if (rest_[i] != '"' && rest_[i] != '`') continue;
      std::string_view literal = rest_.substr(i);
      const std::size_t before = literal.size();
      if (!take_go_string(literal)) return std::string_view::npos;
      i += before - literal.size() - 1;
    }
    return std::string_view::npos;
  }

  Pipeline whole_pipeline() {
    Pipeline pipeline = take_pipeline(0);
    if (error_.empty() && !inner_.empty()) fail(fmt::format("unexpected {}", quoted(inner_, 40)));
    return pipeline;
  }

  Pipeline take_pipeline(int depth) {
    Pipeline pipeline;
    if (depth > kMaxDepth) fail("parentheses are nested too deeply");
    while (error_.empty()) {
      Command command;
      inner_ = trim_space(inner_);
      while (error_.empty() && !inner_.empty() && inner_[0] != '|' && inner_[0] != ')') {
        command.push_back(take_operand(depth));
        inner_ = trim_space(inner_);
      }
      if (!error_.empty()) break;
      check(command, !pipeline.empty());
      pipeline.push_back(std::move(command));
      if (inner_.empty() || inner_[0] != '|') break;
      inner_.remove_prefix(1);
    }
    return pipeline;
  }

  void check(const Command& command, bool piped_into) {
    if (command.empty()) return fail("an action needs a value");
    const bool function = command[0].kind == Operand::Kind::Function;
    if (!function && (command.size() > 1 || piped_into)) fail("only a function can take arguments");
    for (std::size_t i = 1; i < command.size(); ++i)
      if (command[i].kind == Operand::Kind::Function)
        fail(fmt::format("put the call of \"{}\" in parentheses", command[i].function));
  }

  Operand take_operand(int depth) {
    if (inner_[0] == '"' || inner_[0] == '`') {
      auto text = take_go_string(inner_);
      if (!text) fail("a string does not end, or holds an unknown escape");
      return {Operand::Kind::Literal, {text.value_or("")}, {}, {}, {}};
    }
    if (inner_[0] == '(') {
      inner_.remove_prefix(1);
      Operand group{Operand::Kind::Group, {}, {}, {}, take_pipeline(depth + 1)};
      if (!inner_.starts_with(')')) fail("\"(\" without \")\"");
      if (error_.empty()) inner_.remove_prefix(1);
      group.fields = take_fields();
      return group;
    }
    if (inner_[0] == '.') return {Operand::Kind::Field, {}, {}, take_fields(), {}};
    return take_bare_word();
  }

  std::vector<std::string> take_fields() {
    std::vector<std::string> fields;
    while (inner_.size() > 1 && inner_[0] == '.') {
      std::size_t end = 1;
      while (end < inner_.size() && (is_word(inner_[end]) || static_cast<unsigned char>(inner_[end]) >= 0x80))
        ++end;
      if (end == 1) break;
      fields.emplace_back(inner_.substr(1, end - 1));
      inner_.remove_prefix(end);
    }
    if (fields.empty() && inner_.starts_with('.')) fail("\".\" needs a field name, such as .Name");
    return fields;
  }

  Operand take_bare_word() {
    std::size_t end = inner_[0] == '-' || inner_[0] == '+' ? 1 : 0;
    while (end < inner_.size() && is_word(inner_[end])) ++end;
    const std::string_view word = inner_.substr(0, end);
    if (const auto number = parse_integer(word)) {
      inner_.remove_prefix(end);
      return {Operand::Kind::Literal, {*number}, {}, {}, {}};
    }
    Operand operand{Operand::Kind::Literal, {}, {}, {}, {}};
    if (word == "true" || word == "false") {
      operand.literal = {word == "true"};
    } else if (functions::known(word)) {
      operand.kind = Operand::Kind::Function;
      operand.function = word;
    } else if (inner_.starts_with('$')) {
      fail("variables, as in `$name := …`, are not supported in templates");
    } else if (word.empty() || !is_alpha(word[0])) {
      fail(fmt::format("unexpected {}", quoted(inner_, 40)));
    } else {
      fail(fmt::format("\"{}\" is not supported in templates; supported are {}, if, else, end",
                       std::string(word.substr(0, 40)), functions::list()));
    }
    inner_.remove_prefix(end);
    return operand;
  }

  const std::string_view all_;
  std::string_view rest_;     // not yet read
  std::string_view inner_;    // of the current action
  std::string_view keyword_;  // "else" or "end" that ended the last block
  bool trim_next_ = false;    // the last action ended with a trim marker
  std::string error_;
};

}  // namespace

std::expected<Template, std::string> Template::parse(std::string_view text) {
  auto nodes = Parser(text).run();
  if (!nodes) return std::unexpected(std::move(nodes.error()));
  Template out;
  out.nodes_ = std::make_shared<const std::vector<Node>>(std::move(*nodes));
  return out;
}

}  // namespace fairlead::providers
