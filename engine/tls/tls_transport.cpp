#include "engine/tls/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fairlead::tls {
namespace {

constexpr std::size_t kRecord = 16 * 1024;  // of plaintext, RFC 8446 §5.1
constexpr std::size_t kReceive = event::Loop::kReceiveBytes;
constexpr std::size_t kSend = 128 * 1024;  // of plaintext in one send
// Of ciphertext that the peer does not take. write() keeps less: the rest are answers to key updates.
constexpr std::size_t kMaxKept = 512 * 1024;
// Full receives of one read. OpenSSL goes on by itself over what is no data, such as wishes to renegotiate,
// and a peer that is faster would never let it return. Even records of one byte carry more than this part of
// them.
constexpr int kReceivesInARow = 4;
constexpr std::size_t kLeastPart = 1024;

// Ciphertext on its way through one call of one connection of this thread; empty between calls.
struct Staging {
  std::unique_ptr<char[]> in{new char[kReceive]};
  std::unique_ptr<char[]> gather{new char[kRecord]};
  std::string out;
  int receives = 0;  // of the read under way
  Staging() { out.reserve(kSend + kRecord); }
};

Staging& staging() {
  thread_local Staging buffers;
  return buffers;
}

}  // namespace

// OpenSSL's side of the wire.
struct Bio {
  static int read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
    auto& self = *static_cast<TlsTransport*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.in_.empty() && !self.refill()) {
      if (!self.end_) BIO_set_retry_read(bio);
      return 0;
    }
    *got = std::min(size, self.in_.size());
    std::memcpy(into, self.in_.data(), *got);
    self.in_.remove_prefix(*got);
    return 1;
  }
  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    staging().out.append(bytes, size);
    *written = size;
    return 1;
  }
  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command != BIO_CTRL_EOF) return 0;
    // A reset is no end, although OpenSSL takes one without close_notify for one.
    const auto& self = *static_cast<const TlsTransport*>(BIO_get_data(bio));
    return self.end_ && self.error_ == 0 ? 1 : 0;
  }
  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
      BIO_meth_set_read_ex(m, read);
      BIO_meth_set_write_ex(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }
  // One for all connections of this thread: 200 bytes less for each. Whose turn it is, Turn says.
  static BIO* shared() {
    thread_local const BioPtr made = [] {
      BioPtr bio(BIO_new(method()));
      BIO_set_init(bio.get(), 1);
      return bio;
    }();
    return made.get();
  }
};

// What a connection needs until its handshake ended.
struct TlsTransport::Handshaking final : event::TimerUser {
  Handshaking(event::Loop& loop, TlsTransport& of, HandshakeUser& told)
      : transport(of), user(&told), timer(loop.timers(), *this) {}
  void on_timer(event::Timer&) override { transport.handshake_is_late(); }

  TlsTransport& transport;
  HandshakeUser* user;
  event::Timer timer;
};

