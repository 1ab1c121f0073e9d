#include "engine/udp/session_key.h"

#include <array>
#include <cstring>
#include <random>

namespace fairlead::udp {
namespace {

struct Secret {
  std::array<std::uint64_t, 3> words{};
  Secret() {
    std::random_device random;
    for (std::uint64_t& word : words) word = (std::uint64_t{random()} << 32 | random()) | 1;
  }
};
const Secret secret;

// Both halves of the product, so that every bit of either factor counts.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t mix_ip(const net::Ip& ip, std::uint64_t seed) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), ip.bytes.data(), 16);
  return mix(halves[0] ^ secret.words[0] ^ seed, halves[1] ^ secret.words[1]);
}

}  // namespace

SessionKey::SessionKey(const net::DatagramEnd& end) : own(end.local) {
  const net::Address address = end.address();
  client = address.ip;
  port = address.port;
  if (end.name.sin6_family == AF_INET6) scope = end.name.sin6_scope_id;
}

net::Ip source_of(const net::Ip& client) {
  net::Ip source = client;
  if (!client.is_v4()) std::memset(source.bytes.data() + 8, 0, 8);
  return source;
}

std::size_t KeyedHash::operator()(const SessionKey& key) const {
  const std::uint64_t rest = std::uint64_t{key.scope} << 16 | key.port;
  return mix(mix_ip(key.own, mix_ip(key.client, 0)) ^ rest, secret.words[2]);
}

std::size_t KeyedHash::operator()(const net::Ip& ip) const { return mix(mix_ip(ip, 0), secret.words[2]); }

}  // namespace fairlead::udp
