#include "engine/net/splice.h"

#include "engine/base/fd.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace fairlead::net {
namespace {

constexpr int kPipeBytes = 1024 * 1024;  // one splice moves what the socket has: fewer, larger steps
constexpr int kSmallPipeBytes = 256 * 1024;
constexpr std::size_t kKeptPipes = 64;

struct Pipe {
  Fd reader;
  Fd writer;
};

thread_local std::vector<Pipe> idle_pipes;

bool make_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return false;
  pipe.reader = Fd(ends[0]);
  pipe.writer = Fd(ends[1]);
  // Above the user's pipe quota (fs.pipe-user-pages-soft) the kernel refuses; a smaller pipe still works.
  if (::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes) < 0) ::fcntl(ends[1], F_SETPIPE_SZ, kSmallPipeBytes);
  return true;
}

// A pipe that returns to the pool only when it is empty: leftover bytes would reach another client.
class PipeLease {
 public:
  explicit PipeLease(Pipe pipe) : pipe_(std::move(pipe)) {}
  PipeLease(const PipeLease&) = delete;
  PipeLease& operator=(const PipeLease&) = delete;
  ~PipeLease() {
    if (holds == 0 && pipe_.reader && idle_pipes.size() < kKeptPipes) idle_pipes.push_back(std::move(pipe_));
  }
  int reader() const { return pipe_.reader.get(); }
  int writer() const { return pipe_.writer.get(); }
  std::uint64_t holds = 0;

 private:
  Pipe pipe_;
};

Pipe take_pipe() {
  Pipe pipe;
  if (!idle_pipes.empty()) {
    pipe = std::move(idle_pipes.back());
    idle_pipes.pop_back();
  } else {
    make_pipe(pipe);
  }
  return pipe;
}

Result<> failed(const char* what, Fault fault) {
  return fail(fault == Fault::Client ? 499 : 502, fault, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

bool can_splice() {
  if (!idle_pipes.empty()) return true;
  Pipe pipe;
  if (!make_pipe(pipe)) return false;
  idle_pipes.push_back(std::move(pipe));
  return true;
}

Task<Result<>> splice_all(http::Lent from, SpliceTarget& to, Fault source) {
  PipeLease pipe(take_pipe());
  const Fault target = source == Fault::Client ? Fault::Upstream : Fault::Client;
  std::uint64_t left = from.bytes;
  while (left > 0 || pipe.holds > 0) {
    if (left > 0 && pipe.holds == 0) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPipeBytes));
      const ssize_t got = ::splice(from.lender->fd(), nullptr, pipe.writer(), nullptr, want,
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (got > 0) {
        left -= static_cast<std::uint64_t>(got);
        pipe.holds = static_cast<std::uint64_t>(got);
        from.lender->moved(static_cast<std::uint64_t>(got), false);
      } else if (got == 0) {
        co_return fail(source == Fault::Client ? 400 : 502, source, "the body ended before its length");
      } else if (errno == EAGAIN) {
        from.lender->moved(0, true);
        Result<> ready = co_await from.lender->readable();
        if (!ready) co_return ready;
        continue;
      } else if (errno != EINTR) {
        co_return failed("splice from", source);
      }
    }
    if (pipe.holds == 0) continue;
    const unsigned more = left > 0 ? SPLICE_F_MORE : 0;
    const ssize_t put =
        ::splice(pipe.reader(), nullptr, to.splice_fd(), nullptr, static_cast<std::size_t>(pipe.holds),
                 SPLICE_F_MOVE | SPLICE_F_NONBLOCK | more);
    if (put > 0) {
      pipe.holds -= static_cast<std::uint64_t>(put);
      to.spliced(static_cast<std::uint64_t>(put));
    } else if (put < 0 && errno == EAGAIN) {
      Result<> ready = co_await to.splice_writable();
      if (!ready) co_return ready;
    } else if (put < 0 && errno != EINTR) {
      co_return failed("splice to", target);
    }
  }
  co_return Result<>{};
}

}  // namespace fairlead::net
