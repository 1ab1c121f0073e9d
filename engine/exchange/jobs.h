#pragma once

#include "engine/exchange/entry_point.h"
#include "engine/exchange/exchange.h"
#include "engine/http/stream.h"
#include "engine/routing/subject.h"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::exchange {

class Jobs;

// Hears of every exchange when it has ended.
class RecordSink {
 public:
  virtual void ended(const Exchange& x) = 0;
  // And of every copy of one for a mirror, which only its service counts.
  virtual void copied(const Exchange&) {}
  // Whether Exchange::origin_fields are of use to it.
  virtual bool wants_origin_fields() const { return false; }

 protected:
  ~RecordSink() = default;
};

// Keeps a snapshot alive while an exchange uses it: a count that only its worker touches.
class Pinned {
 public:
  virtual void unpin() = 0;

 protected:
  ~Pinned() = default;
};

// What a job needs to know of the connection that it came by.
class JobSource {
 public:
  // Fills the connection's part of the exchange: client, TLS, and the entry point of the snapshot in force,
  // which stays pinned until the returned object is told to let go.
  virtual Pinned* prepare(Exchange& x) = 0;
  // The exchange that was started with `stream` is over and does not use it any more. Not called after
  // cancel().
  virtual void exchange_ended(http::ServerStream& stream) = 0;

 protected:
  ~JobSource() = default;
};

// One recycled exchange with its root task.
class Job final : public http::Job, Completion, event::TickHook {
 public:
  Job(Jobs& jobs, event::Loop& loop, upstream::Pools& pools, Scope& background);

  http::RequestHead& head() override { return x_.request; }
  void start(http::ServerStream& stream) override;
  void cancel(const Error& why) override;

 private:
  friend class Jobs;
  void task_done() override;
  void on_tick_end() override;

  Jobs& jobs_;
  event::Loop& loop_;
  Exchange x_;
  JobSource* source_ = nullptr;
  http::ServerStream* stream_ = nullptr;  // since start()
  Pinned* pin_ = nullptr;
  bool cancelled_ = false;
  Task<void> root_;
};

// The exchanges of one worker: recycled, so that a request allocates nothing that the one before had.
class Jobs {
 public:
  Jobs(event::Loop& loop, upstream::Pools& pools, Scope& background, RecordSink& sink)
      : loop_(loop), pools_(pools), background_(background), sink_(sink) {}
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  Job& open(JobSource& source);
  void discard(Job& job);
  std::size_t active() const { return active_; }

 private:
  friend class Job;
  static constexpr std::size_t kKept = 512;
  void recycle(Job& job);

  event::Loop& loop_;
  upstream::Pools& pools_;
  Scope& background_;
  RecordSink& sink_;
  routing::Scratch scratch_;
  std::vector<std::unique_ptr<Job>> idle_;
  std::size_t active_ = 0;
};

}  // namespace fairlead::exchange
