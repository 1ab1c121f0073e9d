#include "engine/net/proxy_protocol.h"

#include "engine/base/strings.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace fairlead::net {
namespace {

constexpr std::string_view kV1 = "PROXY ";
constexpr std::size_t kMaxV1 = 107;  // with CRLF, the longest line of §2.1
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Head = 16;

// §2.2, the low and high halves of bytes 13 and 14.
constexpr unsigned kVersion2 = 0x20;
constexpr unsigned kLocal = 0x0;
constexpr unsigned kProxy = 0x1;
constexpr unsigned kUnspecified = 0x0;
constexpr unsigned kInet = 0x1;
constexpr unsigned kInet6 = 0x2;
constexpr unsigned kUnix = 0x3;
constexpr unsigned kStream = 0x1;
constexpr unsigned kDatagram = 0x2;
constexpr std::array<std::size_t, 4> kAddressBytes = {0, 12, 36, 216};  // by family

ProxyResult malformed(std::string_view why) {
  ProxyResult result;
  result.status = ProxyStatus::Malformed;
  result.why = why;
  return result;
}

ProxyResult parsed(std::size_t size, std::optional<ProxiedEnds> ends = std::nullopt) {
  ProxyResult result;
  result.status = ProxyStatus::Parsed;
  result.size = size;
  result.ends = ends;
  return result;
}

// Decimal without leading zeros.
std::optional<std::uint16_t> port_of(std::string_view text) {
  if (text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto number = parse_digits(text);
  if (!number || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<Ip> ip_of(std::string_view text, bool v6) {
  if ((text.find(':') != std::string_view::npos) != v6) return std::nullopt;
  return Ip::parse(text);
}

// "TCP4 192.0.2.1 198.51.100.2 56324 443": exactly one space between the words.
ProxyResult parse_v1_line(std::string_view line, std::size_t size) {
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return parsed(size);
  const bool v4 = line.starts_with("TCP4 ");
  if (!v4 && !line.starts_with("TCP6 ")) return malformed("neither TCP4, TCP6 nor UNKNOWN");
  line.remove_prefix(5);
  std::array<std::string_view, 4> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t space = line.find(' ');
    if ((space == std::string_view::npos) != (i + 1 == words.size()))
      return malformed("not two addresses and two ports");
    words[i] = line.substr(0, space);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  const auto source = ip_of(words[0], !v4);
  const auto destination = ip_of(words[1], !v4);
  if (!source || !destination) return malformed("an address that is none of the announced family");
  const auto source_port = port_of(words[2]);
  const auto destination_port = port_of(words[3]);
  if (!source_port || !destination_port) return malformed("a port that is no number up to 65535");
  return parsed(size, ProxiedEnds{{*source, *source_port}, {*destination, *destination_port}});
}

ProxyResult parse_v1(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kMaxV1).find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= kMaxV1) return malformed("no line end within 107 bytes");
    return {};
  }
  if (bytes[end - 1] != '\r') return malformed("the line does not end with CRLF");
  const std::string_view line = bytes.substr(kV1.size(), end - 1 - kV1.size());
  if (line.find('\r') != std::string_view::npos) return malformed("a CR within the line");
  return parse_v1_line(line, end + 1);
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
std::size_t number_at(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

// What follows the addresses is a list of type, length (two bytes) and value; only its shape is looked at.
bool is_list_of_tlvs(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const std::size_t length = number_at(bytes, 1);
    if (length > bytes.size() - 3) return false;
    bytes.remove_prefix(3 + length);
  }
  return true;
}

Address address_at(std::string_view block, std::size_t ip_at, std::size_t ip_bytes, std::size_t port_at) {
  Address address;
  if (ip_bytes == 4) address.ip = *Ip::parse("0.0.0.0");
  std::memcpy(address.ip.bytes.data() + 16 - ip_bytes, block.data() + ip_at, ip_bytes);
  address.port = static_cast<std::uint16_t>(number_at(block, port_at));
  return address;
}

ProxyResult parse_v2(std::string_view bytes) {
  if (bytes.size() < kV2Head) return {};
  if ((byte_at(bytes, 12) & 0xf0) != kVersion2) return malformed("a version other than 2");
  const unsigned command = byte_at(bytes, 12) & 0x0f;
  if (command != kLocal && command != kProxy) return malformed("a command other than LOCAL and PROXY");
  // §2.2: a LOCAL header is skipped, whatever family it names and whatever it carries.
  const bool local = command == kLocal;
  const unsigned family = byte_at(bytes, 13) >> 4;
  const unsigned transport = byte_at(bytes, 13) & 0x0f;
  if (!local && (family > kUnix || transport > kDatagram)) return malformed("an unknown family or transport");
  const std::size_t length = number_at(bytes, 14);
  if (length > kMaxProxyHeaderBytes - kV2Head) return malformed("longer than 4096 bytes");
  if (!local && length < kAddressBytes[family]) return malformed("too short for its addresses");
  const std::size_t size = kV2Head + length;
  if (bytes.size() < size) return {};
  if (local || family == kUnspecified) return parsed(size);
  const std::string_view block = bytes.substr(kV2Head, length);
  if (!is_list_of_tlvs(block.substr(kAddressBytes[family])))
    return malformed("a TLV that reaches beyond the header");
  if (transport != kStream) return parsed(size);
  if (family == kInet)
    return parsed(size, ProxiedEnds{address_at(block, 0, 4, 8), address_at(block, 4, 4, 10)});
  if (family == kInet6)
    return parsed(size, ProxiedEnds{address_at(block, 0, 16, 32), address_at(block, 16, 16, 34)});
  return parsed(size);
}

std::string v6_text(const Ip& ip) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  ::inet_ntop(AF_INET6, ip.bytes.data(), out.data(), out.size());
  return out.data();
}

void put_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8 & 0xff);
  out += static_cast<char>(number & 0xff);
}

