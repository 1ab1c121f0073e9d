#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::acme::dns {

// RFC 1035 §3.2.2, RFC 3596, RFC 8945, RFC 8659.
enum class Type : std::uint16_t {
  A = 1,
  NS = 2,
  CNAME = 5,
  SOA = 6,
  TXT = 16,
  AAAA = 28,
  TSIG = 250,
  ANY = 255,
  CAA = 257
};

inline constexpr std::uint16_t kClassIn = 1;
inline constexpr std::uint16_t kClassNone = 254;
inline constexpr std::uint16_t kClassAny = 255;

enum Rcode : int { kNoError = 0, kNxDomain = 3 };

struct ResourceRecord {
  std::string name;  // lower case, without the dot at the end
  std::uint16_t type = 0;
  std::uint16_t dns_class = 0;
  std::uint32_t ttl = 0;   // s
  std::string data;        // as received
  std::string target;      // of NS and CNAME: lower case, without the dot at the end
  std::size_t begins = 0;  // where it stands in the message

  bool is(Type wanted) const { return type == static_cast<std::uint16_t>(wanted); }
};

// A DNS message as far as it matters here: what a server answered.
struct Message {
  std::uint16_t id = 0;
  bool is_response = false;
  bool authoritative = false;
  bool truncated = false;
  int rcode = 0;
  std::vector<ResourceRecord> answers, authority, additional;
};

// Nothing when it is no whole message (RFC 1035 §4).
std::optional<Message> parse_message(std::string_view bytes);

// The strings of a TXT record in one piece; nothing when they overrun it.
std::optional<std::string> txt_value(const ResourceRecord& record);

// RFC 8659 §4.1.
struct CaaProperty {
  bool critical = false;
  std::string tag;  // lower case
  std::string value;
};
std::optional<CaaProperty> caa_property(const ResourceRecord& record);

// "NXDOMAIN", "SERVFAIL", "REFUSED", …
std::string rcode_text(int rcode);

void put16(std::string& out, std::uint32_t value);
void put32(std::string& out, std::uint32_t value);
std::uint16_t get16(std::string_view bytes, std::size_t at);

// Appends a name in wire form, lower case and uncompressed; false when it is none (labels of 1 to 63 bytes,
// 255 in all).
bool put_name(std::string& out, std::string_view name);

// Lower case, without the dot at the end.
std::string canonical(std::string_view name);
// The part in front of the zone: "_acme-challenge.www" of _acme-challenge.www.example.com in example.com;
// empty for the zone itself.
std::string relative_name(std::string_view name, std::string_view zone);

}  // namespace fairlead::acme::dns
