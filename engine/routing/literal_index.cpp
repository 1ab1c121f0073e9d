#include "engine/routing/literal_index.h"

#include <functional>

namespace fairlead::routing {
namespace {

constexpr std::size_t kFirstSlots = 8;

std::uint32_t hash_of(std::string_view text) {
  const std::size_t hash = std::hash<std::string_view>{}(text);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32)) & 0x7fffffff;
}

}  // namespace

std::size_t LiteralIndex::slot_of(const char* storage, std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {  // ends: a quarter of the slots is free
    const Slot& slot = slots_[i];
    if (slot.value == kFree) return i;
    if ((slot.hash & ~kSingle) == hash && text == std::string_view(storage + slot.text.at, slot.text.bytes))
      return i;
  }
}

void LiteralIndex::grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.value == kFree) continue;
    std::size_t i = slot.hash & mask;
    while (slots_[i].value != kFree) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

void LiteralIndex::add(const char* storage, Place text, std::uint32_t rank) {
  if ((lists_ + 1) * std::size_t{4} > slots_.size() * 3) grow();
  const std::string_view view(storage + text.at, text.bytes);
  const std::uint32_t hash = hash_of(view);
  Slot& slot = slots_[slot_of(storage, view, hash)];
  if (slot.value == kFree) {
    slot = {hash, text, lists_++};
    last_.push_back(kFree);
  }
  if (last_[slot.value] == rank) return;
  last_[slot.value] = rank;
  added_.emplace_back(slot.value, rank);
}

void LiteralIndex::seal() {
  std::vector<std::uint32_t> counts(lists_);
  for (const auto& [list, rank] : added_) ++counts[list];
  std::vector<std::uint32_t> places(lists_);
  for (std::uint32_t list = 0; list < lists_; ++list) {
    if (counts[list] == 1) continue;
    places[list] = static_cast<std::uint32_t>(ranks_.size());
    ranks_.push_back(counts[list]);
    ranks_.resize(ranks_.size() + counts[list]);
  }
  ranks_.shrink_to_fit();
  // Within a list the ascending order of arrival stays.
  std::vector<std::uint32_t> next(lists_);
  for (const auto& [list, rank] : added_)
    if (counts[list] > 1) ranks_[places[list] + 1 + next[list]++] = rank;
  for (Slot& slot : slots_) {
    if (slot.value == kFree) continue;
    const std::uint32_t list = slot.value;
    if (counts[list] == 1) {
      slot.hash |= kSingle;
      slot.value = last_[list];
    } else {
      slot.value = places[list];
    }
  }
  added_ = {};
  last_ = {};
}

std::span<const std::uint32_t> LiteralIndex::find(const char* storage, std::string_view text) const {
  if (slots_.empty()) return {};
  const Slot& slot = slots_[slot_of(storage, text, hash_of(text))];
  if (slot.value == kFree) return {};
  if ((slot.hash & kSingle) != 0) return {&slot.value, 1};
  return std::span(ranks_).subspan(slot.value + 1, ranks_[slot.value]);
}

std::size_t LiteralIndex::held_bytes() const {
  return slots_.capacity() * sizeof(Slot) + ranks_.capacity() * sizeof(std::uint32_t);
}

}  // namespace fairlead::routing
