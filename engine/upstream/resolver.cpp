#include "engine/upstream/resolver.h"

#include "engine/event/offload.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace fairlead::upstream {
namespace {

constexpr auto kKept = std::chrono::seconds(5);
constexpr std::size_t kMaxNames = 4096;

struct Known {
  std::vector<net::Ip> addresses;
  TimePoint until;
};
thread_local std::unordered_map<std::string, Known> known;

Result<std::vector<net::Ip>> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed)
    return fail(502, Fault::Upstream, fmt::format("looking up {}: {}", host, ::gai_strerror(failed)), true);
  std::vector<net::Ip> addresses;
  for (const addrinfo* at = found; at; at = at->ai_next) {
    sockaddr_storage raw{};
    std::memcpy(&raw, at->ai_addr, at->ai_addrlen);
    const net::Ip ip = net::Address::from(raw).ip;
    if (std::ranges::find(addresses, ip) == addresses.end()) addresses.push_back(ip);
  }
  ::freeaddrinfo(found);
  if (addresses.empty())
    return fail(502, Fault::Upstream, fmt::format("looking up {}: no address", host), true);
  return addresses;
}

}  // namespace

Task<Result<std::vector<net::Ip>>> resolve(event::Loop& loop, std::string host) {
  if (const auto at = known.find(host); at != known.end() && at->second.until > loop.now())
    co_return at->second.addresses;
  Result<std::vector<net::Ip>> found =
      co_await event::Offload::shared().run(loop, event::Lane::Names, [host] { return ask_system(host); });
  if (!found) co_return found;
  if (known.size() >= kMaxNames) known.clear();
  known[host] = {*found, loop.now() + kKept};
  co_return found;
}

}  // namespace fairlead::upstream
