#include "acme/dns/message.h"

#include "engine/base/strings.h"

#include <ares.h>
#include <fmt/format.h>

namespace fairlead::acme::dns {
namespace {

constexpr std::size_t kHeaderBytes = 12;

// Reads a name at `at` and moves behind it. The library bounds its compression pointers.
std::optional<std::string> take_name(std::string_view bytes, std::size_t& at) {
  if (at >= bytes.size()) return std::nullopt;
  const auto* start = reinterpret_cast<const unsigned char*>(bytes.data());
  char* text = nullptr;
  long encoded = 0;
  if (ares_expand_name(start + at, start, static_cast<int>(bytes.size()), &text, &encoded) != ARES_SUCCESS)
    return std::nullopt;
  std::string name = canonical(text);
  ares_free_string(text);
  at += static_cast<std::size_t>(encoded);
  return name;
}

std::uint32_t get32(std::string_view bytes, std::size_t at) {
  return std::uint32_t{get16(bytes, at)} << 16 | get16(bytes, at + 2);
}

bool take_records(std::string_view bytes, std::size_t& at, std::size_t count,
                  std::vector<ResourceRecord>& into) {
  constexpr std::size_t kFixed = 10;  // type, class, TTL, length
  for (std::size_t i = 0; i < count; ++i) {
    ResourceRecord record;
    record.begins = at;
    auto name = take_name(bytes, at);
    if (!name || bytes.size() < at + kFixed) return false;
    record.name = std::move(*name);
    record.type = get16(bytes, at);
    record.dns_class = get16(bytes, at + 2);
    record.ttl = get32(bytes, at + 4);
    const std::size_t length = get16(bytes, at + 8);
    at += kFixed;
    if (bytes.size() - at < length) return false;
    record.data = bytes.substr(at, length);
    if (record.is(Type::NS) || record.is(Type::CNAME)) {
      std::size_t inside = at;
      auto target = take_name(bytes, inside);
      if (!target || inside != at + length) return false;
      record.target = std::move(*target);
    }
    at += length;
    into.push_back(std::move(record));
  }
  return true;
}

}  // namespace

std::uint16_t get16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

void put16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

std::optional<Message> parse_message(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || bytes.size() > 65'535) return std::nullopt;
  Message message;
  message.id = get16(bytes, 0);
  const std::uint16_t flags = get16(bytes, 2);
  message.is_response = flags & 0x8000;
  message.authoritative = flags & 0x0400;
  message.truncated = flags & 0x0200;
  message.rcode = flags & 0xf;
  std::size_t at = kHeaderBytes;
  for (std::size_t questions = get16(bytes, 4); questions > 0; --questions) {
    if (!take_name(bytes, at) || bytes.size() < at + 4) return std::nullopt;
    at += 4;
  }
  if (!take_records(bytes, at, get16(bytes, 6), message.answers) ||
      !take_records(bytes, at, get16(bytes, 8), message.authority) ||
      !take_records(bytes, at, get16(bytes, 10), message.additional))
    return std::nullopt;
  return message;
}

std::optional<std::string> txt_value(const ResourceRecord& record) {
  std::string value;
  const std::string_view data = record.data;
  for (std::size_t at = 0; at < data.size();) {
    const auto length = static_cast<unsigned char>(data[at++]);
    if (data.size() - at < length) return std::nullopt;
    value += data.substr(at, length);
    at += length;
  }
  return value;
}

std::optional<CaaProperty> caa_property(const ResourceRecord& record) {
  const std::string_view data = record.data;
  if (data.size() < 2) return std::nullopt;
  const auto tag_bytes = static_cast<unsigned char>(data[1]);
  if (tag_bytes == 0 || data.size() < 2u + tag_bytes) return std::nullopt;
  return CaaProperty{.critical = (data[0] & 0x80) != 0,
                     .tag = lower(data.substr(2, tag_bytes)),
                     .value = std::string(data.substr(2u + tag_bytes))};
}

std::string rcode_text(int rcode) {
  static constexpr const char* kNames[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                           "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
  if (rcode >= 0 && rcode < static_cast<int>(std::size(kNames))) return kNames[rcode];
  return fmt::format("RCODE {}", rcode);
}

bool put_name(std::string& out, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::size_t before = out.size();
  if (!name.empty()) {
    for (const std::string_view label : split(name, '.')) {
      if (label.empty() || label.size() > 63) return false;
      out += static_cast<char>(label.size());
      out += lower(label);
    }
  }
  out += '\0';
  return out.size() - before <= 255;
}

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower(name);
}

std::string relative_name(std::string_view name, std::string_view zone) {
  if (name.size() <= zone.size()) return {};
  return std::string(name.substr(0, name.size() - zone.size() - (zone.empty() ? 0 : 1)));
}

}  // namespace fairlead::acme::dns
