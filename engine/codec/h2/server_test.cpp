#include "engine/codec/h2/server.h"

#include "engine/codec/h2/test_peer.h"

#include <gtest/gtest.h>

#include <functional>
#include <list>

namespace fairlead::codec::h2 {
namespace {

using namespace std::chrono_literals;
using test::Peer;
using test::Wire;

class Handler;

// One request; what it does is the test's.
struct Job final : http::Job, Completion, event::TickHook {
  explicit Job(Handler& handler) : handler(handler) {}
  http::RequestHead& head() override { return request; }
  void start(http::ServerStream& by) override;
  void cancel(const Error& why) override;
  void task_done() override;
  void on_tick_end() override;

  Handler& handler;
  Arena arena;
  http::RequestHead request{arena};
  http::ServerStream* stream = nullptr;
  Task<void> root;
  bool cancelled = false;
};

using Behaviour = Task<void> (*)(Handler&, Job&);

class Handler final : public http::StreamHandler, public ServerOwner {
 public:
  explicit Handler(event::Loop& loop) : loop(loop) {}
  http::Job& open() override { return *jobs.emplace_back(std::make_unique<Job>(*this)); }
  void discard(http::Job& job) override {
    std::erase_if(jobs, [&](const auto& one) { return one.get() == &job; });
    ++discarded;
  }
  void refused(const Error& error) override { refusals.push_back(error.detail); }
  void closed(ServerConnection&) override { over = true; }
  void flooded(Flood kind) override { flood = kind; }

