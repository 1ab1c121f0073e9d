#include "providers/go_string.h"

#include "engine/base/strings.h"

namespace fairlead::providers {
namespace {

// `digits` hexadecimal digits from `at`; -1 when they are not all there.
long take_hex(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  long value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = hex_value(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

char simple_escape(char c) {
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\\': return '\\';
    case '"': return '"';
    default: return 0;
  }
}

std::optional<std::string> take_interpreted(std::string_view& rest) {
  std::string out;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '"') {
      rest.remove_prefix(i + 1);
      return out;
    }
    if (c == '\n') return std::nullopt;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (++i == rest.size()) return std::nullopt;
    if (const char plain = simple_escape(rest[i])) {
      out += plain;
      continue;
    }
    const std::size_t digits = rest[i] == 'x' ? 2 : rest[i] == 'u' ? 4 : rest[i] == 'U' ? 8 : 0;
    if (digits == 0) return std::nullopt;
    const long value = take_hex(rest, i + 1, digits);
    if (value < 0) return std::nullopt;
    if (digits == 2)
      out += static_cast<char>(value);
    else
      append_utf8(out, static_cast<char32_t>(value));
    i += digits;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> take_go_string(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  if (rest[0] == '"') return take_interpreted(rest);
  if (rest[0] != '`') return std::nullopt;
  const std::size_t end = rest.find('`', 1);
  if (end == std::string_view::npos) return std::nullopt;
  std::string out(rest.substr(1, end - 1));
  std::erase(out, '\r');  // the Go specification drops carriage returns from raw strings
  rest.remove_prefix(end + 1);
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static constexpr unsigned char kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kLead[more] | (c >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F));
}

}  // namespace fairlead::providers
