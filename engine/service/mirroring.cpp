#include "engine/service/mirroring.h"

#include "engine/event/limited.h"
#include "engine/exchange/jobs.h"
#include "engine/exchange/tee.h"
#include "engine/service/request_copy.h"

namespace fairlead::service {
namespace {

using exchange::Exchange;
using exchange::Response;
using exchange::Tee;
using ReadResult = Result<http::Chunk>;

// Long enough for the main response to leave first; a copy is in no hurry.
constexpr auto kAfterMain = std::chrono::milliseconds(1);
constexpr auto kLongest = std::chrono::seconds(60);  // one copy, its answer included
// Mirrors that hang must not pile up: beyond this many copies of one service, requests are not mirrored. Each
// holds at most SpoolLimits::kMemory.
constexpr std::uint32_t kMaxRunning = 256;
constexpr std::size_t kChunk = 64 * 1024;

// The copies of one request.
struct Copies {
  Copies(const Exchange& x, std::vector<std::shared_ptr<const exchange::Service>> chosen,
         std::shared_ptr<MirrorState> counted)
      : request(x),
        targets(std::move(chosen)),
        state(std::move(counted)),
        loop(x.loop),
        pools(x.pools),
        background(x.background),
        sink(x.sink) {}
  ~Copies() { state->running.fetch_sub(1, std::memory_order_relaxed); }

  RequestCopy request;
  std::vector<std::shared_ptr<const exchange::Service>> targets;
  std::shared_ptr<MirrorState> state;
  std::shared_ptr<Tee> body;  // null: the copies have none
  event::Loop& loop;
  upstream::Pools& pools;
  Scope& background;
  exchange::RecordSink* sink;
};
using CopiesPtr = std::shared_ptr<Copies>;

Task<void> send_one(Exchange& x, const exchange::Service& service) {
  Response response = co_await service.serve(x);
  // Read to the end, so that the connection can be used again.
  while (response.body) {
    ReadResult chunk = co_await response.body->read(kChunk);
    if (!chunk || chunk->last) break;
  }
}

Task<void> send_all(CopiesPtr copies) {
  co_await copies->loop.sleep(kAfterMain);
  for (const auto& target : copies->targets) {
    Exchange x(copies->loop, copies->pools, copies->background);
    copies->request.put_into(x);
    x.may_hold = false;
    x.sink = copies->sink;
    if (copies->body) x.body = copies->body->body();
    event::Limited limited(copies->loop, kLongest, send_one(x, *target));
    co_await limited.run();
    if (!x.sink) continue;
    if (x.record.service_status == 0) x.record.service_status = 504;  // its time was up
    x.sink->copied(x);
  }
}

void launch(CopiesPtr copies) {
  if (copies->body) {
    if (!copies->body->complete()) return;
    copies->request.set_length(*copies->body->body()->length());
  }
  Scope& background = copies->background;
  background.spawn(send_all(std::move(copies)));
}

// The request's body as the main service gets it. The copy lets go of the client's body at the moment when
// the exchange does.
class Copied final : public http::Body {
 public:
  explicit Copied(std::shared_ptr<Tee> tee) : tee_(std::move(tee)), body_(tee_->body()) {}
  ~Copied() override {
    body_.reset();
    tee_->drop_source();
  }
  Task<ReadResult> read(std::size_t max_bytes) override { return body_->read(max_bytes); }
  std::optional<std::uint64_t> length() const override { return body_->length(); }
  http::Fields* trailers() override { return body_->trailers(); }

 private:
  std::shared_ptr<Tee> tee_;
  http::BodyPtr body_;
};

// The main response's body: when its end was read, the copies may leave. They also do when a middleware or a
// failover drops it for another answer; not when it broke off or the client left.
class Followed final : public http::Body {
 public:
  Followed(http::BodyPtr body, const Exchange& exchange, CopiesPtr copies)
      : body_(std::move(body)), exchange_(exchange), copies_(std::move(copies)) {}
  ~Followed() override {
    body_.reset();
    if (copies_ && !exchange_.client_left) launch(std::move(copies_));
  }

  Task<ReadResult> read(std::size_t max_bytes) override {
    Task<ReadResult> chunk = body_->read(max_bytes);
    if (!chunk.done()) return see_later(std::move(chunk));
    ReadResult now = chunk.take();
    see(now);
    return Task<ReadResult>::ready(std::move(now));
  }
  std::optional<std::uint64_t> length() const override { return body_->length(); }
  bool tunnel() const override { return body_->tunnel(); }
  http::Fields* trailers() override { return body_->trailers(); }

 private:
  Task<ReadResult> see_later(Task<ReadResult> pending) {
    ReadResult chunk = co_await std::move(pending);
    see(chunk);
    co_return chunk;
  }
  void see(const ReadResult& chunk) {
    if (!chunk)
      copies_.reset();
    else if (chunk->last && copies_)
      launch(std::move(copies_));
  }

  http::BodyPtr body_;
  const Exchange& exchange_;  // a response ends before its exchange does
  CopiesPtr copies_;
};

}  // namespace

bool takes_turn(std::uint64_t number, int percent) {
  const auto sent_by = [&](std::uint64_t n) { return (n * static_cast<std::uint64_t>(percent) + 99) / 100; };
  return sent_by(number) > sent_by(number - 1);
}

Task<Response> Mirroring::serve(Exchange& x) const {
  const std::uint64_t number = state_->requests.fetch_add(1, std::memory_order_relaxed) + 1;
  Chosen chosen;
  for (const MirrorTarget& mirror : mirrors_)
    if (takes_turn(number, mirror.percent)) chosen.push_back(mirror.service);
  const bool tunnel = !x.request.upgrade.empty() || (x.body && x.body->tunnel());
  const bool too_large =
      x.body && options_.mirror_body && x.request.content_length.value_or(0) > options_.max_body_bytes;
  if (chosen.empty() || tunnel || too_large) return main_.service->serve(x);
  if (state_->running.fetch_add(1, std::memory_order_relaxed) >= kMaxRunning) {
    state_->running.fetch_sub(1, std::memory_order_relaxed);
    return main_.service->serve(x);
  }
  return mirrored(x, std::move(chosen));
}

Task<Response> Mirroring::mirrored(Exchange& x, Chosen chosen) const {
  auto copies = std::make_shared<Copies>(x, std::move(chosen), state_);
  if (!options_.mirror_body) {
    copies->request.drop_body();
  } else if (x.body) {
    copies->body = std::make_shared<Tee>(std::move(x.body), x.loop,
                                         exchange::SpoolLimits{.max_bytes = options_.max_body_bytes});
    x.body = http::BodyPtr(new Copied(copies->body));
  }
  const bool has_body = copies->request.head().method != "HEAD";
  Response response = co_await main_.service->serve(x);
  if (response.body && has_body)
    response.body = http::BodyPtr(new Followed(std::move(response.body), x, std::move(copies)));
  else
    launch(std::move(copies));
  co_return response;
}

}  // namespace fairlead::service
