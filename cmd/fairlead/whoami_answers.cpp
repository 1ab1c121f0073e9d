#include "cmd/fairlead/whoami_answers.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"
#include "engine/net/address.h"
#include "engine/observe/access_fields.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <vector>

namespace fairlead::cmd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAlphabet = "-ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// As Go prints a header: canonical names in order, the lines of one name together.
std::map<std::string, std::vector<std::string>> sorted(const http::Fields& fields) {
  std::map<std::string, std::vector<std::string>> out;
  for (const http::Field& line : fields)
    if (line.known != http::Name::Host)
      out[observe::canonical_header_name(line.name)].emplace_back(line.value);
  return out;
}

}  // namespace

WhoamiFacts WhoamiFacts::of_machine() {
  WhoamiFacts out;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) out.hostname = name.data();
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return out;
  // Interface by interface, as Go lists them; the kernel tells all of IPv4 before IPv6.
  std::map<unsigned, std::vector<std::string>> found;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6))
      continue;
    sockaddr_storage raw{};
    std::memcpy(&raw, one->ifa_addr,
                one->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    found[::if_nametoindex(one->ifa_name)].push_back(net::Address::from(raw).ip.text());
  }
  ::freeifaddrs(all);
  for (const auto& [interface, ips] : found) out.ips.insert(out.ips.end(), ips.begin(), ips.end());
  return out;
}

std::string whoami_text(const WhoamiFacts& facts, const http::RequestHead& request) {
  std::string out;
  const auto to = std::back_inserter(out);
  if (!facts.name.empty()) fmt::format_to(to, "Name: {}\n", facts.name);
  fmt::format_to(to, "Hostname: {}\n", facts.hostname);
  for (const std::string& ip : facts.ips) fmt::format_to(to, "IP: {}\n", ip);
  fmt::format_to(to, "RemoteAddr: {}\n", facts.remote);
  const auto fields = sorted(request.fields);
  fmt::format_to(to, "{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target, request.authority);
  const auto write = [&](const std::string& name, const std::vector<std::string>& values) {
    for (const std::string& value : values) fmt::format_to(to, "{}: {}\r\n", name, value);
  };
  // These stand before all others, in this order.
  constexpr std::array kFirst = {"User-Agent", "Content-Length", "Transfer-Encoding"};
  for (const char* name : kFirst)
    if (const auto found = fields.find(name); found != fields.end()) write(found->first, found->second);
  for (const auto& [name, values] : fields)
    if (std::ranges::find(kFirst, name) == kFirst.end()) write(name, values);
  out += "\r\n";
  return out;
}

std::string whoami_json(const WhoamiFacts& facts, const http::RequestHead& request) {
  Json out;
  if (!facts.hostname.empty()) out["hostname"] = facts.hostname;
  if (!facts.ips.empty()) out["ip"] = facts.ips;
  out["headers"] = sorted(request.fields);
  out["url"] = request.target;
  out["host"] = request.authority;
  out["method"] = request.method;
  if (!facts.name.empty()) out["name"] = facts.name;
  out["remoteAddr"] = facts.remote;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string parameter(std::string_view query, std::string_view name) {
  for (const auto& [key, value] : http::QueryParameters(query))
    if (http::query_equals(key, name)) return http::decode_query(value).value_or(std::string());
  return {};
}

std::uint64_t data_size(std::string_view query) {
  const std::string text = parameter(query, "size");
  const auto size = parse_integer(text);
  if (!size) return 1;
  if (*size < 0) return 0;
  const std::string unit = lower(parameter(query, "unit"));
  constexpr std::array<std::string_view, 4> kUnits = {"kb", "mb", "gb", "tb"};
  const auto found = std::ranges::find(kUnits, unit);
  const auto shift = found == kUnits.end() ? 0 : 10 * (found - kUnits.begin() + 1);
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto wanted = static_cast<std::uint64_t>(*size);
  return wanted > kMost >> shift ? kMost : wanted << shift;
}

void append_data(std::string& out, std::uint64_t offset, std::size_t bytes, std::uint64_t size) {
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::uint64_t at = offset + i;
    out += at == 0 || at == size - 1 ? '|' : kAlphabet[at % kAlphabet.size()];
  }
}

}  // namespace fairlead::cmd
