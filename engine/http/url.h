#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::http {

// What a byte may be in a URL (RFC 3986 §2, §3.3, §3.4).
enum UrlByte : std::uint8_t {
  kUnreserved = 1,  // letters, digits, "-._~"
  kReserved = 2,    // gen-delims, sub-delims and '%': an escape of these never equals the plain byte
  kInPath = 4,      // may stand in a path as it is; '[' and ']' as well, as browsers and Go leave them
  kInQuery = 8,     // may stand in a query as it is; "\^`{|}" as well, as browsers leave them
};
std::uint8_t url_byte(char c);

// "example.com:8080", "[::1]:80".
struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;  // digits; empty: none
  bool is_ipv6 = false;
};

// An authority as Host, :authority or an absolute target may carry it: DNS-like names (letters, digits,
// "-._~", no empty label but one trailing dot), IPv4, or a bracketed IPv6 address without zone; port up to
// 65535. Stricter than RFC 3986 §3.2: no user, no escapes, no "!$&'()*+,;=", because such a name can only
// confuse who reads it next.
std::optional<HostPort> parse_authority(std::string_view authority);

// Lower case, without port, brackets and one trailing dot; an IPv6 address as canonical_ipv6() has it.
void canonical_host(const HostPort& from, std::string& host);

// "2001:DB8:0::1" as "2001:db8::1" (RFC 5952); nothing when it is no IPv6 address.
std::optional<std::string> canonical_ipv6(std::string_view text);

enum class TargetForm : std::uint8_t { Origin, Absolute, Asterisk };

// A request target taken apart (RFC 9112 §3.2), all still escaped.
struct Target {
  TargetForm form = TargetForm::Origin;
  std::string_view authority;  // of the absolute form, not yet checked
  std::string_view path;       // "/…", "*"; empty only in "http://host"
  std::string_view query;
  bool has_query = false;
};

// Origin-form, absolute-form with http or https, or "*"; nothing else is a target ("http:http://x", "x", "").
std::optional<Target> split_target(std::string_view target);

// Decodes every %XX. Nothing when an escape is broken.
std::optional<std::string> percent_decode(std::string_view text);
// The same for a key or value of a query, where '+' is a space.
std::optional<std::string> decode_query(std::string_view text);
// Whether decode_query(escaped) would be `plain`, without building it. False when an escape is broken.
bool query_equals(std::string_view escaped, std::string_view plain);

// Escapes all bytes without one of the classes `keep`; '%' is always escaped.
std::string percent_encode(std::string_view text, std::uint8_t keep = kUnreserved);
void append_escape(std::string& out, char byte);  // "%0A"

struct QueryParameter {
  std::string_view key;    // still escaped
  std::string_view value;  // still escaped; empty without '='
};

// The parameters of a query in order: `for (const auto& [key, value] : QueryParameters(query))`.
// Parts without a byte are skipped, as in Go.
class QueryParameters {
 public:
  explicit QueryParameters(std::string_view query) : query_(query) {}

  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) { ++*this; }
    const QueryParameter& operator*() const { return now_; }
    const QueryParameter* operator->() const { return &now_; }
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return at_end_; }

   private:
    std::string_view rest_;
    QueryParameter now_;
    bool at_end_ = false;
  };

  Iterator begin() const { return Iterator(query_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view query_;
};

}  // namespace fairlead::http
