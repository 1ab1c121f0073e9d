#include "engine/codec/h2/client.h"

#include "engine/base/arena.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <map>

namespace fairlead::codec::h2 {
namespace {

// A transport whose peer is in memory.
class Wire final : public net::Transport {
 public:
  net::IoResult read(std::span<char> into) override {
    if (incoming.empty() && ended) return {0, net::IoStatus::End, 0, true};
    if (incoming.empty()) return {0, net::IoStatus::WouldBlock, 0, true};
    const std::size_t size = std::min(into.size(), incoming.size());
    std::copy_n(incoming.begin(), size, into.begin());
    incoming.erase(0, size);
    return {size, net::IoStatus::Ok, 0, incoming.empty() && !ended};
  }
  net::IoResult write(std::span<const iovec> parts) override {
    net::IoResult result;
    ++writes;
    for (const iovec& part : parts) {
      const std::size_t size = std::min(part.iov_len, takes);
      outgoing.append(static_cast<const char*>(part.iov_base), size);
      result.bytes += size;
      takes -= size;
    }
    return result;
  }
  void finish_writing() override {}
  void close() override { was_closed = true; }
  bool closed() const override { return was_closed; }
  net::Address local() const override { return {}; }
  net::TransportUser& user() { return *user_; }

  std::string incoming;  // toward the client
  std::string outgoing;
  std::size_t takes = std::size_t{1} << 40;
  int writes = 0;
  bool ended = false;
  bool was_closed = false;
};

// What a server saw of one stream.
struct Seen {
  std::map<std::string, std::string> fields;
  std::string body;
  std::map<std::string, std::string> trailers;
  std::uint32_t reset = NGHTTP2_NO_ERROR;
  bool ended = false;
  bool closed = false;
};

class H2Client : public ::testing::Test, public ClientOwner {
 protected:
  H2Client() { start({}); }
  ~H2Client() override {
    if (connection) {
      connection->detach();
      connection = nullptr;
    }
    loop.run_once({});
    nghttp2_session_del(server);
  }

  void start(ClientSettings settings) {
    auto transport = std::make_unique<Wire>();
    wire = transport.get();
    connection = new ClientConnection(loop, std::move(transport), *this, settings);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
           const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          Seen& seen = static_cast<H2Client*>(user)->seen[frame->hd.stream_id];
          auto& into = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? seen.fields : seen.trailers;
          into[{reinterpret_cast<const char*>(name), name_size}] = {reinterpret_cast<const char*>(value),
                                                                    value_size};
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                      std::size_t size, void* user) {
          static_cast<H2Client*>(user)->seen[id].body.append(reinterpret_cast<const char*>(bytes), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          auto& self = *static_cast<H2Client*>(user);
          if (frame->hd.type == NGHTTP2_RST_STREAM)
            self.seen[frame->hd.stream_id].reset = frame->rst_stream.error_code;
          if (frame->hd.type == NGHTTP2_PING) ++self.pings;
          if (frame->hd.type == NGHTTP2_GOAWAY) self.goodbye = true;
          if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
              (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            self.seen[frame->hd.stream_id].ended = true;
          return 0;
        });
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_http_messaging(options, 1);  // so that it can send what no server may
    nghttp2_option_set_no_auto_ping_ack(options, 1);
    nghttp2_session_server_new2(&server, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(server, NGHTTP2_FLAG_NONE, nullptr, 0);
  }

  void idle(ClientConnection&) override { ++idled; }
  void closed(ClientConnection& over) override {
    EXPECT_EQ(&over, connection);
    loop.destroy_later(std::unique_ptr<event::Destroyable>(connection));
    connection = nullptr;
  }

  // What the client sent is read by the server, and what that answers by the client, until both are silent.
  void run() {
    for (int turn = 0; turn < 20; ++turn) {
      loop.run_once({});
      if (!connection) return;
      const std::string sent = std::exchange(wire->outgoing, {});
      nghttp2_session_mem_recv(server, reinterpret_cast<const std::uint8_t*>(sent.data()), sent.size());
      const std::uint8_t* bytes = nullptr;
      for (ssize_t size = 0; (size = nghttp2_session_mem_send(server, &bytes)) > 0;)
        wire->incoming.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
      if (sent.empty() && wire->incoming.empty() && !wire->ended) return;
      if (!wire->incoming.empty() || wire->ended) wire->user().on_readable();
    }
  }

  static std::vector<nghttp2_nv> lines(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::vector<nghttp2_nv> out;
    for (const auto& [name, value] : fields)
      out.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), NGHTTP2_NV_FLAG_NONE});
    return out;
  }
  void answer(std::int32_t id, const std::vector<std::pair<std::string, std::string>>& fields, bool last) {
    const auto list = lines(fields);
    nghttp2_submit_headers(server, last ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, id, nullptr,
                           list.data(), list.size(), nullptr);
  }
  // `open`: the stream does not end with it.
  void answer_body(std::int32_t id, std::string bytes, bool open = false) {
    sent_bodies.push_back(std::make_unique<std::pair<std::string, bool>>(std::move(bytes), open));
    nghttp2_data_provider provider{};
    provider.source.ptr = sent_bodies.back().get();
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t room,
                                std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      auto& [left, stays_open] = *static_cast<std::pair<std::string, bool>*>(source->ptr);
      const std::size_t size = std::min(room, left.size());
      std::copy_n(left.begin(), size, into);
      left.erase(0, size);
      if (left.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF | (stays_open ? NGHTTP2_DATA_FLAG_NO_END_STREAM : 0U);
      return static_cast<ssize_t>(size);
    };
    nghttp2_submit_data(server, NGHTTP2_FLAG_END_STREAM, id, &provider);
  }

