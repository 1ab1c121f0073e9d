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

  // Registers `fd` edge-triggered for everything, once; it leaves by being closed. `events` only differs for
  // listeners. False with errno when the kernel refuses.
  bool add(int fd, Handler& handler, std::uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  // Other events for a registered descriptor; what is already so is reported again.
  void change(int fd, Handler& handler, std::uint32_t events);
  // For what is deregistered before it is closed: paused listeners.
  void remove(int fd);

  void destroy_later(std::unique_ptr<Destroyable> dead) { dead_.push_back(std::move(dead)); }
  void at_tick_end(TickHook& hook) {
    if (hook.queued_in_) return;
    hook.queued_in_ = this;
    hooks_.push_back(&hook);
  }
  void forget(TickHook& hook);

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

 private:
  int wait_ms(Duration wait) const;
  void end_tick();

  const Clock& clock_;
  TimePoint now_;
  Fd epoll_;
  Mailbox mailbox_;
  TimerWheel timers_;
  std::unique_ptr<char[]> receive_;
  ReceiveHolder* holder_ = nullptr;
  std::vector<TickHook*> hooks_;
  std::vector<std::unique_ptr<Destroyable>> dead_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace fairlead::event
