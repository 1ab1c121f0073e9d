#include "engine/service/forward.h"

#include "engine/base/prefetch.h"
#include "engine/service/hop_by_hop.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::service {
namespace {

constexpr auto kContinueWait = std::chrono::seconds(1);  // then the body is sent without waiting for a 100
constexpr std::size_t kChunk = event::Loop::kReceiveBytes;
constexpr std::uint64_t kMinSplice = 64 * 1024;
constexpr int kMaxInformational = 32;  // 1xx responses of one exchange; more is an attack on us
// Of their fields together: as much as a final head may have. Nobody can hold them back.
constexpr std::size_t kMaxInformationalBytes = 256 * 1024;

std::size_t bytes_of(const http::Fields& fields) {
  std::size_t bytes = 0;
  for (const http::Field& line : fields) bytes += line.name.size() + line.value.size();
  return bytes;
}

}  // namespace

Attempt::Attempt(exchange::Exchange& x, http::ClientStreamPtr stream,
                 std::shared_ptr<upstream::ServerState> state, TimePoint begun)
    : x_(x),
      begun_(begun),
      in_flight_(std::move(state)),
      stream_(std::move(stream)),
      timer_(x.loop.timers(), *this) {}

Result<> Attempt::send(const upstream::Server& server, const ForwardOptions& options) {
  http::RequestHead& head = x_.request;
  remove_hop_by_hop(head.fields, head.chunked);
  // The peer is added to X-Forwarded-For for this try only: a retry starts from the same head again.
  http::Field* forwarded = head.fields.find(http::Name::XForwardedFor);
  const std::string_view before = forwarded ? forwarded->value : std::string_view{};
  const bool append = x_.appends_forwarded_for();
  if (append) {
    const std::string_view peer = x_.client_ip;
    if (forwarded)
      forwarded->value = before.empty() ? peer : x_.arena().join(before, ", ", peer);
    else
      head.fields.append(http::spelling(http::Name::XForwardedFor), peer, http::Name::XForwardedFor);
  }
  std::string plain_path;
  if (server.preserve_path && !server.address.path.empty()) {
    plain_path = head.path;
    head.path.insert(0, server.address.path);
  }
  if (head.path.empty()) head.path = "/";  // stripPrefix took all of it
  const bool has_body = x_.body != nullptr;
  const std::string_view host =
      options.pass_host_header ? head.authority : std::string_view(server.address.host_port);
  Result<> sent = stream_->send(head, host, !has_body).take();
  if (!plain_path.empty()) head.path = std::move(plain_path);
  if (append) {
    if (forwarded)
      head.fields.find(http::Name::XForwardedFor)->value = before;
    else
      head.fields.remove(http::Name::XForwardedFor);
  }
  if (!sent) return sent;
  x_.reached_proxy = true;
  if (has_body) {
    if (head.expects_continue) {
      may_send_body_ = false;
      timer_.arm(x_.loop.now() + kContinueWait);
    }
    pump_ = pump_body();
    pump_.start(nullptr);
  }
  return {};
}

void Attempt::bind_connection() {
  if (!x_.binding) return stream_->keep_out_of_pool();  // a copy for a mirror: nobody's
  x_.binding->has_logins = true;
  stream_->bind_to(x_.binding->id);
}

void Attempt::let_body_go() {
  may_send_body_ = true;
  timer_.cancel();
  continue_.notify();
}

// The server has all that it will get of the request: its time to answer begins.
void Attempt::body_gone() {
  if (head_limit_ > Duration{} && !answered_) timer_.arm(x_.loop.now() + head_limit_);
}

void Attempt::on_timer(event::Timer&) {
  if (!may_send_body_) return let_body_go();
  stream_->abort(
      {504, Fault::Upstream, false,
       fmt::format("server {}: no response head in time (responseHeaderTimeout)", x_.record.server_address)});
}

