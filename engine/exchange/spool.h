#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/http/body.h"
#include "engine/http/head.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::exchange {

struct SpoolLimits {
  static constexpr std::uint64_t kMemory = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kTotal = std::uint64_t{1} << 30;

  std::uint64_t memory_bytes = kMemory;  // kept in memory; what is more goes to an unlinked temporary file
  std::uint64_t max_bytes = kTotal;
  int too_large_status = 413;  // of the error when max_bytes is exceeded
};

// The bytes of a body, kept: the beginning in memory, the rest in an unlinked temporary file that the files
// lane writes and reads. Belongs to its worker. Bodies made from it share its contents and may outlive it.
class Spool {
 public:
  Spool(event::Loop& loop, SpoolLimits limits);
  ~Spool();
  Spool(Spool&&) noexcept;

  // Reads `from` to its end. Errors: those of `from`; {too_large_status, Client}; {500, Proxy} when the
  // temporary file cannot be written; {503, Proxy} when the budget of buffered bytes is used up.
  Task<Result<>> fill(http::Body& from);

  // Takes a copy without waiting; false, and nothing is taken, when it would exceed max_bytes. Every put that
  // may spill must be followed by settle() before much more is put.
  bool put(std::string_view bytes);
  // Whether so much waits to be written to the file that settle() should be awaited.
  bool wants_to_settle() const;
  // Writes what waits to the file.
  Task<Result<>> settle();

  std::uint64_t size() const;
  bool empty() const { return size() == 0; }
  // True when nothing had to go to a file.
  bool in_memory() const;
  // Whether what was read by fill() ended with trailer fields. Bodies made from it end with them too, as long
  // as the exchange lives that they came with.
  bool has_trailers() const;

  // Says in the head of a message how long its body is. Before trailers nothing says it: HTTP/1 has them
  // behind chunks only (RFC 9112 §7.1.2).
  void frame(http::ResponseHead& head) const { tell_length(head); }
  // And no server needs to be asked for 100 (Continue): the body is here.
  void frame(http::RequestHead& head) const {
    tell_length(head);
    head.expects_continue = false;
    head.fields.remove(http::Name::Expect);
  }

  // What was put so far, from its start; may be made any number of times, one after the other or at once. Its
  // length is known. settle() first.
  http::BodyPtr body() const;
  // The same; null when there is nothing to send.
  http::BodyPtr body_if_any() const { return empty() && !has_trailers() ? nullptr : body(); }

 private:
  struct Contents;
  template <class Head>
  void tell_length(Head& head) const {
    head.chunked = has_trailers();
    head.content_length.reset();
    if (!head.chunked) head.content_length = size();
  }

  std::unexpected<Error> too_large() const;

  std::shared_ptr<Contents> contents_;
  event::Loop* loop_;
  SpoolLimits limits_;
};

}  // namespace fairlead::exchange
