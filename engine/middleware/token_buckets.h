#pragma once

#include "engine/base/clock.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace fairlead::middleware {

struct BucketRules {
  Duration interval{};      // between two tokens; above zero
  std::int64_t burst = 1;   // tokens that a full bucket holds
  Duration max_delay{};     // a request waits this long at most
  Duration forget_after{};  // a source that was silent for so long starts with a full bucket
};

// Token buckets by source, shared by all workers.
//
// A bucket is one number, the time at which it will be full again: taking a token moves it on by one
// interval. That is the same arithmetic as counting tokens, but fits one compare-and-swap, so a hot source
// costs no lock. At most 65,536 sources are kept, in sets of 16; a source new to a full set takes the place
// of the one that will be full again first, whose loss changes least. Sources are known by a salted 64-bit
// hash.
class TokenBuckets {
 public:
  static constexpr std::size_t kSources = 65'536;

  explicit TokenBuckets(const BucketRules& rules);

  struct Decision {
    bool allowed = true;
    Duration wait{};  // when allowed: before going on; else: until it would be
  };
  // Takes a token when the wait for it is at most max_delay; else leaves the bucket as it is. A source has a
  // bucket with each owner.
  Decision take(std::string_view source, TimePoint now, std::string_view owner = {});

 private:
  static constexpr std::size_t kWays = 16;
  static constexpr std::size_t kSets = kSources / kWays;
  static constexpr std::size_t kLocks = 64;

  struct Bucket {
    std::atomic<std::uint64_t> tag = 0;     // hash of the source; 0: free
    std::atomic<std::int64_t> full_at = 0;  // ns
    std::atomic<std::int64_t> seen_at = 0;  // ns
  };
  struct Free {
    void operator()(Bucket* buckets) const;
  };

  std::uint64_t hash(std::string_view source, std::string_view owner) const;
  Bucket& bucket_of(std::uint64_t tag, std::int64_t now);
  Decision take_from(Bucket& bucket, std::int64_t now) const;

  const BucketRules rules_;
  const std::uint64_t salt_;
  std::unique_ptr<Bucket[], Free> buckets_;  // pages that no source touched cost no memory
  std::array<std::mutex, kLocks> locks_;     // for placing a new source in its set
};

}  // namespace fairlead::middleware