Task<void> Attempt::pump_body() {
  while (!may_send_body_) co_await continue_.wait();
  // Answered before the 100: the server does not want the body (RFC 9110 §10.1.1).
  if (answered_ && x_.request.expects_continue) co_return;
  body_touched_ = true;
  for (;;) {
    if (const auto lent = x_.body->lend(); lent && lent->bytes >= kMinSplice && stream_->can_splice()) {
      Result<> moved = co_await stream_->write_from(*lent);
      if (moved) x_.record.request_bytes += lent->bytes;
      if (moved || moved.error().fault != Fault::Client) co_return body_gone();
      client_error_ = std::move(moved.error());
      break;
    }
    Result<http::Chunk> chunk = co_await x_.body->read(kChunk);
    if (!chunk) {
      client_error_ = std::move(chunk.error());
      break;
    }
    x_.record.request_bytes += chunk->bytes.size();
    const bool last = chunk->last;
    Result<> written = co_await stream_->write(chunk->bytes, last, last ? x_.body->trailers() : nullptr);
    if (!written) {
      // A server that does not take the body may still have answered: receive() finds out.
      if (written.error().fault != Fault::Client) co_return body_gone();
      client_error_ = std::move(written.error());
      break;
    }
    if (last) co_return body_gone();
  }
  // The client's message is broken: the server must not take what it has for the whole of it.
  stream_->abort(*client_error_);
}

Task<Result<>> Attempt::receive(http::ResponseHead& head, TimePoint deadline) {
  if (deadline != TimePoint::max() && pump_ && !pump_.done()) {
    head_limit_ = deadline - x_.loop.now();
    deadline = TimePoint::max();
  }
  std::size_t informational_bytes = 0;
  for (int informational = 0;; ++informational) {
    Result<> received = co_await stream_->receive(head, deadline);
    prefetch(x_.stream, 11);  // where the head goes next
    if (client_error_) co_return std::unexpected(*client_error_);
    if (!received) co_return received;
    if (head.status >= 200 || head.status == 101) break;
    informational_bytes += bytes_of(head.fields);
    if (informational == kMaxInformational || informational_bytes > kMaxInformationalBytes)
      co_return fail(502, Fault::Upstream, "the server sent too many interim responses");
    remove_hop_by_hop(head.fields);
    if (head.status == 100)
      let_body_go();
    else if (x_.stream)
      x_.stream->informational(head);
  }
  answered_ = true;
  if (head_limit_ > Duration{}) timer_.cancel();
  if (!may_send_body_) let_body_go();
  if (head.status == 101) {
    if (x_.request.upgrade.empty() || !iequals(head.upgrade, x_.request.upgrade))
      co_return fail(502, Fault::Upstream, "the server switched to a protocol that nobody asked for");
    co_return Result<>{};
  }
  if (head.chunked) of_this_hop_ = named_in_connection(head.fields);
  remove_hop_by_hop(head.fields, head.chunked);
  co_return Result<>{};
}

bool Attempt::take_body(const http::ResponseHead& head) {
  if (head.status == 101) {
    tunnel_ = true;
    body_ = stream_->tunnel_body();
  } else {
    body_ = stream_->body();
  }
  return body_ != nullptr;
}

http::Fields* Attempt::trailers() {
  http::Fields* const fields = body_ ? body_->trailers() : nullptr;
  if (fields && !of_this_hop_.empty())
    fields->remove_if([this](const http::Field& line) { return is_named(of_this_hop_, line.name); });
  return fields;
}

Task<Result<http::Chunk>> Attempt::read(std::size_t max_bytes) {
  Task<Result<http::Chunk>> chunk = body_->read(max_bytes);
  if (!chunk.done()) return count_later(std::move(chunk));
  Result<http::Chunk> now = chunk.take();
  if (now) x_.record.origin_bytes += now->bytes.size();
  return Task<Result<http::Chunk>>::ready(std::move(now));
}

Task<Result<http::Chunk>> Attempt::count_later(Task<Result<http::Chunk>> pending) {
  Result<http::Chunk> chunk = co_await std::move(pending);
  if (chunk) x_.record.origin_bytes += chunk->bytes.size();
  co_return chunk;
}

void Attempt::begin_tunnel(http::BodyPtr from_client) {
  from_client_ = std::move(from_client);
  pump_ = pump_tunnel();
  pump_.start(nullptr);
}

Task<void> Attempt::pump_tunnel() {
  for (;;) {
    Result<http::Chunk> chunk = co_await from_client_->read(kChunk);
    if (!chunk) break;
    x_.record.request_bytes += chunk->bytes.size();
    const bool last = chunk->last;
    Result<> written = co_await stream_->write(chunk->bytes, last, nullptr);
    if (!written || last) co_return;
  }
  stream_->abort({499, Fault::Client, false, "the client closed the tunnel"});
}

}  // namespace fairlead::service
