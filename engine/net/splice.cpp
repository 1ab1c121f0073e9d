#include "engine/net/splice.h"

#include "engine/net/pipe_pool.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fairlead::net {
namespace {

constexpr std::uint64_t kTurnBytes = 4 * 1024 * 1024;  // then others of the worker may have their turn

// The body could not be read from, or written to, the one whose fault it is.
Result<> failed(const char* what, Fault fault) {
  const bool client = fault == Fault::Client;
  const int error = errno;
  return fail(client ? 499 : 502, fault,
              std::string(what) + (client ? " the client: " : " the server: ") + std::strerror(error));
}

}  // namespace

bool can_splice() { return PipeLease::available(); }

Task<Result<>> splice_all(http::Lent from, SpliceTarget& to, Fault source) {
  PipeLease pipe = PipeLease::take();
  const Fault target = source == Fault::Client ? Fault::Upstream : Fault::Client;
  std::uint64_t left = from.bytes;
  std::uint64_t turn = 0;
  while (left > 0 || pipe.holds > 0) {
    if (left > 0 && pipe.holds == 0) {
      if (turn >= kTurnBytes) {
        turn = 0;
        Result<> ready = co_await from.lender->readable();
        if (!ready) co_return ready;
      }
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPipeBytes));
      const ssize_t got = ::splice(from.lender->fd(), nullptr, pipe.writer(), nullptr, want,
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (got > 0) {
        left -= static_cast<std::uint64_t>(got);
        pipe.holds = static_cast<std::uint64_t>(got);
        from.lender->moved(static_cast<std::uint64_t>(got), false);
        turn += static_cast<std::uint64_t>(got);
      } else if (got == 0) {
        co_return fail(source == Fault::Client ? 400 : 502, source, "the body ended before its length");
      } else if (errno == EAGAIN) {
        from.lender->moved(0, true);
        Result<> ready = co_await from.lender->readable();
        if (!ready) co_return ready;
        continue;
      } else if (errno != EINTR) {
        co_return failed("reading from", source);
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
      co_return failed("writing to", target);
    }
  }
  co_return Result<>{};
}

}  // namespace fairlead::net
