#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/http/body.h"
#include "engine/http/head.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

namespace fairlead::http {

// The server side of one exchange: HTTP/1, 2 and 3 look the same from here.
class ServerStream {
 public:
  // Null when the request has none. May be taken once.
  virtual BodyPtr body() = 0;
  // 100, 103: before send(). 100 is sent only to a client that waits for it.
  virtual Result<> informational(const ResponseHead& head) = 0;
  // The head; `last`: no body follows. Only appended to the output: it leaves when the tick ends.
  virtual Task<Result<>> send(const ResponseHead& head, bool last) = 0;
  // Resumes when the peer has room for more. `last` ends the message; `trailers` may come with it.
  virtual Task<Result<>> write(std::string_view bytes, bool last, const Fields* trailers = nullptr) = 0;
  // Bytes that one write() can pass on at once: reading more of a body only moves them into our memory.
  virtual std::size_t room() const { return std::numeric_limits<std::size_t>::max(); }
  // All of `from`, by splice(2) where both sides are plain; ends the message.
  virtual Task<Result<>> write_from(Lent from) = 0;
  // True when write_from would not have to copy.
  virtual bool can_splice() const { return false; }
  // Sends now what waits: after a flush of the upstream.
  virtual void flush() {}
  // Ends the message visibly incomplete: RST_STREAM, or the connection is closed.
  virtual void reset(const Error& error) = 0;
  // After send() with a 101 (or the answer to an extended CONNECT): both directions are a tunnel from now on.
  virtual BodyPtr tunnel_body() = 0;

 protected:
  ~ServerStream() = default;
};

// The client side of one exchange: a leased stream of an upstream connection. Releasing it returns the
// connection to its pool, or closes it when the exchange did not end cleanly.
class ClientStream {
 public:
  virtual void release() = 0;

  virtual Task<Result<>> send(const RequestHead& head, std::string_view host, bool last) = 0;
  virtual Task<Result<>> write(std::string_view bytes, bool last, const Fields* trailers = nullptr) = 0;
  virtual Task<Result<>> write_from(Lent from) = 0;
  virtual bool can_splice() const { return false; }
  // The next response head into `head`: 1xx ones (but 101) come first, one per call. Fails with 504 when
  // none came by `deadline`.
  virtual Task<Result<>> receive(ResponseHead& head, TimePoint deadline) = 0;
  // After a final head; null when the response has none.
  virtual BodyPtr body() = 0;
  virtual BodyPtr tunnel_body() = 0;
  // True once a byte of the request may have reached the server.
  virtual bool sent_anything() const = 0;
  // True once a byte of the answer came.
  virtual bool received_anything() const = 0;
  // The connection had served before: a failure before the answer may only mean that it went stale.
  virtual bool reused() const = 0;
  // The server refused the request although the connection was new or goes on: the next try may fare alike.
  virtual bool turned_down() const { return false; }
  // Ends it from our side: whoever waits on this stream fails with `why`. It does not return to the pool.
  virtual void abort(const Error& why) = 0;
  // Never to be shared or used again after this exchange (a login bound to it, an upgrade).
  virtual void keep_out_of_pool() = 0;
  // The server knows the connection by a login of that client: nobody else gets it from now on. Nothing where
  // several clients share it, as such a login needs a connection of its own.
  virtual void bind_to(std::uint64_t client) { static_cast<void>(client); }

 protected:
  ~ClientStream() = default;
};

struct ReleaseStream {
  void operator()(ClientStream* stream) const { stream->release(); }
};
using ClientStreamPtr = std::unique_ptr<ClientStream, ReleaseStream>;

// What a codec hands a request to. One job per exchange; it belongs to the handler.
class Job {
 public:
  // Where the codec parses the request into.
  virtual RequestHead& head() = 0;
  // The head is complete. May run the whole exchange inside the call.
  virtual void start(ServerStream& stream) = 0;
  // The client left or broke the protocol: cancels. The job is gone after this.
  virtual void cancel(const Error& why) = 0;

 protected:
  ~Job() = default;
};

class StreamHandler {
 public:
  // A fresh job, for a request whose head is about to be parsed.
  virtual Job& open() = 0;
  // Gives back a job whose head did not parse (and that was never started).
  virtual void discard(Job& job) = 0;
  // A request that was refused before it became one: for the log.
  virtual void refused(const Error& error) = 0;

 protected:
  ~StreamHandler() = default;
};

}  // namespace fairlead::http
