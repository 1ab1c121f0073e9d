#include "engine/routing/rule_lexer.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

namespace fairlead::routing {
namespace {

bool is_name_byte(char c) { return is_alpha(c) || is_digit(c) || c == '_'; }

std::unexpected<RuleFault> fault(std::size_t at, std::string what) {
  return std::unexpected(RuleFault{at, std::move(what)});
}

bool append_utf8(std::string& out, std::uint32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
  return true;
}

}  // namespace

std::expected<Token, RuleFault> RuleLexer::next() {
  while (at_ < rule_.size() && std::string_view(" \t\r\n").find(rule_[at_]) != std::string_view::npos) ++at_;
  const std::size_t start = at_;
  if (start == rule_.size()) return Token{Token::Kind::End, start, {}};

  const char c = rule_[start];
  const auto sign = [&](Token::Kind kind, std::size_t bytes) {
    at_ += bytes;
    return Token{kind, start, {}};
  };
  switch (c) {
    case '(': return sign(Token::Kind::Open, 1);
    case ')': return sign(Token::Kind::Close, 1);
    case ',': return sign(Token::Kind::Comma, 1);
    case '!': return sign(Token::Kind::Not, 1);
    case '`': return raw_literal(start);
    case '"': return quoted_literal(start);
    default: break;
  }
  if (rule_.substr(start, 2) == "&&") return sign(Token::Kind::And, 2);
  if (rule_.substr(start, 2) == "||") return sign(Token::Kind::Or, 2);
  if (!is_alpha(c) && c != '_') return stray(start);
  while (at_ < rule_.size() && is_name_byte(rule_[at_])) ++at_;
  return Token{Token::Kind::Name, start, std::string(rule_.substr(start, at_ - start))};
}

std::unexpected<RuleFault> RuleLexer::stray(std::size_t start) const {
  const char c = rule_[start];
  if (c == '\'' && start == 0 && rule_.find('(') != rule_.npos) return fault(start, kQuotedWhole);
  if (c == '\'')
    return fault(start, "single quotes do not make a string; put the value in backticks: `value`");
  if (c == '&') return fault(start, "a single & is no operator; write &&");
  if (c == '|') return fault(start, "a single | is no operator; write ||");
  if (c == ':')
    return fault(
        start, "this is the rule syntax of version 1; write Host(`example.com`) instead of Host:example.com");
  const bool utf8_quote =
      rule_.substr(start).starts_with("\u2018") || rule_.substr(start).starts_with("\u2019") ||
      rule_.substr(start).starts_with("\u201C") || rule_.substr(start).starts_with("\u201D");
  if (utf8_quote) return fault(start, "a typographic quotation mark; put the value in backticks: `value`");
  for (const std::string_view blank : {"\u00A0", "\u2002", "\u2003", "\u2009", "\u200B", "\u202F", "\uFEFF"})
    if (rule_.substr(start).starts_with(blank))
      return fault(start, "a character that only looks like a blank; write a plain one");
  return fault(start, fmt::format("unexpected {}; values stand in backticks: `value`",
                                  quoted(rule_.substr(start, 1))));
}

std::expected<Token, RuleFault> RuleLexer::raw_literal(std::size_t start) {
  const std::size_t end = rule_.find('`', start + 1);
  if (end == rule_.npos) return fault(start, "this backtick is never closed");
  Token token{Token::Kind::Literal, start, std::string(rule_.substr(start + 1, end - start - 1))};
  std::erase(token.text, '\r');  // as Go does in raw strings
  at_ = end + 1;
  return token;
}

std::expected<Token, RuleFault> RuleLexer::quoted_literal(std::size_t start) {
  Token token{Token::Kind::Literal, start, {}};
  at_ = start + 1;
  for (;;) {
    if (at_ == rule_.size() || rule_[at_] == '\n') return fault(start, "this quotation mark is never closed");
    const char c = rule_[at_++];
    if (c == '"') return token;
    if (c != '\\') {
      token.text += c;
      continue;
    }
    if (const auto done = escape(token.text); !done) return std::unexpected(done.error());
  }
}

std::expected<void, RuleFault> RuleLexer::escape(std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  const std::size_t backslash = at_ - 1;
  const auto wrong = [&] {
    return fault(backslash, fmt::format("unknown escape {}; in backticks a backslash stands for itself",
                                        quoted(rule_.substr(backslash, 2))));
  };
  if (at_ == rule_.size()) return wrong();
  const char c = rule_[at_];
  if (const auto letter = kLetters.find(c); letter != kLetters.npos) {
    ++at_;
    out += kMeanings[letter];
    return {};
  }
  const bool octal = c >= '0' && c <= '7';
  const std::size_t digits = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0) return wrong();
  if (!octal) ++at_;
  std::uint32_t code = 0;
  for (std::size_t i = 0; i < digits; ++i, ++at_) {
    const int value = at_ < rule_.size() ? hex_value(rule_[at_]) : -1;
    if (value < 0 || (octal && value > 7)) return wrong();
    code = code * (octal ? 8 : 16) + static_cast<std::uint32_t>(value);
  }
  if (digits >= 4) return append_utf8(out, code) ? std::expected<void, RuleFault>{} : wrong();
  if (code > 0xFF) return wrong();
  out += static_cast<char>(code);
  return {};
}

}  // namespace fairlead::routing
