#pragma once

#include <cstddef>

namespace fairlead::codec::h2 {

// Where the nghttp2 session of one client takes its memory from, and how little of it an idle one keeps.
//
// Per stream: the free lists of coroutine frames, as requests take and return the same sizes all the time.
//
// Per session nghttp2 keeps a buffer of a whole frame, 16 KiB, though bytes are in it only inside
// nghttp2_session_mem_send(), and what that gives is copied before another session of the thread can run. So
// all of them share the one that is asked for while a session is made. Further ones, for header blocks of
// several frames, are their session's own. And it keeps a table of streams, 4 KiB, which is all zeros when
// there is none: rest() gives its page back.
class SessionMemory {
 public:
  SessionMemory();
  ~SessionMemory();
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;

  // Around the making of the session.
  void begin() { making_ = true; }
  void made() { making_ = false; }
  // Nothing is going on, and has not been for a while.
  void rest();

  // As nghttp2_mem wants them; `self` is this object.
  static void* allocate(std::size_t size, void* self);
  static void* allocate_zeros(std::size_t count, std::size_t size, void* self);
  static void* change(void* at, std::size_t size, void* self);
  static void release(void* at, void* self);

 private:
  char* const frame_;
  bool making_ = false;
  bool shares_frame_ = false;
  void* table_ = nullptr;  // of streams, on a page of its own
};

}  // namespace fairlead::codec::h2
