#include "engine/exchange/serve.h"

#include "engine/exchange/entry_point.h"
#include "engine/exchange/loop_guard.h"
#include "engine/exchange/request_rules.h"
#include "engine/exchange/tracing.h"

#include <algorithm>

namespace fairlead::exchange {
namespace {

constexpr std::size_t kChunk = event::Loop::kReceiveBytes;
constexpr std::uint64_t kMinSplice = 64 * 1024;  // below it a pipe costs more than the copies it saves

void begin_record(Exchange& x) {
  observe::Record& record = x.record;
  const http::RequestHead& head = x.request;
  record.begun = x.loop.now();
  record.client = x.client;
  record.entry_point = x.entry_point->name;
  record.method = head.method;
  record.target = head.target;
  record.authority = head.authority;
  record.protocol = http::text(head.version);
  record.scheme = head.scheme;
  if (x.tls) {
    record.tls_version = x.tls->version;
    record.tls_cipher = x.tls->cipher;
    record.tls_client_subject = x.tls->client_subject;
  }
}

Task<Response> refuse(Exchange& x, Error error) {
  return Task<Response>::ready(failure(x, std::move(error)));
}

Task<Response> route(Exchange& x, routing::Scratch& scratch) {
  const EntryPoint& entry_point = *x.entry_point;
  const RouteTable& table = x.is_tls() ? entry_point.secure : entry_point.plain;
  const routing::MatchContext context{routing::ClientAddress{x.client.ip.bytes, true}, scratch};
  const Route* found = table.find(x.request, context);
  if (entry_point.tracer) begin_trace(x, entry_point, found);
  if (!found) {
    x.record.log = entry_point.access_log;
    x.record.metrics = entry_point.metrics;
    return Task<Response>::ready(answer(x, 404, "404 page not found\n"));
  }
  x.router_name = found->name;
  x.record.router = found->name;
  x.record.router_service = x.record.service = found->service_name;
  x.record.log = found->log;
  x.record.metrics = found->metrics;
  x.record.internal = found->internal;
  if (auto looped = refuse_loop(x, *found)) return refuse(x, std::move(*looped));
  if (found->encoded) {
    if (const auto denied = http::denied_escape(x.request.path, *found->encoded))
      return refuse(x, {400, Fault::Client, false,
                        "the path has an escape that is not allowed: " + std::string(*denied)});
  }
  if (x.tls && entry_point.tls_hosts && !entry_point.tls_hosts->admits(x.request.host, x.tls->options.get()))
    return refuse(
        x, {421, Fault::Client, false, "the connection was set up with the TLS options of another host"});
  return found->handler->serve(x);
}

// Two directions, each with its own back-pressure; either end closes both.
Task<Result<>> run_tunnel(Exchange& x, http::ServerStream& stream, Response& response) {
  response.upgraded->begin_tunnel(stream.tunnel_body());
  for (;;) {
    Result<http::Chunk> chunk = co_await response.body->read(std::min(kChunk, stream.room()));
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    if (!chunk->bytes.empty()) {
      const std::size_t size = chunk->bytes.size();
      const bool last = chunk->last;
      Result<> written = co_await stream.write(chunk->bytes, false);
      if (!written) co_return written;
      x.record.response_bytes += size;
      if (last) co_return Result<>{};
      continue;
    }
    if (chunk->last) co_return Result<>{};
  }
}

// What a gRPC call came to stands behind its body: the access log and the counters look for it in the head.
void note_grpc_status(Exchange& x, const http::Fields& trailers) {
  if (const http::Field* status = trailers.find("Grpc-Status"))
    x.sent_fields.append(status->name, status->value, status->known);
}

Task<Result<>> send_body(Exchange& x, http::ServerStream& stream, Response& response) {
  for (;;) {
    if (const auto lent = response.body->lend(); lent && lent->bytes >= kMinSplice && stream.can_splice()) {
      Result<> moved = co_await stream.write_from(*lent);
      if (moved) {
        x.record.response_bytes += lent->bytes;
        x.record.origin_bytes += lent->bytes;
      }
      co_return moved;
    }
    Result<http::Chunk> chunk = co_await response.body->read(std::min(kChunk, stream.room()));
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    const std::size_t size = chunk->bytes.size();
    const bool last = chunk->last;
    const http::Fields* trailers = last ? response.body->trailers() : nullptr;
    if (trailers) note_grpc_status(x, *trailers);
    Result<> written = co_await stream.write(chunk->bytes, last, trailers);
    if (!written) co_return written;
    x.record.response_bytes += size;
    if (last) co_return Result<>{};
  }
}

Task<Result<>> send_head(Exchange& x, http::ServerStream& stream, const Response& response) {
  if (response.cause) x.record.cause = response.cause;
  x.record.status = response.head.status;
  if (response.own) x.body.reset();  // nobody reads the rest: the connection tells what becomes of it
  return stream.send(response.head, !response.body);
}

Task<void> deliver(Exchange& x, http::ServerStream& stream, Response response) {
  Result<> sent = co_await send_head(x, stream, response);
  if (!sent && sent.error().fault != Fault::Client) {
    // A head that cannot be sent, of which nothing has left: the client can still be told.
    response = failure(x, std::move(sent.error()));
    sent = co_await send_head(x, stream, response);
  }
  const bool tunnel = response.head.status == 101 && response.upgraded;
  std::swap(x.sent_fields, response.head.fields);
  if (sent && tunnel)
    sent = co_await run_tunnel(x, stream, response);
  else if (sent && response.body && x.request.method != "HEAD")
    sent = co_await send_body(x, stream, response);
  if (!sent) {
    x.client_left = sent.error().fault == Fault::Client;
    // The head has left: the client must see that this is not all, or that the tunnel broke.
    stream.reset(sent.error());
    if (!x.record.cause) x.record.cause = std::move(sent.error());
  }
}

}  // namespace

Task<void> serve(Exchange& x, http::ServerStream& stream, routing::Scratch& scratch) {
  begin_record(x);
  x.stream = &stream;
  x.reasons = &x.entry_point->reasons;
  x.body = stream.body();
  Result<> ruled = apply_entry_rules(x, *x.entry_point);
  Response response = ruled ? co_await route(x, scratch) : failure(x, std::move(ruled.error()));
  co_await deliver(x, stream, std::move(response));
}

}  // namespace fairlead::exchange
