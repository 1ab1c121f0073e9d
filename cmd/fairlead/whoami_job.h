#pragma once

#include "engine/base/arena.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/net/address.h"

#include <string>
#include <string_view>

namespace fairlead::cmd {

class WhoamiServer;
class WhoamiConnection;

// One request to whoami and its answer. Deletes itself when the tick ends in which it is over.
class WhoamiJob final : public http::Job, Completion, event::TickHook {
 public:
  WhoamiJob(WhoamiServer& server, WhoamiConnection& connection) : server_(server), connection_(&connection) {}

  http::RequestHead& head() override { return request_; }
  void start(http::ServerStream& stream) override;
  void cancel(const Error& why) override;

 private:
  void task_done() override;
  void on_tick_end() override;

  Task<void> answer(http::ServerStream& stream, net::Address peer);
  Task<void> who(http::ServerStream& stream, std::string_view query, const net::Address& peer, bool json);
  Task<void> health(http::ServerStream& stream);
  Task<void> data(http::ServerStream& stream, std::string_view query);
  Task<void> upload(http::ServerStream& stream);
  Task<void> echo(http::ServerStream& stream);
  Task<void> send(http::ServerStream& stream, int status, std::string_view type, std::string_view text);
  // At most `keep` bytes of the body; the rest is read and counted only.
  Task<std::string> body(http::ServerStream& stream, std::size_t keep);

  WhoamiServer& server_;
  WhoamiConnection* connection_;  // null once it is gone
  Arena arena_;
  http::RequestHead request_{arena_};
  http::BodyPtr body_;
  std::uint64_t body_bytes_ = 0;
  Task<void> root_;
};

}  // namespace fairlead::cmd
