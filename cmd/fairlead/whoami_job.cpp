#include "cmd/fairlead/whoami_job.h"

#include "cmd/fairlead/websocket_echo.h"
#include "cmd/fairlead/whoami_connection.h"
#include "cmd/fairlead/whoami_server.h"
#include "engine/base/strings.h"
#include "engine/http/url.h"
#include "engine/schema/duration.h"

#include <fmt/format.h>

#include <cstdio>

namespace fairlead::cmd {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kMaxShown = 64 * 1024;  // of a body that is printed back
constexpr auto kMaxWait = std::chrono::hours(1);

}  // namespace

void WhoamiJob::start(http::ServerStream& stream) {
  root_ = answer(stream, connection_->peer());
  root_.start(this);
}

void WhoamiJob::task_done() { server_.loop_.at_tick_end(*this); }

void WhoamiJob::cancel(const Error&) {
  connection_ = nullptr;
  server_.loop_.at_tick_end(*this);
}

void WhoamiJob::on_tick_end() {
  root_.cancel();
  body_.reset();
  if (connection_) connection_->exchange_ended();
  delete this;
}

Task<void> WhoamiJob::answer(http::ServerStream& stream, net::Address peer) {
  const auto target = http::split_target(request_.target);
  const std::string_view path = target ? target->path : "/";
  const std::string_view query = target ? target->query : std::string_view{};
  if (server_.verbose_) {
    fmt::print("{} {} {}\n", peer.text(), request_.method, quoted(request_.target));
    std::fflush(stdout);
  }
  body_ = stream.body();
  if (path == "/api") {
    co_await who(stream, query, peer, true);
  } else if (path == "/bench") {
    co_await send(stream, 200, "text/plain", "1");
  } else if (path == "/data") {
    co_await data(stream, query);
  } else if (path == "/echo") {
    co_await echo(stream);
  } else if (path == "/health") {
    co_await health(stream);
  } else if (path == "/upload") {
    co_await upload(stream);
  } else {
    co_await who(stream, query, peer, false);
  }
}

Task<void> WhoamiJob::who(http::ServerStream& stream, std::string_view query, const net::Address& peer,
                          bool json) {
  if (const auto wait = schema::parse_duration(parameter(query, "wait")); wait && *wait > Duration{})
    co_await server_.loop_.sleep(std::min<Duration>(*wait, kMaxWait));
  WhoamiFacts facts = server_.facts_;
  facts.remote = peer.text();
  if (json) {
    const std::string text = whoami_json(facts, request_);
    co_await send(stream, 200, "application/json", text);
    co_return;
  }
  std::string text = whoami_text(facts, request_);
  const std::string sent = co_await body(stream, kMaxShown);
  text += sent;
  co_await send(stream, 200, kText, text);
}

Task<void> WhoamiJob::health(http::ServerStream& stream) {
  if (request_.method != "POST") {
    co_await send(stream, server_.health_, kText, "");
    co_return;
  }
  const std::string text = co_await body(stream, kMaxShown);
  const auto status = parse_digits(trim(text));
  if (!status || *status < 200 || *status > 599) {
    co_await send(stream, 400, kText, "the body must be a status code\n");
    co_return;
  }
  server_.health_ = static_cast<int>(*status);
  fmt::print("Update health check status code [{}]\n", *status);
  std::fflush(stdout);
  co_await send(stream, 200, kText, "");
}

Task<void> WhoamiJob::data(http::ServerStream& stream, std::string_view query) {
  const std::uint64_t size = data_size(query);
  http::ResponseHead head(arena_);
  head.content_length = size;
  head.fields.add(http::Name::ContentType, kText);
  if (const std::string wanted = lower(parameter(query, "attachment")); wanted == "true" || wanted == "1")
    head.fields.add("Content-Disposition", "Attachment; filename=\"data.txt\"");
  Result<> sent = co_await stream.send(head, size == 0);
  if (request_.method == "HEAD") co_return;
  std::string piece;
  for (std::uint64_t offset = 0; sent && offset < size; offset += piece.size()) {
    piece.clear();
    append_data(piece, offset, static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - offset)),
                size);
    sent = co_await stream.write(piece, offset + piece.size() == size);
  }
}

Task<void> WhoamiJob::upload(http::ServerStream& stream) {
  co_await body(stream, 0);
  const std::string text = fmt::format("received {} bytes\n", body_bytes_);
  co_await send(stream, 200, kText, text);
}

Task<void> WhoamiJob::echo(http::ServerStream& stream) {
  const std::string_view key = request_.fields.get("Sec-WebSocket-Key");
  if (!iequals(request_.upgrade, "websocket") || key.empty()) {
    co_await send(stream, 400, kText, "Bad Request\n");
    co_return;
  }
  http::ResponseHead head(arena_);
  head.status = 101;
  head.upgrade = "websocket";
  head.fields.add("Sec-WebSocket-Accept", websocket_accept(key));
  Result<> sent = co_await stream.send(head, false);
  if (!sent) co_return;
  const http::BodyPtr client = stream.tunnel_body();
  WebSocketEcho websocket;
  std::string out;
  for (bool more = true; more;) {
    Result<http::Chunk> chunk = co_await client->read(kChunk);
    if (!chunk) co_return;
    out.clear();
    const bool last = chunk->last;
    more = websocket.take(chunk->bytes, out) && !last;
    if (!out.empty()) sent = co_await stream.write(out, false);
    if (!sent) co_return;
  }
}

Task<void> WhoamiJob::send(http::ServerStream& stream, int status, std::string_view type,
                           std::string_view text) {
  http::ResponseHead head(arena_);
  head.status = status;
  const bool empty = text.empty() || http::never_has_content(status);
  if (!http::never_has_content(status)) head.content_length = text.size();
  if (!empty) head.fields.add(http::Name::ContentType, type);
  Result<> sent = co_await stream.send(head, empty);
  if (!sent || empty || request_.method == "HEAD") co_return;
  sent = co_await stream.write(text, true);
}

Task<std::string> WhoamiJob::body(http::ServerStream&, std::size_t keep) {
  std::string out;
  while (body_) {
    Result<http::Chunk> chunk = co_await body_->read(kChunk);
    if (!chunk) break;
    body_bytes_ += chunk->bytes.size();
    out += chunk->bytes.substr(0, keep - std::min(keep, out.size()));
    if (chunk->last) break;
  }
  co_return out;
}

}  // namespace fairlead::cmd
