#include "engine/upstream/fetch.h"

#include "engine/base/arena.h"
#include "engine/base/held_bytes.h"
#include "engine/event/limited.h"
#include "engine/event/timer.h"
#include "engine/http/head.h"
#include "engine/upstream/fetch_tls.h"
#include "engine/upstream/pools.h"

#include <fmt/format.h>

namespace fairlead::upstream {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr int kMaxInformational = 32;  // 1xx responses before the answer; more is an attack on us

// Ends a stream when its time is up.
class Limit final : event::TimerUser {
 public:
  Limit(event::Loop& loop, http::ClientStream& stream, TimePoint due)
      : stream_(stream), timer_(loop.timers(), *this) {
    if (due != TimePoint::max()) timer_.arm(due);
  }

 private:
  void on_timer(event::Timer&) override {
    stream_.abort({504, Fault::Upstream, false, "no complete answer in time"});
  }
  http::ClientStream& stream_;
  event::Timer timer_;
};

void fill_head(const FetchRequest& request, std::string_view path_and_query, http::RequestHead& head) {
  head.method = request.method;
  const auto mark = path_and_query.find('?');
  head.path = path_and_query.substr(0, mark);
  if (head.path.empty()) head.path = "/";
  head.has_query = mark != std::string_view::npos;
  if (head.has_query) head.query = path_and_query.substr(mark + 1);
  for (const auto& [name, value] : request.headers) head.fields.add(name, value);
  if (!request.body.empty()) head.content_length = request.body.size();
}

std::string_view after_authority(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto slash = url.find_first_of("/?", begin);
  std::string_view rest = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  return rest.substr(0, rest.find('#'));
}

// In pieces, so that what the server does not take yet lies here once only. A server may answer before it has
// all of it, and end then: the answer tells, so a failure to write does not.
Task<void> send_body(http::ClientStream& stream, std::string_view body) {
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, kChunk);
    body.remove_prefix(piece.size());
    if (!co_await stream.write(piece, body.empty())) co_return;
  }
}

Task<Result<void>> receive_final(http::ClientStream& stream, http::ResponseHead& answer, TimePoint due) {
  for (int informational = 0;; ++informational) {
    Result<> received = co_await stream.receive(answer, due);
    if (!received || answer.status >= 200) co_return received;
    if (answer.status == 101)
      co_return fail(502, Fault::Upstream, "the server switched to a protocol that nobody asked for");
    if (informational == kMaxInformational)
      co_return fail(502, Fault::Upstream, "the server sent too many interim responses");
  }
}

Task<Result<void>> read_body(http::BodyPtr body, std::uint64_t max_bytes, FetchResponse& out) {
  HeldBytes held;
  for (;;) {
    if (!out.body.empty() && MemoryBudget::instance().exhausted())
      co_return fail(503, Fault::Proxy, "the budget of buffered bytes is used up");
    Result<http::Chunk> chunk = co_await body->read(kChunk);
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    if (out.body.size() + chunk->bytes.size() > max_bytes) {
      out.body_too_large = true;
      out.body.clear();
      co_return Result<void>{};
    }
    held.hold(chunk->bytes.size());
    out.body += chunk->bytes;
    if (!chunk->last) continue;
    if (const http::Fields* trailers = body->trailers())
      for (const http::Field& line : *trailers) out.trailers.emplace_back(line.name, line.value);
    co_return Result<void>{};
  }
}

}  // namespace

Task<Result<FetchResponse>> fetch(event::Loop& loop, Pools& pools, FetchRequest request) {
  auto address = ServerAddress::parse(request.url);
  if (!address) co_return fail(502, Fault::Upstream, address.error().what);
  const TimePoint due = request.timeout > Duration{} ? loop.now() + request.timeout : TimePoint::max();
  TransportOptions options = request.transport ? *request.transport : fetch_transport(request.tls.get());
  if (request.timeout > Duration{} && !request.transport) options.dial_timeout = request.timeout;
  Pool& pool = pools.pool(*address, options);
  const Pool::Guest guest(pool);
  std::string_view path_and_query = after_authority(request.url);
  std::string with_slash;
  if (path_and_query.starts_with('?')) {
    with_slash = fmt::format("/{}", path_and_query);
    path_and_query = with_slash;
  }
  for (int attempt = 0;; ++attempt) {
    auto taken = co_await event::by(loop, due, pool.take({.fresh = attempt > 0}));
    if (!taken)
      co_return fail(504, Fault::Upstream, fmt::format("connect {}: not done in time", address->host_port));
    Result<http::ClientStreamPtr>& stream = *taken;
    if (!stream) co_return std::unexpected(std::move(stream.error()));
    Arena arena;
    http::RequestHead head(arena);
    fill_head(request, path_and_query, head);
    const Limit limit(loop, **stream, due);
    http::ResponseHead answer(arena);
    const std::string_view host = request.host.empty() ? address->host_port : request.host;
    Result<> done = co_await (*stream)->send(head, host, request.body.empty());
    Task<void> sending;
    if (done && !request.body.empty()) {
      sending = send_body(**stream, request.body);
      sending.start(nullptr);
    }
    if (done) done = co_await receive_final(**stream, answer, due);
    if (!done) {
      // A pooled connection that the server closed while idle: once more on a new one.
      if (attempt == 0 && (*stream)->reused() && !(*stream)->received_anything() &&
          done.error().status == 502)
        continue;
      co_return std::unexpected(std::move(done.error()));
    }
    FetchResponse out;
    out.status = answer.status;
    for (const http::Field& line : answer.fields) out.headers.emplace_back(line.name, line.value);
    if (http::BodyPtr body = (*stream)->body()) {
      Result<void> whole = co_await read_body(std::move(body), request.max_body_bytes, out);
      if (!whole && request.needs_body) co_return std::unexpected(std::move(whole.error()));
    }
    co_return out;
  }
}

}  // namespace fairlead::upstream
