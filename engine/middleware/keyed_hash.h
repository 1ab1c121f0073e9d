#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace fairlead::middleware {

// HMAC-SHA-256 under a key that this process made up: what it gives cannot be foretold or made to collide.
class KeyedHash {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  KeyedHash();
  static const KeyedHash& shared();

  // Each part goes in with its length, so that ("ab", "c") and ("a", "bc") differ.
  Digest of(std::initializer_list<std::string_view> parts) const;

 private:
  std::array<std::uint8_t, 32> key_{};
};

}  // namespace fairlead::middleware
