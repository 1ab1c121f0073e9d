#pragma once

#include "engine/base/fd.h"
#include "engine/event/loop.h"
#include "engine/net/udp_socket.h"
#include "engine/udp/counters.h"
#include "engine/udp/service.h"
#include "engine/udp/session.h"
#include "engine/udp/session_key.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::udp {

// How many sessions one worker keeps at one entry point. Each takes a descriptor.
struct Limits {
  std::size_t sessions = 16384;
  std::size_t per_source = 4096;
};

// One worker's part of a UDP entry point: its socket and its sessions.
//
// Anybody can forge source addresses. When the sessions are used up, the one that was silent longest ends
// among those whose client has never spoken after an answer; where all clients have, new ones are refused.
// The same holds within the share of one source, so that a busy one pushes out only itself.
class EntryPoint final : event::Handler, event::TickHook {
 public:
  EntryPoint(event::Loop& loop, std::string name, Fd socket, const Limits& limits,
             std::shared_ptr<Counters> counters);
  ~EntryPoint();
  EntryPoint(const EntryPoint&) = delete;
  EntryPoint& operator=(const EntryPoint&) = delete;

  // What new sessions meet from now on. Those that are open keep their server.
  void adopt(std::shared_ptr<const Route> route);
  // No new session; each one ends with the answer that its client waits for, and the port with the last.
  void drain();
  void close_all();

  const std::string& name() const { return name_; }
  std::size_t sessions() const { return sessions_.size(); }

 private:
  friend class Session;

  // Sessions by last use, the longest silent first.
  template <Session* Session::* Next, Session* Session::* Previous>
  struct ListBy {
    Session* first = nullptr;
    Session* last = nullptr;
    void append(Session& session);
    void remove(Session& session);
  };
  using List = ListBy<&Session::next_, &Session::previous_>;
  struct Source {
    std::size_t sessions = 0;
    ListBy<&Session::source_next_, &Session::source_previous_> fresh;
  };
  // Says what happens too often to be said each time.
  struct Said {
    std::uint64_t since = 0;
    TimePoint at = TimePoint::min();
  };

  void on_event(std::uint32_t events) override;
  void on_tick_end() override;
  void take_batch();
  Session* find_or_open(const net::DatagramEnd& from);
  Session* open(const SessionKey& key, const net::DatagramEnd& from);
  bool make_room();
  bool make_room_for(const net::Ip& source);
  void evict(Session& session);
  void drop(Drop why, std::uint64_t datagrams);
  std::string sentence(Drop why) const;

  // For sessions.
  ServerPtr pick(Tried tried) const;
  TimePoint deadline() const { return loop_.now() + timeout_; }
  void touch(Session& session);
  void prove(Session& session);
  void remove(Session& session);
  net::DatagramBatch& room_for_answers(std::size_t datagrams);
  void send_answers();
  void close_socket();

  event::Loop& loop_;
  const std::string name_;
  Fd socket_;
  const Limits limits_;
  std::shared_ptr<Counters> counters_;
  std::shared_ptr<const Route> route_;
  Duration timeout_ = std::chrono::seconds(3);
  std::unordered_map<SessionKey, Session*, KeyedHash> sessions_;
  std::unordered_map<net::Ip, Source, KeyedHash> sources_;
  List fresh_;   // clients that may be forged
  List proven_;  // clients that are not
  net::DatagramBatch in_;
  net::DatagramBatch out_;
  std::vector<Session*> touched_;  // in this batch
  std::array<std::uint16_t, net::DatagramBatch::kSlots> next_slot_{};
  std::array<Said, kDrops> said_{};
  bool draining_ = false;
};

}  // namespace fairlead::udp
