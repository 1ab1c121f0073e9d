// What an HTTP/2 server may send: whatever it is, each request ends with an answer that could be sent on, or
// with a failure, and nothing is left behind.
#include "engine/base/arena.h"
#include "engine/codec/h2/client.h"
#include "tests/fuzz/wire.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace {

using namespace fairlead;
using fuzz::demand;
using fuzz::Wire;

struct Owner final : codec::h2::ClientOwner {
  event::Loop* loop = nullptr;
  bool open = true;
  void idle(codec::h2::ClientConnection&) override {}
  void closed(codec::h2::ClientConnection& connection) override {
    demand(connection.leased() == 0);
    open = false;
    loop->destroy_later(std::unique_ptr<event::Destroyable>(&connection));
  }
};

bool is_sendable(const http::Fields& fields) {
  for (const http::Field& line : fields)
    if (!http::is_token(line.name) || !http::is_field_value(line.value)) return false;
  return true;
}

// Sends a request and reads its answer to the end.
Task<void> exchange(http::ClientStreamPtr stream, Arena& arena, std::string_view method, bool& ended) {
  http::RequestHead head(arena);
  head.method = method;
  head.path = "/";
  http::ResponseHead answer(arena);
  Result<> done = co_await stream->send(head, "a", method != "POST");
  if (done && method == "POST") done = co_await stream->write("body", true);
  do {
    if (done) done = co_await stream->receive(answer, TimePoint::max());
    if (done)
      demand(answer.status >= 100 && answer.status <= 599 && answer.status != 101 &&
             is_sendable(answer.fields));
  } while (done && answer.status < 200);
  if (!done) {
    demand(done.error().status == 502 && done.error().fault == Fault::Upstream);
  } else if (const http::BodyPtr body = stream->body()) {
    std::uint64_t size = 0;
    for (bool last = false; !last;) {
      const Result<http::Chunk> chunk = co_await body->read(1000);
      if (!chunk) break;
      size += chunk->bytes.size();
      last = chunk->last;
      if (last) demand(!answer.content_length || *answer.content_length == size);
      if (last && body->trailers()) demand(is_sendable(*body->trailers()));
    }
  }
  ended = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const ManualClock clock;
  event::Loop loop(clock);
  Owner owner;
  owner.loop = &loop;
  auto transport = std::make_unique<Wire>();
  Wire& wire = *transport;
  wire.piece = data[0] == 0 ? 100'000 : data[0];
  wire.left = {reinterpret_cast<const char*>(data + 1), size - 1};
  auto* connection = new codec::h2::ClientConnection(loop, std::move(transport), owner, {});
  {
    constexpr std::array<std::string_view, 3> kMethods = {"GET", "HEAD", "POST"};
    std::array<Arena, kMethods.size()> arenas;
    std::array<bool, kMethods.size()> ended{};
    std::array<Task<void>, kMethods.size()> tasks;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      tasks[i] = exchange(connection->lease(), arenas[i], kMethods[i], ended[i]);
      tasks[i].start(nullptr);
    }
    loop.run_once({});
    while (owner.open && !wire.over && !wire.left.empty()) {
      wire.arrive();
      loop.run_once({});
    }
    wire.ended = true;
    if (owner.open && !wire.over) wire.arrive();
    loop.run_once({});
    for (const bool one : ended) demand(one);
  }
  loop.run_once({});
  if (owner.open) connection->detach();
  return 0;
}
