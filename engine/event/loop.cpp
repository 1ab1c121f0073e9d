#include "engine/event/loop.h"

#include "engine/base/assert.h"
#include "engine/base/prefetch.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace fairlead::event {
namespace {
constexpr int kEventsPerWait = 256;
// When a tick has taken long. The clock is only asked after so many bytes that one cannot be short.
constexpr auto kLongTick = std::chrono::milliseconds(5);
constexpr std::size_t kFewBytes = 256 * 1024;
constexpr std::size_t kManyBytes = 4 * 1024 * 1024;

std::size_t descriptor_of(const epoll_event& event) { return event.data.u64 & 0xffff'ffff; }
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
  registrations_.resize(static_cast<std::size_t>(mailbox_.fd()) + 1);
  FL_ASSERT(control(EPOLL_CTL_ADD, mailbox_.fd(), EPOLLIN), "the mailbox can be watched");
}

Loop::~Loop() {
  end_tick();
  for (TickHook* hook : later_)
    if (hook) hook->queued_in_ = nullptr;
}

bool Loop::control(int operation, int fd, std::uint32_t events) {
  const std::uint64_t generation = registrations_[static_cast<std::size_t>(fd)].generation;
  epoll_event event{.events = events, .data = {.u64 = generation << 32 | static_cast<std::uint32_t>(fd)}};
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

bool Loop::add(int fd, Handler& handler, std::uint32_t events) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= registrations_.size()) registrations_.resize(index + 1);
  Registration& registration = registrations_[index];
  ++registration.generation;
  registration.handler = &handler;
  return control(EPOLL_CTL_ADD, fd, events);
}

void Loop::change(int fd, std::uint32_t events) { control(EPOLL_CTL_MOD, fd, events); }

void Loop::remove(int fd) {
  forget(fd);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::forget(int fd) { registrations_[static_cast<std::size_t>(fd)].handler = nullptr; }

Handler* Loop::handler_of(const epoll_event& event) const {
  const Registration& registration = registrations_[descriptor_of(event)];
  return registration.generation == event.data.u64 >> 32 ? registration.handler : nullptr;
}

// With hundreds of connections busy none is in the cache any more when its turn comes: while event `at` is
// handled, the objects of the next three are on their way.
void Loop::fetch_ahead(std::span<const epoll_event> events, std::size_t at) const {
  // A handler is a part of its object, which begins some 100 bytes before it.
  const auto handler = [&](std::size_t ahead) -> const Handler* {
    return at + ahead < events.size() ? handler_of(events[at + ahead]) : nullptr;
  };
  prefetch(reinterpret_cast<std::uintptr_t>(handler(3)) - 128, 5);
  if (const Handler* next = handler(2)) prefetch(next->foresee(), 12);
  if (const Handler* next = handler(1)) next->foresee_further();
}

void Loop::forget(TickHook& hook) {
  std::ranges::replace(hooks_, &hook, static_cast<TickHook*>(nullptr));
  std::ranges::replace(later_, &hook, static_cast<TickHook*>(nullptr));
  hook.queued_in_ = nullptr;
}

void Loop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) run_once(std::chrono::hours(1));
  stopping_.store(false, std::memory_order_relaxed);
}

void Loop::stop() {
  post([this] { stopping_.store(true, std::memory_order_relaxed); });
}

bool Loop::overdue() const {
  if (received_ > kManyBytes) return true;
  return received_ > kFewBytes && clock_.now() - now_ > kLongTick;
}

int Loop::wait_ms(Duration wait) const {
  if (!clock_.runs() || !later_.empty()) return 0;
  const TimePoint next = timers_.next();
  if (next != TimePoint::max()) wait = std::min(wait, std::max(next - now_, Duration{0}));
  // Rounded up: waking a millisecond early would spin until the timer is due.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 3'600'000));
}

void Loop::run_once(Duration wait) {
  std::array<epoll_event, kEventsPerWait> room;
  const int count = ::epoll_wait(epoll_.get(), room.data(), kEventsPerWait, wait_ms(wait));
  now_ = clock_.now();
  ++tick_;
  received_ = hooks_run_ = 0;
  hooks_.insert(hooks_.end(), later_.begin(), later_.end());
  later_.clear();
  const std::span<const epoll_event> events(room.data(), static_cast<std::size_t>(std::max(count, 0)));
  bool mail = false;
  for (std::size_t i = 0; i < events.size(); ++i) {
    fetch_ahead(events, i);
    if (Handler* handler = handler_of(events[i]))
      handler->on_event(events[i].events);
    else if (descriptor_of(events[i]) == static_cast<std::size_t>(mailbox_.fd()))
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
      // Also a part of its object, but one of the first.
      if (i + 2 < hooks_.size()) prefetch(reinterpret_cast<std::uintptr_t>(hooks_[i + 2]) - kCacheLine, 8);
      TickHook* hook = hooks_[i];
      if (!hook) continue;
      hook->queued_in_ = nullptr;
      ++hooks_run_;
      hook->on_tick_end();
    }
    hooks_.clear();
    std::vector<std::unique_ptr<Destroyable>> dead;
    dead.swap(dead_);
  }
}

}  // namespace fairlead::event
