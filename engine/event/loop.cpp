#include "engine/event/loop.h"

#include "engine/base/assert.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace fairlead::event {
namespace {
constexpr int kEventsPerWait = 256;
using Events = std::array<epoll_event, kEventsPerWait>;

// Asks for cache lines (64 bytes) from `begin` on. A number, since any address will do: also those near null.
void fetch(std::uintptr_t begin, std::uintptr_t lines) {
  for (std::uintptr_t line = 0; line < lines; ++line)
    __builtin_prefetch(reinterpret_cast<const void*>(begin + line * 64));
}

// With hundreds of connections busy none is in the cache any more when its turn comes: while event `at` is
// handled, the objects of the next two are on their way.
void fetch_ahead(const Events& events, int at, int count) {
  const auto handler = [&](int index) { return events[static_cast<std::size_t>(index)].data.ptr; };
  // A handler is a part of its object, which begins some 100 bytes before it.
  if (at + 2 < count) fetch(reinterpret_cast<std::uintptr_t>(handler(at + 2)) - 128, 5);
  if (at + 1 >= count) return;
  if (const auto* next = static_cast<const Handler*>(handler(at + 1)))
    fetch(reinterpret_cast<std::uintptr_t>(next->foresee()), 12);
}
}  // namespace

TickHook::~TickHook() {
  if (queued_in_) queued_in_->forget(*this);
}

Loop::Loop(const Clock& clock)
    : clock_(clock),
      now_(clock.now()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      timers_(now_),
      receive_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)) {
  FL_ASSERT(epoll_, "an epoll descriptor can be had at start");
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  FL_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, mailbox_.fd(), &event) == 0,
            "the mailbox can be watched");
}

Loop::~Loop() { end_tick(); }

bool Loop::add(int fd, Handler& handler, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Loop::change(int fd, Handler& handler, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Loop::forget(TickHook& hook) {
  std::ranges::replace(hooks_, &hook, static_cast<TickHook*>(nullptr));
  hook.queued_in_ = nullptr;
}

void Loop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) run_once(std::chrono::hours(1));
  stopping_.store(false, std::memory_order_relaxed);
}

void Loop::stop() {
  post([this] { stopping_.store(true, std::memory_order_relaxed); });
}

int Loop::wait_ms(Duration wait) const {
  if (!clock_.runs()) return 0;
  const TimePoint next = timers_.next();
  if (next != TimePoint::max()) wait = std::min(wait, std::max(next - now_, Duration{0}));
  // Rounded up: waking a millisecond early would spin until the timer is due.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 3'600'000));
}

void Loop::run_once(Duration wait) {
  Events events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsPerWait, wait_ms(wait));
  now_ = clock_.now();
  bool mail = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    fetch_ahead(events, i, count);
    if (auto* handler = static_cast<Handler*>(event.data.ptr))
      handler->on_event(event.events);
    else
      mail = true;
  }
  if (mail) mailbox_.run();
  timers_.advance(now_);
  end_tick();
}

void Loop::end_tick() {
  // A hook may queue others, and destruction may queue hooks and further destruction.
  while (!hooks_.empty() || !dead_.empty()) {
    for (std::size_t i = 0; i < hooks_.size(); ++i) {
      TickHook* hook = hooks_[i];
      if (!hook) continue;
      hook->queued_in_ = nullptr;
      hook->on_tick_end();
    }
    hooks_.clear();
    std::vector<std::unique_ptr<Destroyable>> dead;
    dead.swap(dead_);
  }
}

}  // namespace fairlead::event
