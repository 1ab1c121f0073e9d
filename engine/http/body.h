#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace fairlead::http {

class Fields;

struct Chunk {
  std::string_view bytes;  // valid until the reader suspends or reads again: copy what is kept longer
  bool last = false;       // nothing follows; may come with bytes
};

// The plain socket behind a body, lent so that its bytes can be moved by splice(2).
class Lender {
 public:
  virtual int fd() const = 0;
  // Resumes when there may be bytes on fd(), or fails when the body can no longer be complete.
  virtual Task<Result<>> readable() = 0;
  // `bytes` were moved; `drained` when the socket said it has no more now.
  virtual void moved(std::uint64_t bytes, bool drained) = 0;

 protected:
  ~Lender() = default;
};

struct Lent {
  Lender* lender = nullptr;  // lives as long as the body
  std::uint64_t bytes = 0;   // still to come
};

// A message body, pulled: not reading is the back-pressure. One reader; read() again only after the last
// read() was resumed.
class Body {
 public:
  virtual ~Body() = default;

  // At least one byte, or `last`. An error means the message is incomplete: the copy must be reset, never
  // ended as if it were whole.
  virtual Task<Result<Chunk>> read(std::size_t max_bytes) = 0;
  // Bytes left, when known.
  virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
  // WebSocket, CONNECT: ends only by close. Middlewares that store bodies step aside.
  virtual bool tunnel() const { return false; }
  // The plain socket, when nothing of the body waits in memory; wrappers never pass it on.
  virtual std::optional<Lent> lend() { return std::nullopt; }
  // Trailer fields, after the last chunk was read; null when there are none.
  virtual Fields* trailers() { return nullptr; }

  // How a BodyPtr lets go of it: a body that is part of a stream does more, or less, than delete.
  virtual void release() { delete this; }
};

struct ReleaseBody {
  void operator()(Body* body) const { body->release(); }
};
// Null means: no body.
using BodyPtr = std::unique_ptr<Body, ReleaseBody>;

// A body that is at hand as a whole; `text` must live as long as the exchange (arena, literals, snapshot).
BodyPtr text_body(std::string_view text);

}  // namespace fairlead::http
