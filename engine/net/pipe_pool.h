#pragma once

#include "engine/base/fd.h"

#include <cstddef>
#include <cstdint>

namespace fairlead::net {

inline constexpr std::size_t kPipeBytes = 1024 * 1024;  // one splice moves what the socket has: fewer steps

// A pipe for splice(2) from this thread's pool. It returns there only when it is empty: leftover bytes would
// reach another client.
class PipeLease {
 public:
  // Without descriptors when none can be made.
  static PipeLease take();
  // Whether one is at hand or can be made.
  static bool available();
  // Pipes of this thread that somebody holds.
  static std::size_t taken();

  PipeLease() = default;
  PipeLease(PipeLease&& other) noexcept;
  PipeLease& operator=(PipeLease&& other) noexcept;
  ~PipeLease() { give_back(); }

  explicit operator bool() const { return static_cast<bool>(reader_); }
  int reader() const { return reader_.get(); }
  int writer() const { return writer_.get(); }
  std::uint64_t holds = 0;  // bytes in it

 private:
  PipeLease(Fd reader, Fd writer);
  void give_back();

  Fd reader_;
  Fd writer_;
};

}  // namespace fairlead::net
