#include "engine/tcp/postgres.h"

#include "engine/tcp/conversation.h"

#include <fmt/format.h>

namespace fairlead::tcp {

Prelude prelude_of(std::string_view bytes) {
  if (bytes.size() >= kSslRequest.size())
    return bytes.starts_with(kSslRequest) ? Prelude::SslRequest : Prelude::Absent;
  return kSslRequest.starts_with(bytes) ? Prelude::NeedMore : Prelude::Absent;
}

Task<Result<>> ask_for_tls(event::Loop& loop, net::Transport& server, Duration timeout) {
  Conversation conversation(loop, server, loop.now() + timeout);
  Result<> sent = co_await conversation.send(kSslRequest);
  if (!sent) co_return sent;
  Result<std::string> answer = co_await conversation.receive(kSslAgreed.size());
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (*answer != kSslAgreed)
    co_return fail(502, Fault::Upstream, fmt::format("{} does not offer TLS", server.peer().text()));
  co_return Result<>{};
}

}  // namespace fairlead::tcp
