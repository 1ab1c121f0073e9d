#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::routing {

// From an exact text to the routers that demand it, by a hash table without pointers: about 24 bytes per
// text. The texts themselves stay in the storage they were given as views of, named by offset. A look-up of a
// text that one router demands touches two cache lines: the slot, and the text.
class LiteralIndex {
 public:
  // Where a text stands in the storage.
  struct Place {
    std::uint32_t at = 0;
    std::uint32_t bytes = 0;
  };

  // Lists `rank` under that text. Ranks come in ascending order; a repeated one is listed once.
  void add(const char* storage, Place text, std::uint32_t rank);
  // After the last add().
  void seal();

  bool empty() const { return lists_ == 0; }
  // The routers that demand this text, ascending; empty when there are none.
  std::span<const std::uint32_t> find(const char* storage, std::string_view text) const;
  // Calls visit(ranks) with each list of more than `least` routers. The spans are those that find() returns.
  template <class Visit>
  void each_longer_than(std::size_t least, Visit visit) const {
    for (std::size_t at = 0; at < ranks_.size(); at += 1 + ranks_[at])
      if (ranks_[at] > least) visit(std::span(ranks_).subspan(at + 1, ranks_[at]));
  }

  std::size_t held_bytes() const;

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;
  static constexpr std::uint32_t kSingle = 0x80000000;  // in Slot::hash

  struct Slot {
    std::uint32_t hash = 0;  // 31 bits, and whether `value` is a rank itself
    Place text;
    std::uint32_t value = kFree;  // number of the list; once sealed its place in ranks_, or its only rank
  };

  std::size_t slot_of(const char* storage, std::string_view text, std::uint32_t hash) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two, linear probing
  std::uint32_t lists_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> added_;  // list, rank; until seal()
  std::vector<std::uint32_t> last_;                             // per list the rank added last; until seal()
  std::vector<std::uint32_t> ranks_;  // of each list of several: how many, then they
};

}  // namespace fairlead::routing
