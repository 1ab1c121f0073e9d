#pragma once

#include "engine/event/loop.h"
#include "engine/net/transport.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::codec::h1 {

// Unread bytes of one connection. They stay in the loop's receive buffer while nobody else reads; only then
// are they copied aside. An idle connection owns no buffer.
class Input final : event::ReceiveHolder {
 public:
  Input(event::Loop& loop, net::Transport& transport) : loop_(loop), transport_(transport) {}
  ~Input() { drop(); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  std::string_view bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  void consume(std::size_t count);

  // The socket announced bytes (or its end). fill() then reads once; further bytes are appended to those that
  // wait.
  void mark_readable() { readable_ = true; }
  bool readable() const { return readable_; }
  enum class Fill { Got, Dry, End, Failed };
  Fill fill();
  int error() const { return error_; }
  // After splice(2) emptied the socket.
  void mark_dry() { readable_ = false; }
  // What splice(2) took past it.
  void note_moved(std::size_t bytes) { loop_.note_received(bytes); }
  // The peer sends faster than its bytes go on, and the others of this worker have waited long.
  bool had_its_turn() const { return readable_ && bytes_.empty() && loop_.overdue(); }
  event::Loop::NextTick next_turn() { return loop_.next_tick(); }

  // Gives storage back when nothing waits in it: before a connection rests.
  void trim();
  // Forgets what waits.
  void drop();

 private:
  void spill() override;
  void keep_aside();
  // Bytes of aside_ in the memory budget; the string's own small buffer is not.
  std::size_t counted() const { return aside_.capacity() > std::string().capacity() ? aside_.capacity() : 0; }

  event::Loop& loop_;
  net::Transport& transport_;
  std::string_view bytes_;  // in the receive buffer, or in aside_
  std::string aside_;
  bool in_receive_buffer_ = false;
  bool readable_ = false;
  int error_ = 0;
};

}  // namespace fairlead::codec::h1