void put_ip(std::string& out, const Ip& ip, std::size_t bytes) {
  out.append(reinterpret_cast<const char*>(ip.bytes.data()) + 16 - bytes, bytes);
}

}  // namespace

ProxyResult parse_proxy_header(std::string_view bytes) {
  if (bytes.starts_with(kV1)) return parse_v1(bytes);
  if (bytes.starts_with(kV2)) return parse_v2(bytes);
  if (kV1.starts_with(bytes) || kV2.starts_with(bytes)) return {};
  ProxyResult result;
  result.status = ProxyStatus::Absent;
  return result;
}

std::string proxy_header(int version, const Address& source, const Address& destination) {
  // One family for both: a client that came by IPv4 to an IPv6 address is written as mapped.
  const bool v4 = source.ip.is_v4() && destination.ip.is_v4();
  if (version == 1)
    return fmt::format("PROXY {} {} {} {} {}\r\n", v4 ? "TCP4" : "TCP6",
                       v4 ? source.ip.text() : v6_text(source.ip),
                       v4 ? destination.ip.text() : v6_text(destination.ip), source.port, destination.port);
  const std::size_t ip_bytes = v4 ? 4 : 16;
  std::string out(kV2);
  out += static_cast<char>(kVersion2 | kProxy);
  out += static_cast<char>((v4 ? kInet : kInet6) << 4 | kStream);
  put_number(out, 2 * ip_bytes + 4);
  put_ip(out, source.ip, ip_bytes);
  put_ip(out, destination.ip, ip_bytes);
  put_number(out, source.port);
  put_number(out, destination.port);
  return out;
}

std::string own_proxy_header(int version) {
  if (version == 1) return "PROXY UNKNOWN\r\n";
  std::string out(kV2);
  out += static_cast<char>(kVersion2 | kLocal);
  out += '\0';
  put_number(out, 0);
  return out;
}

}  // namespace fairlead::net
