#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/http/body.h"

#include <cstdint>

namespace fairlead::net {

// Where spliced bytes go: a plain socket whose output queue is empty.
class SpliceTarget {
 public:
  virtual int splice_fd() const = 0;
  // Resumes when the socket takes bytes again. Fails when the peer is gone or stalls.
  virtual Task<Result<>> splice_writable() = 0;
  virtual void spliced(std::uint64_t bytes) = 0;

 protected:
  ~SpliceTarget() = default;
};

// Moves all of `from` through a pooled pipe, without the bytes ever entering user space. An end of the source
// before its length is {502} (or {400}) with `source` as the fault. Ask can_splice() first.
Task<Result<>> splice_all(http::Lent from, SpliceTarget& to, Fault source);

// Whether a pipe is at hand or can be made.
bool can_splice();

}  // namespace fairlead::net
