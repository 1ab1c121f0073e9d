#include "engine/model/checks.h"

#include "engine/base/strings.h"
#include "engine/model/status_range.h"
#include "engine/schema/node.h"
#include "engine/schema/scalar.h"

#include <arpa/inet.h>

#include <charconv>
#include <optional>
#include <string>

namespace fairlead::model {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Bits of the address family of a literal address; 0 when it is none.
int address_bits(const std::string& text) {
  in6_addr scratch{};
  if (inet_pton(AF_INET, text.c_str(), &scratch) == 1) return 32;
  if (inet_pton(AF_INET6, text.c_str(), &scratch) == 1) return 128;
  return 0;
}

// Empty means the first of them, the default.
schema::Complaint one_of(std::string_view choices, std::string_view text) {
  if (text.empty() || schema::is_choice(choices, text)) return std::nullopt;
  return "expected one of " + std::string(choices);
}

}  // namespace

schema::Complaint percent(std::int64_t value) {
  if (value >= 0 && value <= 100) return std::nullopt;
  return "must be 0 to 100";
}

schema::Complaint proxy_protocol_version(std::int64_t value) {
  if (value == 1 || value == 2) return std::nullopt;
  return "must be 1 or 2";
}

schema::Complaint status_or_range(std::string_view text) {
  if (parse_status_range(text)) return std::nullopt;
  return "must be a status code or a range such as 500-599";
}

schema::Complaint status_code(std::int64_t value) {
  if (value >= 100 && value <= 599) return std::nullopt;
  return "must be a status code from 100 to 599";
}

schema::Complaint server_scheme(std::string_view text) { return one_of("http|https|h2c", lower(text)); }

schema::Complaint lb_strategy(std::string_view text) { return one_of("wrr|p2c|hrw|leasttime", text); }

schema::Complaint ip_or_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const int bits = address_bits(std::string(text.substr(0, slash)));
  if (bits != 0 && slash == std::string_view::npos) return std::nullopt;
  const std::optional<int> prefix =
      slash == std::string_view::npos ? std::nullopt : number(text.substr(slash + 1));
  if (bits != 0 && prefix && *prefix >= 0 && *prefix <= bits) return std::nullopt;
  return "must be an IP address or a network such as 10.0.0.0/8";
}

schema::Complaint base_path(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.:~-";
  if (text.starts_with('/') && text.find_first_not_of(allowed) == std::string_view::npos) return std::nullopt;
  return "must begin with a slash and hold letters, digits and /_.:~- only";
}

schema::Complaint worker_count(std::int64_t value) {
  if (value >= 0 && value <= 1024) return std::nullopt;
  return "must be 0 to 1024";
}

}  // namespace fairlead::model
