#pragma once

#include "engine/base/assert.h"
#include "engine/base/frame_pool.h"
#include "engine/base/prefetch.h"

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace fairlead {

// Told when a task that nobody awaits has ended. It must not destroy the task inside the call.
class Completion {
 public:
  virtual void task_done() = 0;

 protected:
  ~Completion() = default;
};

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation;  // who awaits; empty while the child still runs inside await_suspend
  const PromiseBase* awaiter = nullptr;  // the same, when it is a task too
  Completion* completion = nullptr;

  // With hundreds of requests under way no frame is in the cache any more when its turn comes: that of who
  // goes on after this one is fetched while this one runs.
  void foresee() const { prefetch(continuation.address(), kForeseenLines); }
  static constexpr std::size_t kForeseenLines = 6;
  template <class Promise>
  static const PromiseBase* of(std::coroutine_handle<Promise> task) {
    if constexpr (std::derived_from<Promise, PromiseBase>)
      return &task.promise();
    else
      return nullptr;
  }

  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) { return_frame(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      if (promise.awaiter) promise.awaiter->foresee();
      if (promise.continuation) return promise.continuation;
      if (promise.completion) promise.completion->task_done();
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  // Data-path code returns failures as values; an exception here is a broken promise of our own code.
  void unhandled_exception() noexcept { std::terminate(); }
};

}  // namespace detail

// A lazy coroutine of one worker. It runs when awaited (or started) and cancels when destroyed: the frame
// goes away with everything it holds, and what it waits for is unregistered by the destructors of the
// waiters. A Task may also hold a finished value without any frame: `return Task<int>::ready(3)`.
//
// The awaiter starts the child inside await_suspend and returns bool: with symmetric transfer a million
// awaits that finish at once would overflow the stack at -O0 and under ASan.
template <class T = void>
class [[nodiscard]] Task {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  struct ValuePromise : detail::PromiseBase {
    std::optional<Value> value;
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };
  struct VoidPromise : detail::PromiseBase {
    void return_void() {}
  };
  struct promise_type : std::conditional_t<std::is_void_v<T>, VoidPromise, ValuePromise> {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
  };

  Task() = default;
  Task(Task&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), ready_(std::move(other.ready_)) {}
  Task& operator=(Task&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    handle_ = std::exchange(other.handle_, nullptr);
    ready_ = std::move(other.ready_);
    return *this;
  }
  ~Task() { cancel(); }

  static Task ready(Value value = {}) {
    Task task;
    task.ready_.emplace(std::move(value));
    return task;
  }

  // Ends it wherever it stands.
  void cancel() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
    ready_.reset();
  }

  // Runs it without an awaiter; `completion` (may be null) hears of the end, also when that is now.
  void start(Completion* completion) {
    if (ready_) {
      if (completion) completion->task_done();
      return;
    }
    handle_.promise().completion = completion;
    handle_.resume();
  }

  bool done() const { return ready_ || (handle_ && handle_.done()); }
  explicit operator bool() const { return ready_ || handle_; }

  // Only for a task that is done.
  T take() {
    if constexpr (std::is_void_v<T>) {
      return;
    } else {
      return ready_ ? std::move(*ready_) : std::move(*handle_.promise().value);
    }
  }

  auto operator co_await() && { return Awaiter{*this}; }
  auto operator co_await() & { return Awaiter{*this}; }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  struct Awaiter {
    Task& task;
    bool await_ready() const { return task.done(); }
    template <class Parent>
    bool await_suspend(std::coroutine_handle<Parent> parent) {
      task.handle_.resume();
      if (task.handle_.done()) return false;
      task.handle_.promise().continuation = parent;
      task.handle_.promise().awaiter = detail::PromiseBase::of(parent);
      return true;
    }
    T await_resume() { return task.take(); }
  };

  std::coroutine_handle<promise_type> handle_;
  std::optional<Value> ready_;
};

// One coroutine waits, one event wakes it. Either side may go away first.
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() {
    if (waiter_) waiter_->signal = nullptr;
  }

  class Wait {
   public:
    explicit Wait(Signal& owner) : signal(&owner) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() {
      if (signal && signal->waiter_ == this) signal->waiter_ = nullptr;
    }
    bool await_ready() const { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) {
      FL_ASSERT(!signal->waiter_, "a signal has one waiter");
      handle_ = handle;
      promise_ = detail::PromiseBase::of(handle);
      signal->waiter_ = this;
    }
    void await_resume() {}

   private:
    friend class Signal;
    Signal* signal;
    std::coroutine_handle<> handle_;
    const detail::PromiseBase* promise_ = nullptr;
  };

  Wait wait() { return Wait(*this); }
  bool has_waiter() const { return waiter_ != nullptr; }

  // Resumes the waiter, if any, inside this call.
  void notify() {
    Wait* const waiter = std::exchange(waiter_, nullptr);
    if (!waiter) return;
    if (waiter->promise_) waiter->promise_->foresee();
    waiter->handle_.resume();
  }
  // The frame that waits is wanted soon.
  void foresee() const { prefetch(reinterpret_cast<std::uintptr_t>(waiter_) - 4 * kCacheLine, 8); }

 private:
  Wait* waiter_ = nullptr;
};

// Tasks that nobody awaits: mirrors, body pumps. Ending the scope cancels what still runs.
class Scope {
 public:
  Scope() = default;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    while (first_) first_->destroy();
  }

  void spawn(Task<void> task) { run(*this, std::move(task)); }
  bool empty() const { return !first_; }
  std::size_t size() const { return size_; }

 private:
  struct Root {
    struct promise_type {
      Scope* scope;
      promise_type* next = nullptr;
      promise_type* previous = nullptr;

      promise_type(Scope& owner, Task<void>&) : scope(&owner) {
        next = owner.first_;
        if (next) next->previous = this;
        owner.first_ = this;
        ++owner.size_;
      }
      ~promise_type() {
        (previous ? previous->next : scope->first_) = next;
        if (next) next->previous = previous;
        --scope->size_;
      }
      static void* operator new(std::size_t bytes) { return take_frame(bytes); }
      static void operator delete(void* frame, std::size_t bytes) { return_frame(frame, bytes); }
      void destroy() { std::coroutine_handle<promise_type>::from_promise(*this).destroy(); }

      Root get_return_object() { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() noexcept { std::terminate(); }
    };
  };
  static Root run(Scope&, Task<void> task) { co_await std::move(task); }

  Root::promise_type* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace fairlead