  struct Request {
    Request(H2Client& test, std::string_view method, std::string_view path, bool last = true)
        : head(arena), answer(arena), stream(test.connection->lease()) {
      head.method = method;
      head.path = path;
      head.fields.add("X-Test", "1");
      head.fields.add("Connection", "close");
      sent = stream->send(head, "example.com", last).take();
    }
    // The head that came; nothing when none has.
    Result<> receive(H2Client& test, TimePoint deadline = TimePoint::max()) {
      receiving = stream->receive(answer, deadline);
      if (!receiving.done()) {
        receiving.start(nullptr);
        test.run();
      }
      if (!receiving.done()) return fail(0, Fault::Proxy, "still waiting");
      return receiving.take();
    }
    Result<std::string> read(H2Client& test) {
      http::BodyPtr body = stream->body();
      std::string out;
      while (body) {
        Task<Result<http::Chunk>> chunk = body->read(1000);
        if (!chunk.done()) {
          chunk.start(nullptr);
          test.run();
        }
        if (!chunk.done()) return fail(0, Fault::Proxy, "still waiting");
        const Result<http::Chunk> now = chunk.take();
        if (!now) return std::unexpected(now.error());
        out += now->bytes;
        if (!now->last) continue;
        if (body->trailers())
          for (const http::Field& line : *body->trailers()) trailers[std::string(line.name)] = line.value;
        break;
      }
      return out;
    }
    Arena arena;
    http::RequestHead head;
    http::ResponseHead answer;
    Result<> sent;
    http::ClientStreamPtr stream;
    Task<Result<>> receiving;
    std::map<std::string, std::string> trailers;
  };

  ManualClock clock;
  event::Loop loop{clock};
  Wire* wire = nullptr;
  ClientConnection* connection = nullptr;
  nghttp2_session* server = nullptr;
  std::map<std::int32_t, Seen> seen;
  std::vector<std::unique_ptr<std::pair<std::string, bool>>> sent_bodies;
  int idled = 0;
  int pings = 0;
  bool goodbye = false;
};

TEST_F(H2Client, SendsAHeadWithoutConnectionFieldsAndReadsTheAnswer) {
  Request request(*this, "GET", "/a");
  request.head.query = "b";
  ASSERT_TRUE(request.sent);
  run();
  EXPECT_EQ(seen[1].fields, (std::map<std::string, std::string>{{":method", "GET"},
                                                                {":scheme", "http"},
                                                                {":authority", "example.com"},
                                                                {":path", "/a"},
                                                                {"x-test", "1"}}));
  EXPECT_TRUE(seen[1].ended);
  EXPECT_TRUE(request.stream->sent_anything());

  answer(1, {{":status", "200"}, {"content-type", "text/plain"}, {"content-length", "5"}}, false);
  answer_body(1, "hello");
  ASSERT_TRUE(request.receive(*this));
  EXPECT_EQ(request.answer.status, 200);
  EXPECT_EQ(request.answer.content_length, 5u);
  EXPECT_EQ(request.answer.fields.get("Content-Type"), "text/plain");
  EXPECT_EQ(request.read(*this).value_or("broken"), "hello");

  request.stream.reset();
  run();
  EXPECT_EQ(idled, 1);
  EXPECT_EQ(seen[1].reset, NGHTTP2_NO_ERROR);
}

