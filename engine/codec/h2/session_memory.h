#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace fairlead::codec::h2 {

// Where the nghttp2 session of one client takes its memory from, and how little of it an idle one keeps.
//
// What is asked for while a session is made lies on pages of its own: the session itself and its tables of
// streams and header fields, 9 KiB, nearly all zeros when nothing goes on. So do small pieces asked for
// later, as long as there is place: mostly header fields that are to be referred to. rest() sets aside the
// bytes that are not zero, about 1 KiB, and gives the pages back; wake() puts everything back where it was.
//
// What else is asked for, per stream, comes from the free lists of coroutine frames, as requests take and
// return the same sizes all the time.
//
// And a session keeps a buffer of a whole frame, 16 KiB, though bytes are in it only inside
// nghttp2_session_mem_send(), and what that gives is copied before another session of the thread can run. So
// all of them share the one that is asked for while a session is made. Further ones, for header blocks of
// several frames, are their session's own.
class SessionMemory {
 public:
  SessionMemory();
  ~SessionMemory();
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;

  // Around the making of the session.
  void begin() { making_ = true; }
  void made() { making_ = false; }
  // Nothing of the session may be touched between the two, by nghttp2 neither.
  void rest();
  void wake();

  // As nghttp2_mem wants them; `self` is this object.
  static void* allocate(std::size_t size, void* self);
  static void* allocate_zeros(std::size_t count, std::size_t size, void* self);
  static void* change(void* at, std::size_t size, void* self);
  static void release(void* at, void* self);

 private:
  static constexpr std::size_t kSmallClasses = 6;  // of 32 bytes each

  void* take(std::size_t size);
  char* take_on_pages(std::size_t bytes);
  void return_on_pages(char* piece, std::size_t bytes);
  bool on_pages(const void* at) const;

  char* const frame_;
  char* const pages_;
  std::unique_ptr<std::uint8_t[]> aside_;  // while it rests
  std::uint16_t used_ = 0;                 // of the pages
  // Small pieces that came back, by size: offsets of the first ones, in which those of the next ones stand.
  // 0: none.
  std::array<std::uint16_t, kSmallClasses> unused_{};
  bool making_ = false;
  bool shares_frame_ = false;
};

}  // namespace fairlead::codec::h2
