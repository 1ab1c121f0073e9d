#include "engine/net/pipe_pool.h"

#include <fcntl.h>

#include <array>
#include <utility>
#include <vector>

namespace fairlead::net {
namespace {

constexpr int kSmallPipeBytes = 256 * 1024;
constexpr std::size_t kKeptPipes = 64;

struct Ends {
  Fd reader;
  Fd writer;
};

thread_local std::vector<Ends> idle_pipes;
thread_local std::size_t taken_pipes = 0;

bool make_pipe(Ends& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return false;
  pipe.reader = Fd(ends[0]);
  pipe.writer = Fd(ends[1]);
  // Above the user's pipe quota (fs.pipe-user-pages-soft) the kernel refuses; a smaller pipe still works.
  if (::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kPipeBytes)) < 0)
    ::fcntl(ends[1], F_SETPIPE_SZ, kSmallPipeBytes);
  return true;
}

}  // namespace

PipeLease::PipeLease(Fd reader, Fd writer) : reader_(std::move(reader)), writer_(std::move(writer)) {
  ++taken_pipes;
}

PipeLease::PipeLease(PipeLease&& other) noexcept
    : holds(std::exchange(other.holds, 0)),
      reader_(std::move(other.reader_)),
      writer_(std::move(other.writer_)) {}

PipeLease& PipeLease::operator=(PipeLease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  holds = std::exchange(other.holds, 0);
  reader_ = std::move(other.reader_);
  writer_ = std::move(other.writer_);
  return *this;
}

void PipeLease::give_back() {
  if (!reader_) return;
  --taken_pipes;
  if (holds == 0 && idle_pipes.size() < kKeptPipes) {
    idle_pipes.push_back({std::move(reader_), std::move(writer_)});
  } else {
    reader_.reset();
    writer_.reset();
  }
  holds = 0;
}

PipeLease PipeLease::take() {
  Ends pipe;
  if (!idle_pipes.empty()) {
    pipe = std::move(idle_pipes.back());
    idle_pipes.pop_back();
  } else if (!make_pipe(pipe)) {
    return {};
  }
  return {std::move(pipe.reader), std::move(pipe.writer)};
}

bool PipeLease::available() {
  if (!idle_pipes.empty()) return true;
  Ends pipe;
  if (!make_pipe(pipe)) return false;
  idle_pipes.push_back(std::move(pipe));
  return true;
}

std::size_t PipeLease::taken() { return taken_pipes; }

}  // namespace fairlead::net
