#include "engine/event/timer.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace fairlead::event {

void Timer::arm(TimePoint deadline) {
  deadline_ = deadline;
  armed_ = true;
  if (slot_ != kUnlinked) {
    // Still linked for an earlier or equal moment: the wheel will look and move it on.
    if (wheel_->tick_of(deadline, true) >= slot_tick_) return;
    wheel_->unlink(*this);
  }
  wheel_->link(*this);
}

void Timer::cancel() {
  armed_ = false;
  if (slot_ != kUnlinked) wheel_->unlink(*this);
}

TimerWheel::~TimerWheel() {
  for (auto& level : slots_)
    for (Timer* timer : level)
      while (timer) {
        Timer* next = timer->next_;
        timer->slot_ = Timer::kUnlinked;
        timer->armed_ = false;
        timer = next;
      }
}

std::uint64_t TimerWheel::tick_of(TimePoint when, bool round_up) const {
  if (when <= start_) return 0;
  const auto since = static_cast<std::uint64_t>((when - start_).count());
  const std::uint64_t up = round_up ? (1ULL << kTickShift) - 1 : 0;
  if (since > std::numeric_limits<std::uint64_t>::max() - up) return since >> kTickShift;
  return (since + up) >> kTickShift;
}

void TimerWheel::link(Timer& timer) {
  std::uint64_t due = std::max(tick_of(timer.deadline_, true), tick_);
  // The farthest slot stands for everything beyond it; the timer is looked at again there.
  constexpr std::uint64_t kHorizon = (255ULL << 16) - 1;
  due = std::min(due, tick_ + kHorizon);
  const std::uint64_t distance = due - tick_;
  const int level = distance < 256 ? 0 : distance < (255ULL << 8) ? 1 : 2;
  const std::size_t index = (due >> (8 * level)) & 255;
  timer.slot_tick_ = (due >> (8 * level)) << (8 * level);
  timer.slot_ = static_cast<std::uint16_t>(level * 256 + static_cast<int>(index));
  Timer*& head = slots_[static_cast<std::size_t>(level)][index];
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head) head->previous_ = &timer;
  head = &timer;
  occupied_[static_cast<std::size_t>(level)][index / 64] |= 1ULL << (index % 64);
}

void TimerWheel::unlink(Timer& timer) {
  const std::size_t level = timer.slot_ / 256;
  const std::size_t index = timer.slot_ % 256;
  Timer*& head = slots_[level][index];
  (timer.previous_ ? timer.previous_->next_ : head) = timer.next_;
  if (timer.next_) timer.next_->previous_ = timer.previous_;
  if (!head) occupied_[level][index / 64] &= ~(1ULL << (index % 64));
  timer.next_ = timer.previous_ = nullptr;
  timer.slot_ = Timer::kUnlinked;
}

void TimerWheel::run_slot(int level, std::size_t index, TimePoint now) {
  Timer*& head = slots_[static_cast<std::size_t>(level)][index];
  while (Timer* timer = head) {
    unlink(*timer);
    if (!timer->armed_) continue;
    if (timer->deadline_ > now) {
      link(*timer);
      if (head == timer) break;  // linked into this very slot again: due a whole turn later
      continue;
    }
    timer->armed_ = false;
    timer->user_->on_timer(*timer);
  }
}

void TimerWheel::advance(TimePoint now) {
  const std::uint64_t target = tick_of(now, false);
  while (tick_ <= target) {
    // Far levels first: what they hold may be due in this very tick.
    if ((tick_ & 0xffff) == 0) run_slot(2, (tick_ >> 16) & 255, now);
    if ((tick_ & 0xff) == 0) run_slot(1, (tick_ >> 8) & 255, now);
    run_slot(0, tick_ & 255, now);
    ++tick_;
    // Skip empty stretches: to the next occupied slot, a turn of level 0, or the target.
    const TimePoint upcoming = next();
    const std::uint64_t next_tick = upcoming == TimePoint::max() ? target + 1 : tick_of(upcoming, true);
    tick_ = std::max(tick_, std::min(next_tick, target + 1));
  }
}

TimePoint TimerWheel::next() const {
  std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
  for (int level = 0; level < kLevels; ++level) {
    const auto& words = occupied_[static_cast<std::size_t>(level)];
    if (std::ranges::all_of(words, [](std::uint64_t word) { return word == 0; })) continue;
    // A slot of a far level is run when its first tick comes: count from the first start not yet passed.
    const std::uint64_t unit = 1ULL << (8 * level);
    const std::uint64_t first = (tick_ + unit - 1) >> (8 * level);
    for (std::uint64_t step = 0; step < kSlots;) {
      const std::size_t index = (first + step) & 255;
      const std::uint64_t word = words[index / 64] >> (index % 64);
      if (word == 0) {
        step += 64 - index % 64;
        continue;
      }
      step += static_cast<std::uint64_t>(std::countr_zero(word));
      if (step < kSlots) best = std::min(best, (first + step) << (8 * level));
      break;
    }
  }
  if (best == std::numeric_limits<std::uint64_t>::max()) return TimePoint::max();
  return start_ + Duration(static_cast<Duration::rep>(best << kTickShift));
}

}  // namespace fairlead::event