TEST_F(H2Client, StreamsShareTheConnectionAndOneWrite) {
  run();
  wire->writes = 0;
  Request a(*this, "GET", "/a");
  Request b(*this, "GET", "/b");
  run();
  EXPECT_EQ(wire->writes, 1);
  answer(3, {{":status", "201"}}, true);
  EXPECT_TRUE(b.receive(*this));
  EXPECT_EQ(b.answer.status, 201);
  EXPECT_EQ(b.stream->body(), nullptr);
  answer(1, {{":status", "200"}}, true);
  EXPECT_TRUE(a.receive(*this));
  EXPECT_FALSE(a.stream->reused());
  EXPECT_TRUE(b.stream->reused());
}

TEST_F(H2Client, CarriesAsManyStreamsAsTheServerAllows) {
  const nghttp2_settings_entry two{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2};
  nghttp2_submit_settings(server, NGHTTP2_FLAG_NONE, &two, 1);
  run();
  EXPECT_EQ(connection->capacity(), 2u);
  Request a(*this, "GET", "/a");
  {
    Request b(*this, "GET", "/b");
    EXPECT_EQ(connection->capacity(), 0u);
  }
  EXPECT_EQ(connection->capacity(), 1u);
}

TEST_F(H2Client, TrailersPassBothWays) {
  Request request(*this, "POST", "/", false);
  http::Fields trailers(request.arena);
  trailers.add("X-Sum", "7");
  ASSERT_TRUE(request.stream->write("data", true, &trailers).take());
  run();
  EXPECT_EQ(seen[1].body, "data");
  EXPECT_EQ(seen[1].trailers["x-sum"], "7");
  EXPECT_TRUE(seen[1].ended);

  answer(1, {{":status", "200"}}, false);
  answer_body(1, "reply", true);
  run();
  answer(1, {{"grpc-status", "0"}, {"x-forwarded-for", "1.2.3.4"}}, true);
  ASSERT_TRUE(request.receive(*this));
  EXPECT_TRUE(request.answer.chunked);
  EXPECT_EQ(request.read(*this).value_or("broken"), "reply");
  EXPECT_EQ(request.trailers, (std::map<std::string, std::string>{{"Grpc-Status", "0"}}));
}

TEST_F(H2Client, InterimHeadsComeOneByOne) {
  Request request(*this, "GET", "/");
  run();
  answer(1, {{":status", "103"}, {"link", "</a>"}}, false);
  ASSERT_TRUE(request.receive(*this));
  EXPECT_EQ(request.answer.status, 103);
  answer(1, {{":status", "204"}}, true);
  ASSERT_TRUE(request.receive(*this));
  EXPECT_EQ(request.answer.status, 204);
}

TEST_F(H2Client, TheWindowOpensOnlyByReading) {
  Request request(*this, "GET", "/");
  run();
  answer(1, {{":status", "200"}}, false);
  const std::string large(2'000'000, 'x');
  answer_body(1, large);
  ASSERT_TRUE(request.receive(*this));
  run();
  EXPECT_GT(sent_bodies[0]->first.size(), 1'000'000u) << "the server must wait";
  EXPECT_TRUE(request.read(*this).value_or("broken") == large);
}

TEST_F(H2Client, ARequestBodyWaitsForTheServersWindow) {
  Request request(*this, "POST", "/", false);
  run();
  const std::string large(200'000, 'y');
  Task<Result<>> writing = request.stream->write(large, true, nullptr);
  ASSERT_FALSE(writing.done()) << "the window of RFC 9113 is 64 KiB";
  writing.start(nullptr);
  run();
  EXPECT_TRUE(writing.done());
  run();
  EXPECT_TRUE(seen[1].body == large) << seen[1].body.size();
  EXPECT_TRUE(seen[1].ended);
}

TEST_F(H2Client, ABodyMustHaveItsLength) {
  Request request(*this, "GET", "/");
  run();
  answer(1, {{":status", "200"}, {"content-length", "9"}}, false);
  answer_body(1, "short");
  ASSERT_TRUE(request.receive(*this));
  const auto body = request.read(*this);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().status, 502);
}

