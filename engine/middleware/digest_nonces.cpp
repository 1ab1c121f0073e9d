#include "engine/middleware/digest_nonces.h"

#include "engine/base/strings.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <charconv>
#include <optional>

namespace fairlead::middleware {
namespace {

constexpr std::size_t kNumberDigits = 16;
constexpr std::size_t kMacDigits = 32;
constexpr std::uint64_t kWindow = 64;

std::string mac(const KeyedHash& hash, std::string_view numbers) {
  const KeyedHash::Digest digest = hash.of({"nonce", numbers});
  std::string out;
  for (std::size_t i = 0; i < kMacDigits / 2; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

// When it was made, in nanoseconds; the nonce is one of ours.
std::int64_t born(std::string_view nonce) {
  std::uint64_t value = 0;
  std::from_chars(nonce.data(), nonce.data() + kNumberDigits, value, 16);
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::string DigestNonces::make(TimePoint now) {
  std::uint64_t serial = 0;
  {
    const std::lock_guard lock(mutex_);
    serial = ++serial_;
  }
  std::string numbers =
      fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(now.time_since_epoch().count()), serial);
  return numbers + mac(hash_, numbers);
}

DigestNonces::Verdict DigestNonces::check(std::string_view nonce, TimePoint now) const {
  if (nonce.size() != 2 * kNumberDigits + kMacDigits) return Verdict::Unknown;
  const std::string_view numbers = nonce.substr(0, 2 * kNumberDigits);
  const std::string expected = mac(hash_, numbers);
  if (CRYPTO_memcmp(expected.data(), nonce.data() + numbers.size(), kMacDigits) != 0) return Verdict::Unknown;
  const std::int64_t age = now.time_since_epoch().count() - born(nonce);
  return age <= kLifetime.count() ? Verdict::Fresh : Verdict::Stale;
}

DigestNonces::Verdict DigestNonces::use(std::string_view nonce, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  auto found = used_.find(nonce);
  if (found == used_.end()) {
    const std::int64_t birth = born(nonce);
    if (birth <= oldest_unkept_) return Verdict::Stale;
    if (used_.size() == kMost) {
      const auto oldest = by_birth_.begin();
      oldest_unkept_ = oldest->first;
      used_.erase(oldest->second);
      by_birth_.erase(oldest);
      if (birth <= oldest_unkept_) return Verdict::Stale;
    }
    found = used_.emplace(std::string(nonce), Used{.born = birth, .highest = 0, .seen = 0}).first;
    by_birth_.emplace(birth, nonce);
  }
  Used& used = found->second;
  if (count > used.highest) {
    const std::uint64_t step = count - used.highest;
    used.seen = step < kWindow ? used.seen << step | 1 : 1;
    used.highest = count;
    return Verdict::Fresh;
  }
  const std::uint64_t behind = used.highest - count;
  if (behind >= kWindow || (used.seen >> behind & 1) != 0) return Verdict::Stale;
  used.seen |= std::uint64_t{1} << behind;
  return Verdict::Fresh;
}

}  // namespace fairlead::middleware
