#pragma once

#include "engine/base/result.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/tls/pointers.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::tls {

class TlsTransport;

// Told how a handshake ended, once. It may close the transport inside the call, or give it another user.
class HandshakeUser {
 public:
  // Errors, with the reason in words; the alert has been sent. Of a client: {0, Client}. Toward a server:
  // {500, Upstream} when it cannot be verified or speaks no TLS, {502, Upstream, retryable} when the
  // connection was lost, {504, Upstream, retryable} when it took too long.
  virtual void handshake_ended(TlsTransport& transport, Result<> outcome) = 0;

 protected:
  ~HandshakeUser() = default;
};

// What a handshake agreed on.
struct Agreed {
  std::string_view version;    // a literal: "1.3"
  std::string_view cipher;     // a literal, as IANA names it
  std::string protocol;        // ALPN; empty: none
  std::string server_name;     // SNI
  std::string peer_subject;    // of the peer's certificate; empty: it sent none
  std::string peer_chain_pem;  // leaf first
};

// TLS over another transport. One receive feeds many records and what one call writes leaves in one send, in
// records of 16 KiB: that, not the cipher, decides what large bodies cost. An idle connection holds no
// buffer.
class TlsTransport final : public net::Transport, net::TransportUser {
 public:
  // `ssl` knows its role (accept or connect state). `handshake_user` lives until it was told, or forgotten.
  TlsTransport(event::Loop& loop, std::unique_ptr<net::Transport> lower, SslPtr ssl,
               HandshakeUser& handshake_user);
  ~TlsTransport() override;

  // Begins; what has arrived already is read. `deadline` bounds all of it.
  void handshake(TimePoint deadline);
  void forget_handshake_user();
  Agreed agreed() const;
  SSL* ssl() const { return ssl_.get(); }

  net::IoResult read(std::span<char> into) override;
  net::IoResult write(std::span<const iovec> parts) override;
  void finish_writing() override;
  void close() override;
  void abort() override;
  void doubt_peer() override { lower_->doubt_peer(); }
  bool closed() const override { return lower_->closed(); }
  bool peer_finished() const override { return lower_->peer_finished(); }
  net::Address local() const override { return lower_->local(); }

 private:
  friend struct Bio;
  struct Handshaking;
  class Turn;
  enum class State : unsigned char { Handshake, Open, Failed };

  // net::TransportUser, of the lower transport
  void on_readable() override;
  void on_writable() override;
  void on_peer_finished() override;
  void on_broken(int error) override;

  void step();
  void end_handshake(Result<> outcome);
  void handshake_is_late();
  Result<> handshake_failure(int code) const;
  std::unexpected<Error> refuse(int status, std::string_view why) const;
  bool refill();
  void keep_rest();
  bool send_staged();
  bool flush_kept_output();
  void say_goodbye();
  bool is_client() const { return !SSL_is_server(ssl_.get()); }

  // Thousands of these are idle at once: what only some of them need lives apart.
  std::unique_ptr<net::Transport> lower_;
  SslPtr ssl_;
  std::unique_ptr<Handshaking> handshaking_;  // until it ended

  // Ciphertext that OpenSSL has not taken: in the thread's buffer during a call, else in kept_in_.
  std::string_view in_;
  std::unique_ptr<std::string> kept_in_;
  std::unique_ptr<std::string> kept_out_;  // ciphertext that the peer does not take yet
  std::uint32_t receive_bytes_ = 0;
  int error_ = 0;  // errno of the lower transport
  State state_ = State::Handshake;
  bool owes_ = false;       // a byte was encrypted and not yet reported as written
  bool dry_ = false;        // the lower transport has no more now
  bool end_ = false;        // its end was seen
  bool finishing_ = false;  // FIN once kept_out_ has left
  bool parted_ = false;     // the peer has said goodbye and ended; nothing was written after it
};

}  // namespace fairlead::tls