// One call into OpenSSL: the thread's BIO is this connection's while it lasts.
class TlsTransport::Turn {
 public:
  explicit Turn(TlsTransport& transport)
      : bio_(SSL_get_rbio(transport.ssl_.get())), before_(BIO_get_data(bio_)) {
    BIO_set_data(bio_, &transport);
  }
  ~Turn() { BIO_set_data(bio_, before_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  BIO* const bio_;
  void* const before_;
};

TlsTransport::TlsTransport(event::Loop& loop, std::unique_ptr<net::Transport> lower, SslPtr ssl,
                           HandshakeUser& handshake_user)
    : lower_(std::move(lower)),
      ssl_(std::move(ssl)),
      handshaking_(std::make_unique<Handshaking>(loop, *this, handshake_user)) {
  peer_ = lower_->peer();
  lower_->set_user(this);
  BIO* bio = Bio::shared();
  BIO_up_ref(bio);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsTransport::~TlsTransport() = default;

void TlsTransport::forget_handshake_user() {
  if (handshaking_) handshaking_->user = nullptr;
}

void TlsTransport::handshake(TimePoint deadline) {
  handshaking_->timer.arm(deadline);
  step();
}

void TlsTransport::step() {
  ERR_clear_error();
  const Turn turn(*this);
  receive_bytes_ = kReceive;
  staging().receives = 0;
  const int done = SSL_do_handshake(ssl_.get());
  const int code = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
  Result<> outcome;
  if (done != 1 && code != SSL_ERROR_WANT_READ) outcome = handshake_failure(code);
  keep_rest();
  if (!send_staged() && outcome) outcome = refuse(502, std::strerror(error_));
  if (done == 1 || !outcome) return end_handshake(std::move(outcome));
}

void TlsTransport::end_handshake(Result<> outcome) {
  HandshakeUser* const user = handshaking_ ? std::exchange(handshaking_->user, nullptr) : nullptr;
  if (handshaking_) handshaking_->timer.cancel();
  if (outcome) handshaking_.reset();  // a failure may be the timer's own call
  state_ = outcome ? State::Open : State::Failed;
  if (user) user->handshake_ended(*this, std::move(outcome));
}

// More ciphertext into the thread's buffer. False: none now, or the end.
bool TlsTransport::refill() {
  kept_in_.reset();
  if (dry_ || end_ || ++staging().receives > kReceivesInARow) return false;
  char* buffer = staging().in.get();
  const net::IoResult got = lower_->read({buffer, receive_bytes_});
  dry_ = got.drained;
  switch (got.status) {
    case net::IoStatus::Ok: in_ = {buffer, got.bytes}; return got.bytes > 0;
    case net::IoStatus::WouldBlock: return false;
    case net::IoStatus::End: end_ = true; return false;
    case net::IoStatus::Failed:
      end_ = true;
      error_ = got.error;
      return false;
  }
  return false;
}

// The thread's buffer belongs to the next connection: what is left of it is copied.
void TlsTransport::keep_rest() {
  if (in_.empty()) return kept_in_.reset();
  if (kept_in_ && in_.data() >= kept_in_->data() && in_.data() < kept_in_->data() + kept_in_->size()) return;
  kept_in_ = std::make_unique<std::string>(in_);
  in_ = *kept_in_;
}

net::IoResult TlsTransport::read(std::span<char> into) {
  if (state_ == State::Failed) return {0, net::IoStatus::Failed, error_ ? error_ : EPROTO, true};
  ERR_clear_error();
  // Ciphertext is never smaller than its plaintext: what is received fits, but for a record begun before.
  receive_bytes_ = static_cast<std::uint32_t>(std::clamp<std::size_t>(into.size(), kRecord, kReceive));
  const Turn turn(*this);
  staging().receives = 0;
  std::size_t total = 0;
  int code = SSL_ERROR_NONE;
  while (total < into.size()) {
    std::size_t got = 0;
    const int ok = SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &got);
    if (ok == 1) {
      total += got;
      if (!dry_ || !in_.empty() || SSL_has_pending(ssl_.get())) continue;
      code = SSL_ERROR_WANT_READ;  // as OpenSSL would find out
      break;
    }
    code = SSL_get_error(ssl_.get(), ok);
    break;
  }
  keep_rest();
  if (!staging().out.empty()) send_staged();  // an answer to a key update, or an alert
  if (state_ == State::Failed) return {0, net::IoStatus::Failed, error_, true};
  if (staging().receives > kReceivesInARow) {
    if (total >= kReceivesInARow * receive_bytes_ / kLeastPart) return {total, net::IoStatus::Ok, 0, false};
    state_ = State::Failed;
    error_ = EPROTO;
    return {0, net::IoStatus::Failed, error_, true};
  }
  if (code == SSL_ERROR_NONE) return {total, net::IoStatus::Ok, 0, false};
  if (code == SSL_ERROR_WANT_READ && !end_) {
    if (total == 0) return {0, net::IoStatus::WouldBlock, 0, true};
    return {total, net::IoStatus::Ok, 0, true};
  }
  // What came before the end is given first; the end shows at the next call.
  if (total > 0) return {total, net::IoStatus::Ok, 0, false};
  // Many end without close_notify (RFC 8446 §6.1): that counts, but not in the middle of a record.
  if (code == SSL_ERROR_ZERO_RETURN && !(end_ && SSL_has_pending(ssl_.get()))) {
    parted_ = lower_->peer_finished();
    return {0, net::IoStatus::End, 0, true};
  }
  state_ = State::Failed;
  ERR_clear_error();
  return {0, net::IoStatus::Failed, error_ ? error_ : end_ ? ECONNRESET : EPROTO, true};
}

net::IoResult TlsTransport::write(std::span<const iovec> parts) {
  if (state_ == State::Failed) return {0, net::IoStatus::Failed, error_ ? error_ : EPIPE, false};
  if (kept_out_ && !flush_kept_output()) {
    if (error_) return {0, net::IoStatus::Failed, error_, false};
    return {0, net::IoStatus::WouldBlock, 0, false};
  }
  ERR_clear_error();
  parted_ = false;
  const Turn turn(*this);
  Staging& buffers = staging();
  std::size_t part = 0;
  while (part < parts.size() && parts[part].iov_len == 0) ++part;
  // The byte that was held back has been sent meanwhile.
  std::size_t total = part < parts.size() && std::exchange(owes_, false) ? 1 : 0;
  std::size_t at = total;  // in parts[part]
  while (part < parts.size()) {
    while (part < parts.size() && buffers.out.size() + kRecord <= kSend) {
      const char* from = static_cast<const char*>(parts[part].iov_base) + at;
      std::size_t size = std::min(parts[part].iov_len - at, kRecord);
      at += size;
      // Heads and small bodies share a record.
      if (size < kRecord && at == parts[part].iov_len && part + 1 < parts.size()) {
        char* gather = buffers.gather.get();
        std::memcpy(gather, from, size);
        from = gather;
        while (size < kRecord && ++part < parts.size()) {
          at = std::min(parts[part].iov_len, kRecord - size);
          std::memcpy(gather + size, parts[part].iov_base, at);
          size += at;
          if (at < parts[part].iov_len) break;
        }
      }
      if (part < parts.size() && at == parts[part].iov_len) {
        ++part;
        at = 0;
      }
      if (size == 0) continue;
      std::size_t written = 0;
      if (SSL_write_ex(ssl_.get(), from, size, &written) != 1) {
        state_ = State::Failed;
        buffers.out.clear();
        return {0, net::IoStatus::Failed, EPROTO, false};
      }
      total += size;
    }
    if (!send_staged()) return {0, net::IoStatus::Failed, error_, false};
    if (kept_out_) break;
  }
  if (kept_out_ && total > 0) {
    // The user must not take for sent, and close over, what still waits here: one byte is reported with the
    // rest.
    owes_ = true;
    --total;
  }
  return {total, total > 0 || !kept_out_ ? net::IoStatus::Ok : net::IoStatus::WouldBlock, 0, false};
}

// Sends what OpenSSL wrote in this call; what the peer does not take is copied. False: the connection is
// lost.
bool TlsTransport::send_staged() {
  std::string& out = staging().out;
  if (out.empty()) return true;
  std::size_t sent = 0;
  bool alive = !lower_->closed();
  if (alive && !kept_out_) {
    const iovec all{out.data(), out.size()};
    const net::IoResult result = lower_->write({&all, 1});
    sent = result.bytes;
    if (result.status == net::IoStatus::Failed) {
      error_ = result.error;
      alive = false;
    }
  }
  if (alive && sent < out.size()) {
    if (!kept_out_) kept_out_ = std::make_unique<std::string>();
    kept_out_->append(out, sent);
    if (kept_out_->size() > kMaxKept) {
      error_ = EPROTO;
      state_ = State::Failed;
      alive = false;
    }
  }
  out.clear();
  return alive;
}

// True when nothing is kept any more.
bool TlsTransport::flush_kept_output() {
  const iovec all{kept_out_->data(), kept_out_->size()};
  const net::IoResult result = lower_->write({&all, 1});
  if (result.status == net::IoStatus::Failed) error_ = result.error;
  if (result.bytes < kept_out_->size()) {
    kept_out_->erase(0, result.bytes);
    return false;
  }
  kept_out_.reset();
  return true;
}

// The alert that tells an end from a cut (RFC 8446 §6.1), among what is to be sent.
void TlsTransport::say_goodbye() {
  const Turn turn(*this);
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsTransport::finish_writing() {
  if (state_ == State::Open) {
    say_goodbye();
    send_staged();
  }
  finishing_ = true;
  if (!kept_out_ && !lower_->closed()) lower_->finish_writing();
}

void TlsTransport::close() {
  if (handshaking_) handshaking_->timer.cancel();
  if (lower_->closed()) return;
  const bool nobody_listens = state_ != State::Open || error_ != 0 || parted_;
  if (nobody_listens || finishing_ || kept_out_) return lower_->close();
  say_goodbye();
  // In one packet with the end, which follows at once.
  std::string& out = staging().out;
  const int socket = lower_->plain_fd();
  if (socket >= 0 && !out.empty()) {
    (void)::send(socket, out.data(), out.size(), MSG_NOSIGNAL | MSG_MORE);
    out.clear();
  }
  send_staged();
  lower_->close();
}

// Without close_notify, which would say that this was all (RFC 8446 §6.1).
void TlsTransport::abort() {
  if (handshaking_) handshaking_->timer.cancel();
  if (!lower_->closed()) lower_->abort();
}

void TlsTransport::on_readable() {
  dry_ = false;
  if (state_ == State::Handshake) return step();
  if (user_) user_->on_readable();
}

void TlsTransport::on_writable() {
  if (kept_out_) {
    if (!flush_kept_output()) return;
    if (finishing_) lower_->finish_writing();
  }
  if (state_ == State::Open && user_) user_->on_writable();
}

void TlsTransport::on_peer_finished() {
  dry_ = false;
  if (state_ == State::Handshake) return step();
  if (user_) user_->on_peer_finished();
}

void TlsTransport::on_broken(int error) {
  error_ = error;
  dry_ = false;  // what came before it is still to be read
  if (state_ == State::Handshake) return end_handshake(refuse(502, std::strerror(error)));
  if (user_) user_->on_broken(error);
}

void TlsTransport::handshake_is_late() {
  if (state_ != State::Handshake) return;
  error_ = ETIMEDOUT;
  end_handshake(refuse(504, "not finished in time"));
}

}  // namespace fairlead::tls
