#include "engine/routing/client_address.h"

#include "engine/base/strings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace fairlead::routing {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0,    0,
                                                        0, 0, 0, 0, 0xff, 0xff};  // RFC 4291 §2.5.5.2
constexpr int kMappedBits = 96;

// The byte of a mask of `prefix_bits` at position `i`.
std::uint8_t mask_byte(int prefix_bits, std::size_t i) {
  const int bits = std::clamp(prefix_bits - static_cast<int>(i) * 8, 0, 8);
  return static_cast<std::uint8_t>(0xff00 >> bits);
}

}  // namespace

ClientAddress ClientAddress::v4(const std::array<std::uint8_t, 4>& address) {
  ClientAddress out;
  std::ranges::copy(kMappedPrefix, out.bytes.begin());
  std::ranges::copy(address, out.bytes.begin() + kMappedPrefix.size());
  out.known = true;
  return out;
}

std::optional<ClientAddress> ClientAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.empty() || text.size() >= sizeof terminated || text.find('\0') != text.npos) return std::nullopt;
  text.copy(terminated, text.size());
  std::array<std::uint8_t, 4> four;
  if (inet_pton(AF_INET, terminated, four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen;
  if (inet_pton(AF_INET6, terminated, sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

bool ClientAddress::is_v4() const {
  return known && std::memcmp(bytes.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0;
}

std::string text(const ClientAddress& address) {
  if (!address.known) return "unknown";
  char out[INET6_ADDRSTRLEN] = {};
  if (address.is_v4())
    inet_ntop(AF_INET, address.bytes.data() + kMappedPrefix.size(), out, sizeof out);
  else
    inet_ntop(AF_INET6, address.bytes.data(), out, sizeof out);
  return out;
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = ClientAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const bool dotted = text.substr(0, slash).find(':') == text.npos;
  int bits = 128;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto length = parse_digits(digits);
    if (!length || *length > (dotted ? 32u : 128u) || (digits.size() > 1 && digits[0] == '0'))
      return std::nullopt;
    bits = static_cast<int>(*length) + (dotted ? kMappedBits : 0);
  }
  Network out;
  out.base_ = *base;
  out.prefix_bits_ = static_cast<std::uint8_t>(bits);
  for (std::size_t i = 0; i < out.base_.bytes.size(); ++i) out.base_.bytes[i] &= mask_byte(bits, i);
  return out;
}

bool Network::contains(const ClientAddress& client) const {
  const bool v4_block = prefix_bits_ >= kMappedBits && base_.is_v4();
  if (!client.known || client.is_v4() != v4_block) return false;
  const std::size_t whole = prefix_bits_ / 8;
  if (std::memcmp(client.bytes.data(), base_.bytes.data(), whole) != 0) return false;
  return whole == client.bytes.size() ||
         (client.bytes[whole] & mask_byte(prefix_bits_, whole)) == base_.bytes[whole];
}

}  // namespace fairlead::routing
