#include "engine/http/url.h"

#include "engine/base/strings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace fairlead::http {
namespace {

constexpr std::array<std::uint8_t, 256> make_url_bytes() {
  std::array<std::uint8_t, 256> out{};
  const auto add = [&out](std::string_view bytes, std::uint8_t classes) {
    for (const char c : bytes) out[static_cast<unsigned char>(c)] |= classes;
  };
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", kUnreserved | kInPath | kInQuery);
  add("!$&'()*+,;=:@/[]", kReserved | kInPath | kInQuery);
  add("?", kReserved | kInQuery);
  add("#", kReserved);
  add("%", kReserved);
  add("\\^`{|}", kInQuery);
  return out;
}
constexpr std::array<std::uint8_t, 256> kUrlBytes = make_url_bytes();

constexpr std::string_view kUpperHex = "0123456789ABCDEF";

bool read_ipv6(std::string_view text, in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return false;
  std::ranges::copy(text, copy.begin());
  return ::inet_pton(AF_INET6, copy.data(), &address) == 1;
}

bool is_name(std::string_view host) {
  bool after_dot = true;
  for (const char c : host) {
    if ((url_byte(c) & kUnreserved) == 0) return false;
    if (c == '.' && after_dot) return false;
    after_dot = c == '.';
  }
  return !host.empty();
}

bool is_port(std::string_view port) {
  if (port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  int number = 0;
  std::from_chars(port.data(), port.data() + port.size(), number);
  return number <= 65535;
}

// The byte at `at`, which moves behind it; nothing when an escape is broken.
std::optional<char> next_decoded(std::string_view text, std::size_t& at, bool plus_is_space) {
  const char c = text[at++];
  if (c == '+' && plus_is_space) return ' ';
  if (c != '%') return c;
  if (text.size() - at < 2) return std::nullopt;
  const int high = hex_value(text[at]);
  const int low = hex_value(text[at + 1]);
  if (high < 0 || low < 0) return std::nullopt;
  at += 2;
  return static_cast<char>(high * 16 + low);
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = next_decoded(text, at, plus_is_space);
    if (!byte) return std::nullopt;
    out += *byte;
  }
  return out;
}

}  // namespace

std::uint8_t url_byte(char c) { return kUrlBytes[static_cast<unsigned char>(c)]; }

std::optional<HostPort> parse_authority(std::string_view authority) {
  HostPort out;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.host = authority.substr(1, close - 1);
    out.is_ipv6 = true;
    rest = authority.substr(close + 1);
    if (in6_addr address{}; !read_ipv6(out.host, address)) return std::nullopt;
  } else {
    const auto colon = authority.find(':');
    out.host = authority.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
    if (!is_name(out.host)) return std::nullopt;
  }
  if (rest.empty()) return out;
  if (rest.front() != ':') return std::nullopt;
  out.port = rest.substr(1);
  if (!is_port(out.port)) return std::nullopt;
  return out;
}

std::optional<std::string> canonical_ipv6(std::string_view text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (!read_ipv6(text, address) || !::inet_ntop(AF_INET6, &address, out.data(), out.size()))
    return std::nullopt;
  return out.data();
}

void canonical_host(const HostPort& from, std::string& host) {
  if (from.is_ipv6) {
    host = canonical_ipv6(from.host).value_or(std::string(from.host));
    return;
  }
  std::string_view text = from.host;
  if (text.ends_with('.')) text.remove_suffix(1);
  host.resize(text.size());
  std::ranges::transform(text, host.begin(), to_lower);
}

std::optional<Target> split_target(std::string_view target) {
  Target out;
  if (target == "*") {
    out.form = TargetForm::Asterisk;
    out.path = target;
    return out;
  }
  std::string_view rest = target;
  if (!target.starts_with('/')) {
    out.form = TargetForm::Absolute;
    if (istarts_with(target, "http://"))
      rest.remove_prefix(7);
    else if (istarts_with(target, "https://"))
      rest.remove_prefix(8);
    else
      return std::nullopt;
    const auto end = rest.find_first_of("/?#");
    out.authority = rest.substr(0, end);
    rest.remove_prefix(out.authority.size());
  }
  const auto question = rest.find('?');
  out.path = rest.substr(0, question);
  if (question != std::string_view::npos) {
    out.has_query = true;
    out.query = rest.substr(question + 1);
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) { return decode(text, false); }

std::optional<std::string> decode_query(std::string_view text) { return decode(text, true); }

bool query_equals(std::string_view escaped, std::string_view plain) {
  std::size_t at = 0;
  for (const char expected : plain) {
    if (at == escaped.size()) return false;
    const auto byte = next_decoded(escaped, at, true);
    if (!byte || *byte != expected) return false;
  }
  return at == escaped.size();
}

void append_escape(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += '%';
  out += kUpperHex[value >> 4];
  out += kUpperHex[value & 15];
}

std::string percent_encode(std::string_view text, std::uint8_t keep) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != '%' && (url_byte(c) & keep) != 0)
      out += c;
    else
      append_escape(out, c);
  }
  return out;
}

QueryParameters::Iterator& QueryParameters::Iterator::operator++() {
  while (!rest_.empty()) {
    const auto end = rest_.find('&');
    const std::string_view part = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    now_.key = part.substr(0, equals);
    now_.value = equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1);
    return *this;
  }
  at_end_ = true;
  return *this;
}

}  // namespace fairlead::http
