#include "engine/exchange/jobs.h"

#include "engine/base/prefetch.h"
#include "engine/exchange/serve.h"

namespace fairlead::exchange {

Job::Job(Jobs& jobs, event::Loop& loop, upstream::Pools& pools, Scope& background)
    : jobs_(jobs), loop_(loop), x_(loop, pools, background) {
  x_.sink = &jobs.sink_;
}

void Job::start(http::ServerStream& stream) {
  stream_ = &stream;
  pin_ = source_->prepare(x_);
  x_.keep_origin_fields = jobs_.sink_.wants_origin_fields();
  root_ = serve(x_, stream, jobs_.scratch_);
  root_.start(this);
}

void Job::task_done() { loop_.at_tick_end(*this); }

void Job::cancel(const Error& why) {
  if (root_.done()) {
    source_ = nullptr;  // it ended by itself a moment ago: the hook is on its way
    return;
  }
  cancelled_ = true;
  source_ = nullptr;
  x_.client_left = true;
  if (!x_.record.cause) x_.record.cause = why;
  if (x_.record.status == 0) x_.record.status = why.status;
  loop_.at_tick_end(*this);
}

// When the tick ends nothing of this exchange is on the stack any more.
void Job::on_tick_end() {
  root_.cancel();
  x_.record.ended = loop_.now();
  // Answered within the tick that brought it: a clock call tells its time, which the tick cannot.
  if (x_.record.ended == x_.record.begun) x_.record.ended = loop_.clock().now();
  jobs_.sink_.ended(x_);
  JobSource* source = source_;
  http::ServerStream* stream = stream_;
  jobs_.recycle(*this);
  if (source) source->exchange_ended(*stream);
}

Job& Jobs::open(JobSource& source) {
  std::unique_ptr<Job> job;
  if (idle_.empty()) {
    job = std::make_unique<Job>(*this, loop_, pools_, background_);
  } else {
    job = std::move(idle_.back());
    idle_.pop_back();
    // Its members were last touched as many requests ago as are under way: the next one's are there when it
    // comes.
    if (!idle_.empty()) prefetch(idle_.back().get(), sizeof(Job) / kCacheLine);
  }
  job->source_ = &source;
  job->cancelled_ = false;
  ++active_;
  return *job.release();
}

void Jobs::discard(Job& job) { recycle(job); }

void Jobs::recycle(Job& job) {
  job.x_.clear();
  job.source_ = nullptr;
  if (Pinned* pin = std::exchange(job.pin_, nullptr)) pin->unpin();
  --active_;
  std::unique_ptr<Job> owned(&job);
  if (idle_.size() < kKept) idle_.push_back(std::move(owned));
}

}  // namespace fairlead::exchange
