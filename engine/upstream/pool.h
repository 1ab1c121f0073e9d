#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/codec/h1/client.h"
#include "engine/codec/h2/client.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/net/proxy_protocol.h"
#include "engine/upstream/server.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::upstream {

// What a request asks of its connection.
struct StreamNeeds {
  bool fresh = false;  // never a reused one, for a request that failed on one
  bool http1 = false;  // upgrades: HTTP/2 has none toward servers
  // The client whose connections with a login it takes first; 0: it has none.
  std::uint64_t bound_to = 0;
  // Whom a PROXY header announces, where the transport asks for one; absent: the connection is our own.
  std::optional<net::ProxiedEnds> client{};
};

// Connections of one worker to one server; it leases streams. A connection over HTTP/1 carries one at a time:
// idle ones are used last in, first out, so that few stay warm and the others time out. One over HTTP/2
// carries as many as the server allows, then another one is opened. A connection on which the server closes
// anything while idle leaves at that event, so taking one costs no probe. After a server said what nobody
// asked for, each of its connections carries one request for a while.
//
// A connection that began with a PROXY header belongs to one client: it carries one request.
//
// Where connections are shared, or not known to be yet (ALPN), one is dialled at a time and all wait for it.
class Pool final : codec::h1::ClientOwner,
                   codec::h2::ClientOwner,
                   event::TimerUser,
                   event::TickHook,
                   Completion {
 public:
  Pool(event::Loop& loop, ServerAddress address, TransportOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A stream of a connection that is there, or of a new one. Errors as dial(); {502} when the name does not
  // resolve or the server takes no streams.
  Task<Result<http::ClientStreamPtr>> take(StreamNeeds needs = {});
  // The client is gone, and its logins with it.
  void forget_client(std::uint64_t client);
  // The server left: idle connections close now, busy ones when they come back.
  void retire();
  // The server is gone, and perhaps without a word to those who wait for its answers.
  void doubt();
  // The server is back under the same address.
  void revive() { retired_ = false; }
  std::size_t idle_count() const { return idle_; }
  // Servers of current sets behind it; Pools retires it when the last one goes.
  int uses = 0;
  // While one lives, the pool does: for requests outside of any service.
  class Guest {
   public:
    explicit Guest(Pool& pool) : pool_(pool) { ++pool_.guests_; }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    ~Guest() { --pool_.guests_; }

   private:
    Pool& pool_;
  };
  // It has nothing that a new one would not have.
  bool removable() const {
    return uses == 0 && guests_ == 0 && dialing_ == 0 && !idle_list_.first && !bound_list_.first &&
           !busy_list_.first && !shared_list_.first;
  }

 private:
  class Dialing;
  class DialWait;
  template <class Connection>
  struct List {
    Connection* first = nullptr;
    void push(Connection& connection);
    void remove(Connection& connection);
  };
  enum class Speaks : unsigned char { Unknown, Http1, Http2 };

  http::ClientStreamPtr take_shared();
  http::ClientStreamPtr take_idle();
  http::ClientStreamPtr take_bound(std::uint64_t client);
  http::ClientStreamPtr lease(codec::h1::ClientConnection& connection);
  Task<Result<http::ClientStreamPtr>> connect(bool http1);
  Task<Result<http::ClientStreamPtr>> share();
  Task<Result<http::ClientStreamPtr>> connect_announced(StreamNeeds needs);
  void retire_useless();
  Task<void> dial_shared();
  void task_done() override { loop_.at_tick_end(*this); }
  void on_tick_end() override;

  codec::h1::ClientConnection& adopt_http1(std::unique_ptr<net::Transport> transport);
  codec::h2::ClientConnection& adopt_http2(std::unique_ptr<net::Transport> transport);
  http::ClientStreamPtr lease(codec::h2::ClientConnection& connection);
  void idle(codec::h1::ClientConnection& connection) override;
  void closed(codec::h1::ClientConnection& connection) override;
  void idle(codec::h2::ClientConnection& connection) override;
  void closed(codec::h2::ClientConnection& connection) override;
  void distrust();
  void rest(codec::h1::ClientConnection& connection);
  void leave_idle(codec::h1::ClientConnection& connection);
  void watch_idle();
  void end_surplus();
  void on_timer(event::Timer& timer) override;

  event::Loop& loop_;
  ServerAddress address_;
  TransportOptions options_;
  List<codec::h1::ClientConnection> idle_list_;
  List<codec::h1::ClientConnection> bound_list_;  // idle too, each for one client; few
  List<codec::h1::ClientConnection> busy_list_;
  List<codec::h2::ClientConnection> shared_list_;
  std::size_t idle_ = 0;
  std::size_t assumed_streams_ = 100;  // of a connection over HTTP/2 that is new
  int dialing_ = 0;
  int guests_ = 0;
  Speaks speaks_;
  bool retired_ = false;
  TimePoint distrusted_until_{};
  event::Timer timer_;
  event::Timer surplus_timer_;

  Task<void> shared_dial_;  // runs for everybody in waiting_, whoever of them leaves meanwhile
  std::optional<Error> dial_error_;
  std::vector<DialWait*> waiting_;
  std::vector<DialWait*> waking_;
};

}  // namespace fairlead::upstream
