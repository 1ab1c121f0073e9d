#pragma once

#include "engine/base/result.h"
#include "engine/exchange/spool.h"
#include "engine/http/body.h"

#include <memory>

namespace fairlead::exchange {

// A request body that can be sent more than once: what was read is kept in a spool, and a body made later
// begins again from the start and goes on with the source where the spool ends. Nothing is read ahead.
//
// Retry: each attempt takes body(). Mirror: the main request takes body(); when complete(), each mirror takes
// another after drop_source(). Used through a shared_ptr, one reading body at a time.
class Tee : public std::enable_shared_from_this<Tee> {
 public:
  // limits.max_bytes: when more than this was read, the copy is thrown away and replayable() is false; the
  // body being read is not disturbed.
  Tee(http::BodyPtr source, event::Loop& loop, SpoolLimits limits);
  ~Tee();

  http::BodyPtr body();

  // A further body() gives the whole message. Always true before anything was read.
  bool replayable() const { return !overflowed_ && !failed_; }
  // The source was read to its end and the copy is whole.
  bool complete() const { return ended_ && replayable(); }
  // No copy is needed any more.
  void stop_copying() { give_up(); }
  // Lets go of the source, which belongs to the exchange; bodies made afterwards hold the copy only.
  void drop_source() { source_.reset(); }

 private:
  class Reader;
  void give_up();

  http::BodyPtr source_;
  event::Loop& loop_;
  std::unique_ptr<Spool> copy_;
  bool copying_ = true;
  bool overflowed_ = false;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace fairlead::exchange
