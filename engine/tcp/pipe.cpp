#include "engine/tcp/pipe.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace fairlead::tcp {
namespace {

constexpr std::uint64_t kTurnBytes = 4 * 1024 * 1024;  // then others of the worker have their turn
// One read of so much is bulk: what follows is spliced. What a transport keeps of the first bytes is less.
constexpr std::size_t kBulk = 32 * 1024;
constexpr std::uint64_t kSmallBurst = 16 * 1024;  // below it, two more calls cost more than copying
constexpr std::size_t kMaxPipes = 256;            // of one worker: they bind memory of the kernel
// What a client sends to a server that is gone is still taken for so long: closing over unread bytes would
// reset the connection, and with it an answer that the client has not read.
constexpr auto kLinger = std::chrono::seconds(1);
constexpr auto kLastBytes = std::chrono::seconds(5);  // for what was read before the time was over

}  // namespace

void Pipe::Side::on_readable() {
  from_here_.drained = false;
  pipe_.pump(from_here_);
}

void Pipe::Side::on_broken(int) {
  // A side that was given our end and has sent its own is reported as hung up: nothing is wrong then. What it
  // sent before can be read in either case.
  if (!to_here_.done) {
    from_here_.broken = true;
    pipe_.discard(to_here_);
  }
  on_readable();
}

Pipe::Pipe(event::Loop& loop, net::Transport& client, net::Transport& server, Duration termination_delay,
           PipeUser& user)
    : loop_(loop),
      up_(client, server, "client"),
      down_(server, client, "server"),
      client_side_(*this, up_, down_),
      server_side_(*this, down_, up_),
      termination_delay_(termination_delay),
      user_(user),
      timer_(loop.timers(), *this),
      plain_(client.plain_fd() >= 0 && server.plain_fd() >= 0) {
  client.set_user(&client_side_);
  server.set_user(&server_side_);
}

Pipe::~Pipe() { stop(); }

void Pipe::start() {
  pump(up_);
  pump(down_);
}

void Pipe::stop() {
  over_ = true;
  timer_.cancel();
  if (turn_) *turn_ = nullptr;
}

void Pipe::end() {
  if (over_) return;
  stop();
  user_.pipe_ended();
}

void Pipe::pump(Way& way) {
  if (over_ || way.done) return;
  std::uint64_t moved = 0;
  while (push(way) && !over_) {
    if (way.ended) return finish(way);
    if (way.drained) return rest(way);
    // Not only by what was moved: TLS records of one byte each take their time.
    if (moved >= kTurnBytes || (moved > 0 && loop_.overdue())) return yield();
    moved += way.splices && !way.discards ? pull_spliced(way) : pull(way);
  }
}

// Gives the target what waits; true when nothing is left of it.
bool Pipe::push(Way& way) {
  while (way.pipe.holds > 0) {
    const ssize_t put = ::splice(way.pipe.reader(), nullptr, way.to.plain_fd(), nullptr,
                                 static_cast<std::size_t>(way.pipe.holds), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (put > 0) {
      way.pipe.holds -= static_cast<std::uint64_t>(put);
    } else if (put < 0 && errno == EAGAIN) {
      way.to.want_writable();
      return false;
    } else if (put == 0 || errno != EINTR) {
      discard(way);
    }
  }
  if (way.kept.empty()) return true;
  const net::IoResult flushed = way.kept.flush(way.to);
  if (flushed.status == net::IoStatus::WouldBlock) return false;
  if (flushed.status != net::IoStatus::Ok) discard(way);
  return true;
}

std::uint64_t Pipe::pull(Way& way) {
  const std::span<char> buffer = loop_.receive_buffer(*this);
  const net::IoResult got = way.from.read(buffer);
  switch (got.status) {
    case net::IoStatus::Ok: {
      way.drained = got.drained;
      way.burst += got.bytes;
      if (way.discards) break;
      way.bytes += got.bytes;
      way.splices = plain_ && got.bytes >= kBulk;
      const net::IoResult put = way.kept.flush(way.to, {buffer.data(), got.bytes});
      if (put.status == net::IoStatus::Failed || put.status == net::IoStatus::End) discard(way);
      break;
    }
    case net::IoStatus::WouldBlock: way.drained = true; break;
    case net::IoStatus::End: way.ended = true; break;
    case net::IoStatus::Failed: way.ended = way.broken = true; break;
  }
  loop_.release_receive_buffer(*this);
  return got.bytes;
}

std::uint64_t Pipe::pull_spliced(Way& way) {
  if (!way.pipe && net::PipeLease::taken() < kMaxPipes) way.pipe = net::PipeLease::take();
  if (!way.pipe) {
    way.splices = false;
    return 0;
  }
  const ssize_t got = ::splice(way.from.plain_fd(), nullptr, way.pipe.writer(), nullptr, net::kPipeBytes,
                               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got > 0) {
    way.pipe.holds = static_cast<std::uint64_t>(got);
    way.bytes += way.pipe.holds;
    way.burst += way.pipe.holds;
    loop_.note_received(way.pipe.holds);
    return way.pipe.holds;
  }
  if (got == 0)
    way.ended = true;
  else if (errno == EAGAIN)
    way.drained = true;
  else if (errno != EINTR)
    way.splices = false;  // an ordinary read tells what is wrong
  return 0;
}

// The source is dry and the target has everything: nothing is held until more comes.
void Pipe::rest(Way& way) {
  way.pipe = {};
  if (way.burst < kSmallBurst) way.splices = false;
  way.burst = 0;
}

// The target takes nothing any more: what still comes for it is read and forgotten.
void Pipe::discard(Way& way) {
  way.discards = true;
  way.kept.clear();
  way.pipe = {};
  if (!other(way).done) return;  // finish() sees to the rest
  if (&way == &down_) return end();
  timer_.arm(loop_.now() + kLinger);
}

void Pipe::finish(Way& way) {
  way.done = true;
  way.pipe = {};
  if (ended_by_.empty()) ended_by_ = way.name;
  Way& back = other(way);
  if (back.done) return end();
  way.to.finish_writing();
  if (way.broken || back.discards) {
    discard(back);
    return pump(back);
  }
  if (termination_delay_ == Duration{}) return expire();
  if (termination_delay_ > Duration{}) timer_.arm(loop_.now() + termination_delay_);
}

// The time of the other direction is over: nothing more is read, what was read still leaves.
void Pipe::expire() {
  if (std::exchange(expired_, true)) return end();
  timer_.arm(loop_.now() + kLastBytes);
  for (Way* way : {&up_, &down_}) {
    way->ended = true;
    pump(*way);
  }
}

void Pipe::yield() {
  if (!turn_) turn_ = std::make_shared<Pipe*>(nullptr);
  if (std::exchange(*turn_, this)) return;
  loop_.post([turn = turn_] {
    if (Pipe* pipe = std::exchange(*turn, nullptr)) pipe->resume();
  });
}

void Pipe::resume() {
  pump(up_);
  pump(down_);
}

}  // namespace fairlead::tcp
