#pragma once

#include "engine/base/fd.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/udp_socket.h"
#include "engine/udp/service.h"
#include "engine/udp/session_key.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fairlead::udp {

class EntryPoint;

// The datagrams of one client and the server that was chosen for it, on a connected socket of its own, until
// neither has spoken for a while. It says nothing of its own accord: what the client has not yet been
// answered is kept, and goes to the next server when this one refuses.
class Session final : public event::Destroyable, event::Handler, event::TimerUser {
 public:
  Session(EntryPoint& owner, const net::DatagramEnd& client);

  // What the client sent, in the batch that the entry point received.
  void forward(std::span<const std::uint16_t> slots);
  // Ends with the answer that is still to come.
  void drain();
  void close();

  const SessionKey& key() const { return key_; }
  bool proven() const { return proven_; }
  bool gone() const { return gone_; }

 private:
  friend class EntryPoint;

  void on_event(std::uint32_t events) override;
  void on_timer(event::Timer&) override { close(); }
  // Finds a server, connects, and sends what is kept; ends the session when there is none.
  Task<void> choose();
  bool connect(const ServerPtr& server, const net::Address& to);
  bool send_kept();
  void begin();
  void give_up_server(bool refused);
  void close_socket();
  std::size_t keep(std::span<const std::uint16_t> slots);
  void send(std::span<const std::uint16_t> slots);

  EntryPoint& owner_;
  const SessionKey key_;
  const net::DatagramEnd client_;
  event::Timer timer_;
  Fd socket_;
  ServerPtr server_;
  std::vector<ServerPtr> tried_;         // since the last answer
  std::vector<net::Ip> more_addresses_;  // of the last of them: "localhost" may be two, of which one refuses
  std::vector<std::string> kept_;        // until the first answer of the server
  std::size_t kept_bytes_ = 0;
  bool answered_ = false;  // by this server
  bool waiting_ = false;   // for an answer
  bool proven_ = false;    // the client spoke again after an answer: its address is no forgery
  bool gone_ = false;

  // Of the entry point: its lists by last use, of all and of one source, and the chain of this batch.
  Session* next_ = nullptr;
  Session* previous_ = nullptr;
  Session* source_next_ = nullptr;
  Session* source_previous_ = nullptr;
  std::uint16_t first_slot_ = 0;
  std::uint16_t last_slot_ = 0;
  bool in_batch_ = false;

  Task<void> choosing_;  // last member: it uses all others and goes first
};

}  // namespace fairlead::udp
