#pragma once

#include "engine/base/clock.h"
#include "engine/middleware/keyed_hash.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace fairlead::middleware {

// The nonces of one digestAuth, shared by all workers under a short lock (RFC 7616 §3.3, §5.4).
//
// A nonce carries its time of birth and a keyed digest, so giving one out costs no memory. The counts that
// clients used with a nonce are kept from its first good answer on, for at most 4,096 nonces; when one has to
// go, every nonce that is not younger and not kept is stale from then on, so that no count can be used twice.
class DigestNonces {
 public:
  static constexpr Duration kLifetime = std::chrono::hours(1);
  static constexpr std::size_t kMost = 4096;

  std::string make(TimePoint now);

  enum class Verdict : unsigned char { Unknown, Stale, Fresh };
  // Whether it is one of ours, and young enough.
  Verdict check(std::string_view nonce, TimePoint now) const;
  // Uses up a count of a fresh nonce, after the answer was found good. Stale when it was used before, or is
  // far behind others: requests of one client may overtake each other a little.
  Verdict use(std::string_view nonce, std::uint64_t count);

 private:
  struct Used {
    std::int64_t born = 0;
    std::uint64_t highest = 0;
    std::uint64_t seen = 0;  // bit i: highest - i was used
  };

  const KeyedHash hash_;
  mutable std::mutex mutex_;
  std::uint64_t serial_ = 0;
  std::map<std::string, Used, std::less<>> used_;
  std::multimap<std::int64_t, std::string> by_birth_;
  std::int64_t oldest_unkept_ = -1;  // nonces born up to then must be kept to be fresh
};

}  // namespace fairlead::middleware
