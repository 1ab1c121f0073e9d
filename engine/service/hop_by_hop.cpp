#include "engine/service/hop_by_hop.h"

#include "engine/base/strings.h"

#include <algorithm>

namespace fairlead::service {
namespace {

bool before(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b, {}, to_lower, to_lower);
}

using http::Name;

// Of one hop by themselves, without being named in Connection (RFC 9110 §7.6.1).
constexpr std::uint64_t kAlways =
    http::name_bits(Name::Connection, Name::ProxyConnection, Name::KeepAlive, Name::ProxyAuthenticate,
                    Name::ProxyAuthorization, Name::Trailer, Name::TransferEncoding, Name::Upgrade);

}  // namespace

std::vector<std::string_view> named_in_connection(const http::Fields& fields) {
  std::vector<std::string_view> named;
  if (!fields.may_have(http::name_bit(Name::Connection))) return named;
  for (const http::Field& line : fields) {
    if (line.known != Name::Connection || iequals(line.value, "keep-alive") || iequals(line.value, "close"))
      continue;
    for (const std::string_view part : split(line.value, ',')) {
      const std::string_view token = trim(part);
      if (!token.empty() && !iequals(token, "close") && !iequals(token, "keep-alive") &&
          !iequals(token, "upgrade"))
        named.push_back(token);
    }
  }
  // A server may name as many as its head has room for, and each field is looked for among them.
  std::ranges::sort(named, before);
  return named;
}

bool is_named(const std::vector<std::string_view>& named, std::string_view name) {
  return !named.empty() && std::ranges::binary_search(named, name, before);
}

void remove_hop_by_hop(http::Fields& fields, bool trailers) {
  const std::uint64_t always = trailers ? kAlways & ~http::name_bit(Name::Trailer) : kAlways;
  if (!fields.may_have(always | http::name_bit(Name::Te))) return;
  const std::vector<std::string_view> named = named_in_connection(fields);
  // Of what a client can do with the answer, trailers alone are a matter of both hops.
  const http::Field* te = fields.find(Name::Te);
  if (te && !iequals(te->value, "trailers") && http::has_token(fields.joined("Te"), "trailers"))
    fields.set(Name::Te, "trailers");
  fields.remove_if([&](const http::Field& line) {
    if ((always & http::name_bit(line.known)) != 0) return true;
    if (line.known == Name::Te) return !iequals(line.value, "trailers");
    return line.known != Name::ContentLength && is_named(named, line.name);
  });
}

}  // namespace fairlead::service
