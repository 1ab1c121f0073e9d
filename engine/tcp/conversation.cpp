#include "engine/tcp/conversation.h"

#include <fmt/format.h>

#include <cstring>

namespace fairlead::tcp {

Conversation::Conversation(event::Loop& loop, net::Transport& server, TimePoint deadline)
    : server_(server), timer_(loop.timers(), *this) {
  server_.set_user(this);
  timer_.arm(deadline);
}

Conversation::~Conversation() { server_.set_user(nullptr); }

void Conversation::on_broken(int error) {
  error_ = error;
  wake();
}

void Conversation::on_timer(event::Timer&) {
  late_ = true;
  wake();
}

std::unexpected<Error> Conversation::lost(int error) const {
  return fail(502, Fault::Upstream, fmt::format("{}: {}", server_.peer().text(), std::strerror(error)));
}

Result<> Conversation::still_well() const {
  if (late_) return fail(504, Fault::Upstream, fmt::format("{}: no answer in time", server_.peer().text()));
  if (error_) return lost(error_);
  return {};
}

Task<Result<>> Conversation::send(std::string_view bytes) {
  for (;;) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const net::IoResult sent = server_.write({&part, 1});
    if (sent.status == net::IoStatus::Failed) co_return lost(sent.error);
    bytes.remove_prefix(sent.bytes);
    if (bytes.empty()) co_return Result<>{};
    co_await signal_.wait();
    if (Result<> well = still_well(); !well) co_return well;
  }
}

Task<Result<std::string>> Conversation::receive(std::size_t max_bytes) {
  std::string bytes(max_bytes, '\0');
  for (;;) {
    const net::IoResult got = server_.read({bytes.data(), bytes.size()});
    if (got.status == net::IoStatus::End)
      co_return fail(502, Fault::Upstream,
                     fmt::format("{}: closed without an answer", server_.peer().text()));
    if (got.status == net::IoStatus::Failed) co_return lost(got.error);
    if (got.bytes > 0) {
      bytes.resize(got.bytes);
      co_return bytes;
    }
    co_await signal_.wait();
    if (Result<> well = still_well(); !well) co_return std::unexpected(std::move(well.error()));
  }
}

}  // namespace fairlead::tcp