TEST_F(H2Client, MalformedHeadsFailTheirStreamAlone) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> heads = {
      {{":status", "200"}, {"connection", "close"}},
      {{":status", "200"}, {"transfer-encoding", "chunked"}},
      {{":status", "200"}, {"x-split", "a\r\nset-cookie: b"}},
      {{":status", "200"}, {"x split", "a"}},
      {{":status", "20"}},
      {{":status", "999"}},
      {{":status", "101"}},
      {{":status", "200"}, {":path", "/"}},
      {{"content-type", "no status"}},
      {{":status", "200"}, {"content-length", "5"}, {"content-length", "6"}},
      {{":status", "200"}, {"content-length", "-1"}},
      {{":status", "200"}, {"content_length", "5"}},
  };
  Request other(*this, "GET", "/other");
  run();
  std::int32_t id = 1;
  for (const auto& head : heads) {
    Request request(*this, "GET", "/");
    run();
    id += 2;
    answer(id, head, true);
    const Result<> received = request.receive(*this);
    ASSERT_FALSE(received) << head.back().first << ": " << head.back().second.substr(0, 50);
    EXPECT_EQ(received.error().status, 502) << head.back().first << ": " << received.error().detail;
    EXPECT_FALSE(received.error().retryable);
    ASSERT_TRUE(connection);
  }
  answer(1, {{":status", "200"}}, true);
  EXPECT_TRUE(other.receive(*this));
}

TEST_F(H2Client, ARefusedStreamWasNotActedUpon) {
  Request request(*this, "POST", "/");
  run();
  nghttp2_submit_rst_stream(server, NGHTTP2_FLAG_NONE, 1, NGHTTP2_REFUSED_STREAM);
  const Result<> received = request.receive(*this);
  ASSERT_FALSE(received);
  EXPECT_TRUE(received.error().retryable);
  EXPECT_FALSE(request.stream->sent_anything());
}

TEST_F(H2Client, AnotherResetMayHaveBeenActedUpon) {
  Request request(*this, "GET", "/");
  run();
  nghttp2_submit_rst_stream(server, NGHTTP2_FLAG_NONE, 1, NGHTTP2_INTERNAL_ERROR);
  const Result<> received = request.receive(*this);
  ASSERT_FALSE(received);
  EXPECT_FALSE(received.error().retryable);
  EXPECT_TRUE(request.stream->sent_anything());
}

TEST_F(H2Client, AfterGoawayOlderStreamsGoOnAndNewerOnesAreFree) {
  Request old(*this, "GET", "/old");
  Request fresh(*this, "POST", "/new");
  run();
  nghttp2_submit_goaway(server, NGHTTP2_FLAG_NONE, 1, NGHTTP2_NO_ERROR, nullptr, 0);
  run();
  const Result<> refused = fresh.receive(*this);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_FALSE(fresh.stream->sent_anything());
  EXPECT_EQ(connection->capacity(), 0u);

  answer(1, {{":status", "200"}}, true);
  EXPECT_TRUE(old.receive(*this));
  old.stream.reset();
  fresh.stream.reset();
  run();
  EXPECT_FALSE(connection) << "it closes with its last stream";
}

TEST_F(H2Client, LettingGoCancelsOnTheServer) {
  {
    Request request(*this, "GET", "/");
    run();
  }
  run();
  EXPECT_EQ(seen[1].reset, NGHTTP2_CANCEL);
  EXPECT_TRUE(connection);
}

TEST_F(H2Client, LettingGoBeforeItWasSentSendsNothing) {
  {
    Request request(*this, "GET", "/");
  }
  run();
  EXPECT_FALSE(seen.contains(1));
  EXPECT_TRUE(connection);
}

TEST_F(H2Client, AnAbortWakesWhoeverWaits) {
  Request request(*this, "GET", "/");
  run();
  Task<Result<>> receiving = request.stream->receive(request.answer, TimePoint::max());
  receiving.start(nullptr);
  request.stream->abort({504, Fault::Upstream, false, "too late"});
  EXPECT_FALSE(receiving.done()) << "not inside the call";
  run();
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().error().status, 504);
  EXPECT_EQ(seen[1].reset, NGHTTP2_CANCEL);
}

TEST_F(H2Client, AResponseHeadHasItsTime) {
  Request request(*this, "GET", "/");
  run();
  Task<Result<>> receiving = request.stream->receive(request.answer, clock.now() + std::chrono::seconds(2));
  receiving.start(nullptr);
  clock.advance(std::chrono::seconds(3));
  run();
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().error().status, 504);
  EXPECT_GT(connection->capacity(), 0u) << "the server has acknowledged its settings meanwhile";
}

