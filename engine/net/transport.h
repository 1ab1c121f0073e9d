#pragma once

#include "engine/event/loop.h"
#include "engine/net/address.h"

#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace fairlead::net {

enum class IoStatus : unsigned char { Ok, WouldBlock, End, Failed };

struct IoResult {
  std::size_t bytes = 0;
  IoStatus status = IoStatus::Ok;
  int error = 0;         // errno of Failed
  bool drained = false;  // reading: nothing more is there now; wait for the next on_readable
};

// Told what happened on a transport. Calls come from the loop; the user may close the transport inside them
// and must have it destroyed by Loop::destroy_later.
class TransportUser {
 public:
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  // The peer will send no more (its FIN); what it sent before can still be read.
  virtual void on_peer_finished() = 0;
  // Reset, or an error: neither direction works any more. What came before it can still be read, until
  // reading fails with that error.
  virtual void on_broken(int error) = 0;
  // Fetches what on_readable() will go on with into the cache.
  virtual void foresee() const {}

 protected:
  ~TransportUser() = default;
};

// A byte stream of one worker: plain TCP, or TLS over it. Edge-triggered: on_readable comes once per arrival,
// so the user reads until `drained`, or remembers that it stopped early.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual IoResult read(std::span<char> into) = 0;
  // As read(), but what it gives is given again, by peek() and by read(): the bytes are kept here and not in
  // the kernel, so that looking costs no call more. Plain transports only.
  virtual IoResult peek(std::span<char>) { return {0, IoStatus::Failed, EOPNOTSUPP, true}; }
  // Writes what the peer takes now; fewer bytes than given means: wait for on_writable.
  virtual IoResult write(std::span<const iovec> parts) = 0;
  // Asks for on_writable once there is room. write() that sent less than all asks by itself; who wrote to
  // plain_fd() asks here.
  virtual void want_writable() {}
  virtual void finish_writing() = 0;  // FIN after what was written
  virtual void close() = 0;           // no calls to the user after this
  // As close(), but the peer sees a reset: what it received may not be all.
  virtual void abort() { close(); }
  virtual bool closed() const = 0;
  // The peer may have vanished without a word. If so, the kernel finds out within seconds and on_broken
  // tells; a peer that is there notices nothing.
  virtual void doubt_peer() {}
  // True once the peer's FIN is known, though what came before it may still wait here.
  virtual bool peer_finished() const { return false; }

  // The descriptor when bytes pass unchanged, for splice(2); -1 otherwise.
  virtual int plain_fd() const { return -1; }

  void set_user(TransportUser* user) { user_ = user; }
  // Both ends as a PROXY header tells them: they are the peer's and ours from now on.
  void announce(const Address& peer, const Address& local) {
    peer_ = peer;
    announced_local_ = local;
  }
  const Address& peer() const { return peer_; }
  // Our end. Asked of the kernel, so not for the request path.
  virtual Address local() const = 0;

 protected:
  TransportUser* user_ = nullptr;
  Address peer_;
  std::optional<Address> announced_local_;
};

}  // namespace fairlead::net
