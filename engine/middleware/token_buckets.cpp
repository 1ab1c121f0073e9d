#include "engine/middleware/token_buckets.h"

#include "engine/base/assert.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

namespace fairlead::middleware {
namespace {

std::uint64_t random_salt() {
  std::uint64_t salt = 0;
  FL_ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(&salt), sizeof salt) == 1,
            "the system gives random bytes");
  return salt;
}

// A bucket that takes 36 years to fill is as good as a larger one, and its times never overflow.
BucketRules bounded(BucketRules rules) {
  constexpr std::int64_t kLongest = std::int64_t{1} << 60;  // ns
  rules.interval = std::clamp(rules.interval, Duration(1), Duration(kLongest));
  rules.burst = std::clamp<std::int64_t>(rules.burst, 1, kLongest / rules.interval.count());
  return rules;
}

}  // namespace

void TokenBuckets::Free::operator()(Bucket* buckets) const { std::free(buckets); }

TokenBuckets::TokenBuckets(const BucketRules& rules) : rules_(bounded(rules)), salt_(random_salt()) {
  static_assert(std::is_trivially_destructible_v<Bucket>);
  // Zero bytes are a valid, free bucket; calloc leaves untouched pages to the kernel.
  buckets_.reset(static_cast<Bucket*>(std::calloc(kSources, sizeof(Bucket))));
  FL_ASSERT(buckets_, "memory");
}

std::uint64_t TokenBuckets::hash(std::string_view source, std::string_view owner) const {
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  const std::array<std::uint64_t, 2> front = {salt_, owner.size()};
  std::array<char, 512> room;
  const std::size_t size = sizeof front + owner.size() + source.size();
  if (size > room.size()) {
    std::string text(reinterpret_cast<const char*>(front.data()), sizeof front);
    text.append(owner).append(source);
    return std::hash<std::string_view>{}(text) | 1;
  }
  std::memcpy(room.data(), front.data(), sizeof front);
  std::ranges::copy(source, std::ranges::copy(owner, room.data() + sizeof front).out);
  return std::hash<std::string_view>{}({room.data(), size}) | 1;
}

TokenBuckets::Bucket& TokenBuckets::bucket_of(std::uint64_t tag, std::int64_t now) {
  const std::size_t set = (tag >> 1) % kSets;
  Bucket* const ways = &buckets_[set * kWays];
  for (std::size_t i = 0; i < kWays; ++i)
    if (ways[i].tag.load(std::memory_order_acquire) == tag) return ways[i];

  const std::lock_guard lock(locks_[set % kLocks]);
  Bucket* place = nullptr;
  for (std::size_t i = 0; i < kWays; ++i) {
    const std::uint64_t other = ways[i].tag.load(std::memory_order_relaxed);
    if (other == tag) return ways[i];
    if (place && place->tag.load(std::memory_order_relaxed) == 0) continue;
    if (!place || other == 0 ||
        ways[i].full_at.load(std::memory_order_relaxed) < place->full_at.load(std::memory_order_relaxed))
      place = &ways[i];
  }
  // Zero first: whoever still holds the old source then works on a bucket that belongs to nobody yet.
  place->tag.store(0, std::memory_order_relaxed);
  place->full_at.store(now, std::memory_order_relaxed);
  place->seen_at.store(now, std::memory_order_relaxed);
  place->tag.store(tag, std::memory_order_release);
  return *place;
}

TokenBuckets::Decision TokenBuckets::take_from(Bucket& bucket, std::int64_t now) const {
  const std::int64_t interval = rules_.interval.count();
  bool forgotten = now - bucket.seen_at.load(std::memory_order_relaxed) > rules_.forget_after.count();
  bucket.seen_at.store(now, std::memory_order_relaxed);
  std::int64_t full_at = bucket.full_at.load(std::memory_order_relaxed);
  while (true) {
    const std::int64_t from = forgotten ? now : std::max(full_at, now);
    // As many tokens are missing as intervals pass until the bucket is full; what is missing beyond the burst
    // has to be waited for.
    const std::int64_t missing = from + interval - now;
    const std::int64_t wait = std::max<std::int64_t>(0, missing - interval * rules_.burst);
    if (wait > rules_.max_delay.count()) return {.allowed = false, .wait = Duration(wait)};
    if (bucket.full_at.compare_exchange_strong(full_at, from + interval, std::memory_order_relaxed))
      return {.allowed = true, .wait = Duration(wait)};
    forgotten = false;  // another worker has begun the bucket anew
  }
}

TokenBuckets::Decision TokenBuckets::take(std::string_view source, TimePoint now, std::string_view owner) {
  const std::int64_t time = now.time_since_epoch().count();
  return take_from(bucket_of(hash(source, owner), time), time);
}

}  // namespace fairlead::middleware
