#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace fairlead::middleware {

// How many requests of each source run now. All workers share one; it outlives snapshots.
//
// A source is forgotten with its last request, so the memory is bounded by the requests in flight. That, and
// that two sources must never be taken for one, is why these are short locks (one of 64, by hash) and not a
// table of atomics.
class InFlightCounts {
 public:
  // One request; gives its place back when it goes away. Keep the counts alive as long.
  class Place {
   public:
    Place(Place&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), source_(std::move(other.source_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() { release(); }
    void release() {
      if (counts_) std::exchange(counts_, nullptr)->leave(source_);
    }

   private:
    friend class InFlightCounts;
    Place(InFlightCounts& counts, std::string source) : counts_(&counts), source_(std::move(source)) {}
    InFlightCounts* counts_;
    std::string source_;
  };

  // Nothing when `limit` requests of that source run already.
  std::optional<Place> enter(std::string_view source, std::int64_t limit);

 private:
  void leave(const std::string& source);

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct alignas(64) Stripe {
    std::mutex mutex;
    std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>> running;
  };
  Stripe& stripe_of(std::string_view source) { return stripes_[TextHash{}(source) % stripes_.size()]; }

  std::array<Stripe, 64> stripes_;
};

}  // namespace fairlead::middleware