  event::Loop& loop;
  ServerConnection* connection = nullptr;
  Behaviour behaviour = nullptr;
  std::list<std::unique_ptr<Job>> jobs;
  std::vector<std::string> refusals;
  std::vector<std::string> cancellations;
  std::optional<Flood> flood;
  Signal go;             // what a behaviour may wait for
  std::string received;  // what it read
  int discarded = 0;
  int started = 0;
  int ended = 0;
  bool over = false;
};

void Job::start(http::ServerStream& by) {
  ++handler.started;
  stream = &by;
  root = handler.behaviour(handler, *this);
  root.start(this);
}
void Job::cancel(const Error& why) {
  handler.cancellations.push_back(why.detail);
  cancelled = true;
  handler.loop.at_tick_end(*this);
}
void Job::task_done() { handler.loop.at_tick_end(*this); }
void Job::on_tick_end() {
  root.cancel();
  ++handler.ended;
  if (!cancelled) handler.connection->exchange_ended(*stream);
  std::erase_if(handler.jobs, [this](const auto& one) { return one.get() == this; });
}

Task<void> say_hello(Handler&, Job& job) {
  http::ResponseHead head(job.arena);
  head.content_length = 5;
  co_await job.stream->send(head, false);
  co_await job.stream->write("hello", true);
}

Task<void> echo_when_told(Handler& handler, Job& job) {
  http::BodyPtr body = job.stream->body();
  co_await handler.go.wait();
  for (;;) {
    Result<http::Chunk> chunk = co_await body->read(65536);
    if (!chunk) co_return;
    handler.received += chunk->bytes;
    if (chunk->last) break;
  }
  co_await say_hello(handler, job);
}

Task<void> read_on(Handler& handler, http::Body& body) {
  for (;;) {
    Result<http::Chunk> chunk = co_await body.read(65536);
    handler.received += chunk ? chunk->bytes : "[" + chunk.error().detail + "]";
    if (!chunk || chunk->last) co_return;
  }
}

// Drops one reader of the body, as a retry does, and begins another one when told.
Task<void> read_in_two_tries(Handler& handler, Job& job) {
  http::BodyPtr body = job.stream->body();
  Task<void> first = read_on(handler, *body);
  first.start(nullptr);
  co_await handler.go.wait();
  first = {};
  co_await handler.go.wait();
  co_await read_on(handler, *body);
}

// Writes without end, and counts what it got rid of.
Task<void> write_without_end(Handler& handler, Job& job) {
  http::ResponseHead head(job.arena);
  co_await job.stream->send(head, false);
  const std::string piece(10'000, 'x');
  for (;;) {
    Result<> written = co_await job.stream->write(piece, false);
    if (!written) co_return;
    handler.received += "x";
  }
}

Task<void> write_half(Handler&, Job& job) {
  http::ResponseHead head(job.arena);
  head.content_length = 100;
  co_await job.stream->send(head, false);
  co_await job.stream->write("half", false);
  job.stream->reset({502, Fault::Upstream, false, "the server left"});
}

Task<void> write_large(Handler&, Job& job) {
  http::ResponseHead head(job.arena);
  co_await job.stream->send(head, false);
  const std::string large(100'000, 'y');
  co_await job.stream->write(large, true);
}

Task<void> wait_for_ever(Handler& handler, Job&) { co_await handler.go.wait(); }

struct H2ServerTest : testing::Test {
  ManualClock clock;
  event::Loop loop{clock};
  Wire::Shared wire;
  Handler handler{loop};
  std::shared_ptr<ServerSettings> settings = std::make_shared<ServerSettings>();
  std::unique_ptr<ServerConnection> connection;
  std::unique_ptr<Peer> peer;

  void begin(Behaviour behaviour, std::uint32_t window = 65535) {
    handler.behaviour = behaviour;
    peer = std::make_unique<Peer>(window);
    connection =
        std::make_unique<ServerConnection>(loop, std::make_unique<Wire>(wire), settings, handler, handler);
    handler.connection = connection.get();
    connection->start();
    exchange();
  }
  // Bytes to and fro until nobody has more to say.
  void exchange() {
    for (int i = 0; i < 100; ++i) {
      loop.run_once(0ms);
      peer->take_in(std::exchange(wire.out, {}));
      const std::string more = peer->take_output();
      if (more.empty() && wire.out.empty()) return;
      wire.in += more;
      if (!wire.closed && wire.user) wire.user->on_readable();
    }
  }
  void pass(Duration time) {
    clock.advance(time);
    exchange();
    exchange();
  }
  void TearDown() override {
    if (connection) connection->close();
    loop.run_once(0ms);
    connection.reset();
    EXPECT_TRUE(handler.jobs.empty());
  }
};

TEST_F(H2ServerTest, AnswersInOneSendForAllStreamsOfATick) {
  begin(say_hello);
  wire.writes = 0;

  std::vector<std::int32_t> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(peer->ask("GET", "/"));
  wire.in += peer->take_output();
  wire.user->on_readable();
  loop.run_once(0ms);

  EXPECT_EQ(wire.writes, 1);
  exchange();
  for (const std::int32_t id : ids) {
    EXPECT_EQ(peer->answers[id].field(":status"), "200");
    EXPECT_EQ(peer->answers[id].body, "hello");
    EXPECT_TRUE(peer->answers[id].closed);
    EXPECT_EQ(peer->answers[id].error, 0U);
  }
  EXPECT_EQ(handler.ended, 20);
}

TEST_F(H2ServerTest, OpensTheWindowOnlyForWhatWasRead) {
  begin(echo_when_told);
  const std::int32_t id = peer->ask("POST", "/", std::string(600'000, 'z'));

  exchange();

  // All that the window of a stream lets through waits here, and not a byte more.
  EXPECT_EQ(nghttp2_session_get_stream_remote_window_size(peer->session, id), 0);
  handler.go.notify();
  exchange();
  EXPECT_EQ(handler.received.size(), 600'000U);
  EXPECT_EQ(peer->answers[id].body, "hello");
}

TEST_F(H2ServerTest, AWriterWaitsForAClientWhoseWindowIsShut) {
  begin(write_without_end, 0);
  peer->ask("GET", "/");

  exchange();

  EXPECT_LE(handler.received.size(), 8U) << "80 kB are held at most";
  const std::size_t before = handler.received.size();
  nghttp2_submit_window_update(peer->session, NGHTTP2_FLAG_NONE, 1, 50'000);
  exchange();
  EXPECT_GT(handler.received.size(), before);
  EXPECT_EQ(peer->answers[1].body.size(), 50'000U);
}

TEST_F(H2ServerTest, OneShutStreamDoesNotStopTheOthers) {
  begin(write_without_end, 0);
  for (int i = 0; i < 10; ++i) peer->ask("GET", "/");
  exchange();

  const std::int32_t last = 2 * 10 - 1;
  nghttp2_submit_window_update(peer->session, NGHTTP2_FLAG_NONE, last, 60'000);
  exchange();

  EXPECT_EQ(peer->answers[last].body.size(), 60'000U);
}

TEST_F(H2ServerTest, GivesUpOnAClientThatTakesNoByteForAMinute) {
  begin(write_without_end, 0);
  peer->ask("GET", "/");
  exchange();

  pass(59s);
  EXPECT_TRUE(handler.cancellations.empty());
  pass(2s);

  ASSERT_EQ(handler.cancellations.size(), 1U);
  EXPECT_EQ(peer->answers[1].error, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
}

TEST_F(H2ServerTest, CountsNoTimeInWhichNobodyReadsTheBodyAnyMore) {
  begin(read_in_two_tries);
  peer->ask("POST", "/", "hello", true);
  exchange();
  ASSERT_EQ(handler.received, "hello");

  handler.go.notify();  // the first reader goes
  pass(61s);
  handler.go.notify();  // another one comes
  pass(59s);
  EXPECT_EQ(handler.received, "hello");
  pass(2s);

  EXPECT_EQ(handler.received, "hello[the request body came too slowly (readTimeout)]");
}

TEST_F(H2ServerTest, GivesTheRestOfAnEndedAnswerAMinuteToo) {
  begin(write_large, 1000);
  peer->ask("GET", "/");
  exchange();
  EXPECT_EQ(handler.ended, 1) << "the exchange is not needed any more";

  pass(61s);

  EXPECT_EQ(peer->answers[1].error, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
}

TEST_F(H2ServerTest, GivesTheAnswerOfARefusedRequestAMinuteToo) {
  settings->common.limits.max_target = 100;
  begin(say_hello, 0);
  peer->ask("GET", "/" + std::string(200, 'a'));
  exchange();
  ASSERT_EQ(peer->answers[1].field(":status"), "414");
  EXPECT_EQ(peer->answers[1].body, "") << "its window is shut";

  pass(61s);

  EXPECT_EQ(peer->answers[1].error, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
}

TEST_F(H2ServerTest, GivesUpOnAClientWhoseSocketTakesNothingForAMinute) {
  begin(say_hello);
  wire.room = 10;
  peer->ask("HEAD", "/");
  exchange();
  EXPECT_EQ(handler.ended, 1) << "its head waits for nobody";

  pass(59s);
  wire.room = 1;
  wire.user->on_writable();
  pass(59s);
  EXPECT_FALSE(handler.over) << "a byte is progress";
  pass(2s);

  EXPECT_TRUE(handler.over);
}

TEST_F(H2ServerTest, SendsALargeWriteWithoutHoldingIt) {
  begin(write_large, 1 << 20);
  nghttp2_submit_window_update(peer->session, NGHTTP2_FLAG_NONE, 0, 1 << 20);
  exchange();
  wire.writes = 0;

  peer->ask("GET", "/");
  exchange();

  EXPECT_EQ(peer->answers[1].body, std::string(100'000, 'y'));
  EXPECT_LE(wire.writes, 3);
}

TEST_F(H2ServerTest, KeepsWhatTheSocketDoesNotTakeAndEncodesNoMore) {
  begin(write_without_end, 1 << 30);
  nghttp2_submit_window_update(peer->session, NGHTTP2_FLAG_NONE, 0, 1 << 30);
  exchange();
  wire.room = 30'000;
  peer->ask("GET", "/");

  exchange();

  EXPECT_LE(handler.received.size(), 40U) << "a batch and what the stream may hold, not all there is";
  wire.room = 200'000;
  const std::size_t before = handler.received.size();
  wire.user->on_writable();
  exchange();
  EXPECT_GT(handler.received.size(), before);
  EXPECT_EQ(peer->answers[1].body.find_first_not_of('x'), std::string::npos);
}

TEST_F(H2ServerTest, AnAnswerCutShortIsReset) {
  begin(write_half);
  peer->ask("GET", "/");

  exchange();

  EXPECT_TRUE(peer->answers[1].closed);
  EXPECT_EQ(peer->answers[1].error, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));
}

TEST_F(H2ServerTest, AResetOfTheClientCancelsTheExchange) {
  begin(wait_for_ever);
  peer->ask("GET", "/");
  exchange();
  ASSERT_EQ(handler.started, 1);

  nghttp2_submit_rst_stream(peer->session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_CANCEL);
  exchange();

  EXPECT_EQ(handler.cancellations.size(), 1U);
  EXPECT_EQ(handler.ended, 1);
}

TEST_F(H2ServerTest, ARequestThatIsTakenBackAtOnceIsNeverStarted) {
  begin(wait_for_ever);
  peer->ask("GET", "/");
  wire.in += peer->take_output();
  nghttp2_submit_rst_stream(peer->session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_CANCEL);
  wire.in += peer->take_output();

  wire.user->on_readable();
  loop.run_once(0ms);

  EXPECT_EQ(handler.started, 0);
  EXPECT_EQ(handler.discarded, 1);
}

TEST_F(H2ServerTest, RapidResetEndsTheConnection) {
  begin(wait_for_ever);
  for (int i = 0; i < 1000 && !wire.finished; ++i) {
    const std::int32_t id = peer->ask("GET", "/");
    wire.in += peer->take_output();
    nghttp2_submit_rst_stream(peer->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    exchange();
  }

  EXPECT_EQ(handler.flood, Flood::Reset);
  ASSERT_FALSE(peer->goaways.empty());
  EXPECT_EQ(peer->goaways.back().second, static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_LE(handler.started, 2 * 250 + 50);
}

TEST_F(H2ServerTest, HeadsThatAreTooLongAreAnsweredAndCountAsResets) {
  settings->common.limits.max_head_bytes = 1024;
  begin(say_hello);
  const std::string path = "/" + std::string(2000, 'a');
  peer->ask("GET", path);
  exchange();
  EXPECT_EQ(peer->answers[1].field(":status"), "431");
  EXPECT_EQ(peer->answers[1].body, "Request Header Fields Too Large\n");

  for (int i = 0; i < 1000 && !wire.finished; ++i) {
    peer->ask("GET", path);
    exchange();
  }

  EXPECT_EQ(handler.flood, Flood::Reset);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(H2ServerTest, TellsWhichFieldItRefusedButNotItsValue) {
  begin(say_hello);
  peer->ask("GET", "/", {}, false, {{"authorization", "Bearer secret "}});
  exchange();

  ASSERT_EQ(handler.refusals.size(), 1U);
  EXPECT_NE(handler.refusals[0].find("[authorization]"), std::string::npos) << handler.refusals[0];
  EXPECT_EQ(handler.refusals[0].find("secret"), std::string::npos) << handler.refusals[0];
  EXPECT_EQ(handler.started, 0);
}

TEST_F(H2ServerTest, APingFloodEndsTheConnection) {
  begin(say_hello);
  for (int i = 0; i < 10'000 && !wire.finished; ++i) {
    nghttp2_submit_ping(peer->session, NGHTTP2_FLAG_NONE, nullptr);
    exchange();
  }

  EXPECT_EQ(handler.flood, Flood::Ping);
}

TEST_F(H2ServerTest, SaysGoodbyeTwiceAndServesWhatWasOnItsWay) {
  begin(say_hello);
  // Sent before the client hears of it.
  peer->ask("GET", "/");
  const std::string request = peer->take_output();
  connection->drain();
  exchange();
  ASSERT_EQ(peer->goaways.size(), 1U);
  EXPECT_EQ(peer->goaways[0].first, INT32_MAX);

  wire.in += request;
  wire.user->on_readable();
  loop.run_once(0ms);
  EXPECT_EQ(handler.started, 1);
  pass(1100ms);

  ASSERT_EQ(peer->goaways.size(), 2U);
  EXPECT_EQ(peer->goaways[1].first, 1);
  EXPECT_EQ(peer->goaways[1].second, 0U);
  EXPECT_TRUE(wire.finished);
  pass(2s);
  EXPECT_TRUE(handler.over);
}

TEST_F(H2ServerTest, DrainingWaitsForWhatRuns) {
  begin(echo_when_told);
  peer->ask("POST", "/", "body");
  exchange();

  connection->drain();
  exchange();
  pass(10s);
  EXPECT_FALSE(wire.finished);
  handler.go.notify();
  exchange();

  EXPECT_EQ(peer->answers[1].body, "hello");
  EXPECT_TRUE(wire.finished);
}

TEST_F(H2ServerTest, AnIdleConnectionEndsAfterItsTime) {
  settings->common.idle_timeout = 180s;
  begin(say_hello);
  peer->ask("GET", "/");
  exchange();

  pass(179s);
  EXPECT_FALSE(wire.finished);
  pass(2s);

  EXPECT_TRUE(wire.finished);
  ASSERT_FALSE(peer->goaways.empty());
  EXPECT_EQ(peer->goaways.back().second, 0U);
}

// Idle connections set their session's memory aside.
TEST_F(H2ServerTest, AConnectionThatRestedGoesOnWhereItWas) {
  settings->common.idle_timeout = 180s;
  begin(say_hello);

  for (int i = 0; i < 4; ++i) {
    // Fields of the second and later ones are in the tables of both sides.
    const std::int32_t id = peer->ask("GET", "/a/path/of/some/length");
    exchange();
    EXPECT_EQ(peer->answers[id].body, "hello");
    EXPECT_TRUE(peer->answers[id].closed);
    pass(10s);
    nghttp2_submit_ping(peer->session, NGHTTP2_FLAG_NONE, nullptr);
    exchange();
    pass(10s);
  }

  EXPECT_EQ(handler.ended, 4);
  EXPECT_FALSE(wire.finished);
  EXPECT_TRUE(handler.refusals.empty());
}

TEST_F(H2ServerTest, AConnectionThatRestsSaysGoodbye) {
  begin(say_hello);
  peer->ask("GET", "/");
  exchange();
  pass(10s);

  connection->drain();
  exchange();
  ASSERT_EQ(peer->goaways.size(), 1U);
  EXPECT_EQ(peer->goaways[0].second, 0U);
  EXPECT_FALSE(wire.finished);
  pass(1100ms);

  EXPECT_TRUE(wire.finished);
}

TEST_F(H2ServerTest, AConnectionThatRestsCanBeLost) {
  begin(say_hello);
  peer->ask("GET", "/");
  exchange();
  pass(10s);

  wire.user->on_broken(ECONNRESET);

  EXPECT_TRUE(handler.over);
}

TEST_F(H2ServerTest, AHeadThatIsNotCompleteInTimeEndsTheConnection) {
  begin(say_hello);
  wire.in += std::string("\0\0\x01\x01\x01\0\0\0\x01\x82", 10);  // HEADERS without END_HEADERS
  wire.user->on_readable();
  exchange();

  pass(61s);

  EXPECT_TRUE(wire.finished);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(H2ServerTest, ABodyThatDripsEndsWith408) {
  begin(echo_when_told);
  peer->ask("POST", "/", "a", true);
  exchange();
  handler.go.notify();
  exchange();

  pass(61s);

  EXPECT_EQ(handler.ended, 1) << "its reader was told";
}

TEST_F(H2ServerTest, TheLastRequestOfAConnectionIsFollowedByGoodbye) {
  settings->common.keep_alive_max_requests = 2;
  begin(say_hello);
  peer->ask("GET", "/");
  exchange();
  EXPECT_TRUE(peer->goaways.empty());
  peer->ask("GET", "/");
  exchange();

  EXPECT_EQ(peer->goaways.size(), 1U);
  EXPECT_EQ(peer->answers[3].body, "hello");
}

TEST_F(H2ServerTest, ALostConnectionCancelsEverything) {
  begin(wait_for_ever);
  for (int i = 0; i < 5; ++i) peer->ask("GET", "/");
  handler.behaviour = write_without_end;
  exchange();

  wire.user->on_broken(104);
  loop.run_once(0ms);

  EXPECT_TRUE(handler.over);
  EXPECT_EQ(handler.cancellations.size(), 5U);
  EXPECT_EQ(handler.ended, 5);
}

}  // namespace
}  // namespace fairlead::codec::h2
