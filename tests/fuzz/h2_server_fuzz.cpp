// What an HTTP/2 client may send: whatever it is, each request that begins could be sent on over HTTP/1.1 and
// is read there as it was meant, each exchange ends, and nothing is left behind.
#include "engine/codec/h1/request_parser.h"
#include "engine/codec/h1/writer.h"
#include "engine/codec/h2/server.h"
#include "tests/fuzz/wire.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>

namespace {

using namespace fairlead;
using fuzz::demand;
using fuzz::Wire;

// The request as HTTP/1.1 would carry it must be read as the one that came.
void write_and_read_again(const http::RequestHead& head) {
  using namespace codec::h1;
  Framing framing;
  if (head.chunked) framing.body = BodyFraming::Chunked;
  if (head.content_length) framing = {.body = BodyFraming::Length, .length = *head.content_length};
  if (!head.upgrade.empty()) framing.upgrade = head.upgrade;
  std::string room(request_head_size(head, head.authority, framing), '\0');
  const char* end = write_request_head(room.data(), head, head.authority, framing);
  demand(end != nullptr);
  const std::string_view bytes(room.data(), static_cast<std::size_t>(end - room.data()));
  Arena arena;
  http::RequestHead again(arena);
  demand(parse_request_head(bytes, {.max_head_bytes = SIZE_MAX, .max_target = SIZE_MAX}, again).has_value());
  demand(again.method == head.method && again.path == head.path && again.query == head.query);
  demand(again.authority == head.authority && again.upgrade == head.upgrade);
  demand(again.content_length == head.content_length && again.chunked == head.chunked);
}

struct Site;

struct Job final : http::Job, Completion, event::TickHook {
  explicit Job(Site& site) : site(site) {}
  http::RequestHead& head() override { return request; }
  void start(http::ServerStream& by) override {
    write_and_read_again(request);
    stream = &by;
    root = answer();
    root.start(this);
  }
  void cancel(const Error&) override;
  void task_done() override;
  void on_tick_end() override;
  Task<void> answer();

  Site& site;
  Arena arena;
  http::RequestHead request{arena};
  http::ServerStream* stream = nullptr;
  http::BodyPtr body;
  Task<void> root;
  bool cancelled = false;
};

struct Site final : http::StreamHandler, codec::h2::ServerOwner {
  explicit Site(event::Loop& loop) : loop(loop) {}
  http::Job& open() override {
    auto* job = new Job(*this);
    jobs.insert(job);
    return *job;
  }
  void discard(http::Job& job) override { end(static_cast<Job&>(job)); }
  void refused(const Error& error) override { demand(!error.detail.empty()); }
  void closed(codec::h2::ServerConnection&) override { open_ = false; }
  void flooded(codec::h2::Flood) override {}
  void end(Job& job) {
    jobs.erase(&job);
    delete &job;
  }

  event::Loop& loop;
  codec::h2::ServerConnection* connection = nullptr;
  std::set<Job*> jobs;
  bool open_ = true;
};

void Job::cancel(const Error&) {
  cancelled = true;
  site.loop.at_tick_end(*this);
}
void Job::task_done() { site.loop.at_tick_end(*this); }
void Job::on_tick_end() {
  root.cancel();
  body.reset();
  if (!cancelled) site.connection->exchange_ended(*stream);
  site.end(*this);
}

Task<void> Job::answer() {
  body = stream->body();
  std::uint64_t size = 0;
  while (body) {
    Result<http::Chunk> chunk = co_await body->read(1000);
    if (!chunk) co_return;
    size += chunk->bytes.size();
    if (chunk->last) break;
  }
  if (request.content_length) demand(size == *request.content_length);
  http::ResponseHead head(arena);
  head.fields.add("X-Path", request.path.substr(0, 20));
  const bool large = request.path.size() % 2 == 0;
  const std::string text(large ? 40'000 : 3, 'x');
  http::Fields trailers(arena);
  trailers.add("X-Trailer", "1");
  Result<> done = co_await stream->send(head, false);
  if (done) done = co_await stream->write(text, false);
  if (done) done = co_await stream->write(text, true, large ? &trailers : nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ManualClock clock;
  event::Loop loop(clock);
  auto owned = std::make_unique<Wire>(7);
  Wire& wire = *owned;
  wire.piece = std::size_t{1} << (data[0] % 16);
  // The preface is not worth finding.
  std::string input = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  input.append(reinterpret_cast<const char*>(data + 1), size - 1);
  wire.left = input;
  Site site(loop);
  auto settings = std::make_shared<codec::h2::ServerSettings>();
  settings->common.limits.max_head_bytes = 4096;
  settings->max_concurrent_streams = 20;
  codec::h2::ServerConnection connection(loop, std::move(owned), settings, site, site);
  site.connection = &connection;
  connection.start();
  for (int i = 0; i < 100'000 && site.open_ && !wire.left.empty(); ++i) {
    wire.arrive();
    loop.run_once(Duration{});
    if (i % 3 == 0 && site.open_) wire.take_more();
  }
  wire.ended = true;
  if (site.open_) wire.arrive();
  loop.run_once(Duration{});
  if (site.open_) connection.close();
  loop.run_once(Duration{});
  demand(!site.open_ && site.jobs.empty());
  return 0;
}