TEST_F(H2Client, AConnectionWithoutAWordGetsNoMoreRequests) {
  run();
  clock.advance(std::chrono::seconds(1));
  loop.run_once({});
  Request request(*this, "GET", "/");
  loop.run_once({});
  Task<Result<>> receiving = request.stream->receive(request.answer, clock.now() + std::chrono::seconds(2));
  receiving.start(nullptr);
  clock.advance(std::chrono::seconds(3));
  loop.run_once({});
  ASSERT_TRUE(receiving.done());
  EXPECT_EQ(receiving.take().error().status, 504);
  EXPECT_EQ(connection->capacity(), 0u);
}

TEST_F(H2Client, TheEndOfTheConnectionFailsWhatIsOpen) {
  Request sent(*this, "GET", "/");
  run();
  Request unsent(*this, "POST", "/");
  wire->ended = true;
  wire->user().on_readable();
  const Result<> lost = sent.receive(*this);
  ASSERT_FALSE(lost);
  EXPECT_FALSE(lost.error().retryable);
  const Result<> never = unsent.receive(*this);
  ASSERT_FALSE(never);
  EXPECT_TRUE(never.error().retryable);
  EXPECT_FALSE(unsent.stream->sent_anything());
}

TEST_F(H2Client, AnHttp1AnswerIsNamed) {
  Request request(*this, "GET", "/");
  loop.run_once({});
  wire->incoming = "HTTP/1.1 400 Bad Request\r\n\r\n";
  wire->user().on_readable();
  const Result<> received = request.receive(*this);
  ASSERT_FALSE(received);
  EXPECT_NE(received.error().detail.find("HTTP/1.1"), std::string::npos);
}

TEST_F(H2Client, AFloodOfFramesThatCarryNothingEndsTheConnection) {
  Request request(*this, "GET", "/");
  run();
  static constexpr char kPing[] = "\0\0\x08\x06\0\0\0\0\0ABCDEFGH";
  for (int i = 0; i < 20'000; ++i) wire->incoming.append(kPing, sizeof(kPing) - 1);
  wire->user().on_readable();
  const Result<> received = request.receive(*this);
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().status, 502);
  EXPECT_TRUE(wire->was_closed);
}

TEST_F(H2Client, APushIsRefused) {
  Request request(*this, "GET", "/");
  run();
  static constexpr char kPush[] = "\0\0\x04\x05\x04\0\0\0\x01\0\0\0\x02";
  wire->incoming.append(kPush, sizeof(kPush) - 1);
  wire->user().on_readable();
  const Result<> received = request.receive(*this);
  ASSERT_FALSE(received);
  EXPECT_NE(received.error().detail.find("push"), std::string::npos);
}

TEST_F(H2Client, TooManyInterimHeadsFailTheStream) {
  Request request(*this, "GET", "/");
  run();
  for (int i = 0; i < 100; ++i) answer(1, {{":status", "103"}}, false);
  run();
  Result<> received;
  int heads = 0;
  while ((received = request.receive(*this)) && heads < 200) ++heads;
  EXPECT_LE(heads, 32);
  EXPECT_EQ(received.error().status, 502);
}

TEST_F(H2Client, SilenceIsAnsweredByAPingAndThenByTheEnd) {
  connection->detach();
  connection = nullptr;
  loop.run_once({});
  nghttp2_session_del(server);
  start({.read_idle_timeout = std::chrono::seconds(5), .ping_timeout = std::chrono::seconds(2)});
  Request request(*this, "GET", "/");
  run();
  clock.advance(std::chrono::seconds(6));
  run();
  EXPECT_EQ(pings, 1);
  EXPECT_FALSE(wire->was_closed);
  Task<Result<>> receiving = request.stream->receive(request.answer, TimePoint::max());
  receiving.start(nullptr);
  clock.advance(std::chrono::seconds(3));
  run();
  ASSERT_TRUE(receiving.done());
  EXPECT_NE(receiving.take().error().detail.find("PING"), std::string::npos);
}

TEST_F(H2Client, ARetiredConnectionSaysGoodbyeWithItsLastStream) {
  Request request(*this, "GET", "/");
  run();
  connection->retire();
  EXPECT_EQ(connection->capacity(), 0u);
  answer(1, {{":status", "200"}}, true);
  ASSERT_TRUE(request.receive(*this));
  const Wire* kept = wire;
  request.stream.reset();
  EXPECT_TRUE(kept->was_closed);
  EXPECT_NE(kept->outgoing.find(std::string("\x07\0\0\0\0\0", 6)), std::string::npos);
}

}  // namespace
}  // namespace fairlead::codec::h2
