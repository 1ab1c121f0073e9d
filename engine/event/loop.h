#pragma once

#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/task.h"
#include "engine/event/mailbox.h"
#include "engine/event/timer.h"

#include <sys/epoll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace fairlead::event {

// What a registered descriptor belongs to. `events` are EPOLL* bits.
class Handler {
 public:
  virtual void on_event(std::uint32_t events) = 0;
  // What on_event() will look at first, to be fetched into the cache while the event before is handled.
  virtual const void* foresee() const { return nullptr; }
  // Fetches, once that is there, what it points to.
  virtual void foresee_further() const {}

 protected:
  ~Handler() = default;
};

// What must not be destroyed inside one of its own calls; destroyed when the tick ends.
class Destroyable {
 public:
  virtual ~Destroyable() = default;
};

// Something to do once when the tick ends, however often it is asked for: flushing output.
class TickHook {
 public:
  virtual void on_tick_end() = 0;

 protected:
  ~TickHook();

 private:
  friend class Loop;
  class Loop* queued_in_ = nullptr;
};

// Whoever has unread bytes in the loop's receive buffer. It is asked to copy them away before another reads.
class ReceiveHolder {
 public:
  virtual void spill() = 0;

 protected:
  ~ReceiveHolder() = default;
};

// One thread's epoll loop. Everything but post(), stop() and mailbox() belongs to that thread.
//
// A tick: wait → events → mailbox → timers → tick hooks (until none is left) → deferred destruction.
class Loop {
 public:
  static constexpr std::size_t kReceiveBytes = 128 * 1024;
  static constexpr std::size_t kManyHooks = 4096;

  explicit Loop(const Clock& clock = SystemClock::instance());
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop().
  void run();
  // One tick, waiting at most `wait` for events (and never when the clock does not run by itself).
  void run_once(Duration wait);
  // Any thread.
  void stop();
  void post(Mailbox::Message message) { mailbox_.post(std::move(message)); }

  // Registers `fd` edge-triggered for everything, once. `events` only differs for listeners. False with errno
  // when the kernel refuses.
  bool add(int fd, Handler& handler, std::uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  // Other events for a registered descriptor; what is already so is reported again.
  void change(int fd, std::uint32_t events);
  // For what stays open or is level-triggered: paused listeners.
  void remove(int fd);
  // For what is closed next, which takes it out of epoll without a call of its own. A program that another
  // thread starts holds a copy of the socket until it has begun, and epoll goes on reporting it: to nobody.
  void forget(int fd);

  void destroy_later(std::unique_ptr<Destroyable> dead) { dead_.push_back(std::move(dead)); }
  void at_tick_end(TickHook& hook) {
    if (hook.queued_in_) return;
    hook.queued_in_ = this;
    hooks_.push_back(&hook);
  }
  // As at_tick_end(), but of the next tick, which follows at once.
  void at_next_tick_end(TickHook& hook) {
    if (hook.queued_in_) return;
    hook.queued_in_ = this;
    later_.push_back(&hook);
  }
  void forget(TickHook& hook);

  // What was read in this tick, for overdue().
  void note_received(std::size_t bytes) { received_ += bytes; }
  // This tick has taken long: who could go on and on, because the peer is always faster, waits for the next
  // one, so that others have their turn. It may be as long, so there a step is taken without asking.
  bool overdue() const;
  // The end of this tick has taken long: as above for hooks. Those that waited for it come first.
  bool end_overdue() const { return hooks_run_ > kManyHooks; }

  // The one receive buffer. `holder` keeps it until another takes it; then holder.spill() is called first.
  std::span<char> receive_buffer(ReceiveHolder& holder) {
    if (holder_ != &holder) {
      if (holder_) std::exchange(holder_, nullptr)->spill();
      holder_ = &holder;
    }
    return {receive_.get(), kReceiveBytes};
  }
  void release_receive_buffer(ReceiveHolder& holder) {
    if (holder_ == &holder) holder_ = nullptr;
  }

  // Number of this tick, from 1 on.
  std::uint64_t tick() const { return tick_; }
  // Time of this tick: no clock call.
  TimePoint now() const { return now_; }
  WallTime wall() const { return clock_.wall(); }
  const Clock& clock() const { return clock_; }
  TimerWheel& timers() { return timers_; }

  // `co_await loop.sleep(d)`; destroying the awaiting task cancels it.
  class Sleep final : TimerUser {
   public:
    Sleep(Loop& loop, TimePoint until) : timer_(loop.timers(), *this), until_(until), now_(loop.now()) {}
    bool await_ready() const { return until_ <= now_; }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      timer_.arm(until_);
    }
    void await_resume() {}

   private:
    void on_timer(Timer&) override { handle_.resume(); }
    Timer timer_;
    TimePoint until_;
    TimePoint now_;
    std::coroutine_handle<> handle_;
  };
  Sleep sleep(Duration duration) { return {*this, now_ + duration}; }

  // `co_await loop.next_tick()`; destroying the awaiting task cancels it.
  class NextTick final : TickHook {
   public:
    explicit NextTick(Loop& loop) : loop_(loop) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      loop_.at_next_tick_end(*this);
    }
    void await_resume() {}

   private:
    void on_tick_end() override { handle_.resume(); }
    Loop& loop_;
    std::coroutine_handle<> handle_;
  };
  NextTick next_tick() { return NextTick(*this); }

 private:
  // Whom a descriptor's events are for. epoll carries the generation with them, so that those of a closed
  // descriptor do not reach whoever has its number now.
  struct Registration {
    Handler* handler = nullptr;
    std::uint32_t generation = 0;
  };

  Handler* handler_of(const epoll_event& event) const;
  bool control(int operation, int fd, std::uint32_t events);
  void fetch_ahead(std::span<const epoll_event> events, std::size_t at) const;
  int wait_ms(Duration wait) const;
  void end_tick();

  const Clock& clock_;
  TimePoint now_;
  std::uint64_t tick_ = 0;
  Fd epoll_;
  std::vector<Registration> registrations_;  // by descriptor
  Mailbox mailbox_;
  TimerWheel timers_;
  std::unique_ptr<char[]> receive_;
  ReceiveHolder* holder_ = nullptr;
  std::vector<TickHook*> hooks_;
  std::vector<TickHook*> later_;
  std::vector<std::unique_ptr<Destroyable>> dead_;
  std::size_t received_ = 0;   // in this tick
  std::size_t hooks_run_ = 0;  // in this tick
  std::atomic<bool> stopping_ = false;
};

}  // namespace fairlead::event
