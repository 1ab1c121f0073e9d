#include "engine/upstream/pool.h"

#include "engine/base/arena.h"
#include "engine/base/fd.h"
#include "engine/http/head.h"
#include "engine/upstream/pools.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::upstream {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kForeign = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforeign";
constexpr std::string_view kTired = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

// One end of a connection, as the server has it.
struct Accepted {
  Fd socket;
  void say(std::string_view bytes) const {
    ASSERT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
  }
  // The bytes are in the other end's socket: it acknowledged them.
  void say_and_see_it_arrive(std::string_view bytes) const {
    say(bytes);
    for (int i = 0; i < 10'000; ++i) {
      tcp_info info{};
      socklen_t size = sizeof info;
      ASSERT_EQ(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
      if (info.tcpi_unacked == 0) return;
      ::poll(nullptr, 0, 1);
    }
    FAIL() << "the bytes did not arrive";
  }
  bool is_closed() const {
    pollfd one{socket.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&one, 1, 5'000) == 1 && ::recv(socket.get(), &byte, 1, MSG_PEEK) <= 0;
  }
  bool is_open() const {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
  }
  void read_request() const {
    char bytes[4096];
    ASSERT_GT(::recv(socket.get(), bytes, sizeof bytes, 0), 0);
  }
};

struct Asked final : Completion {
  Arena arena;
  http::ResponseHead head{arena};
  std::optional<Error> error;
  std::string body;
  bool reused = false;
  bool done = false;
  Task<void> task;
  void task_done() override { done = true; }
};

Task<void> ask(Pool& pool, Asked& asked) {
  Result<http::ClientStreamPtr> stream = co_await pool.take();
  if (!stream) {
    asked.error = std::move(stream.error());
    co_return;
  }
  asked.reused = (*stream)->reused();
  http::RequestHead request(asked.arena);
  request.method = "GET";
  request.path = "/";
  Result<> outcome = co_await (*stream)->send(request, "test", true);
  if (outcome) outcome = co_await (*stream)->receive(asked.head, TimePoint::max());
  if (outcome)
    if (http::BodyPtr body = (*stream)->body()) {
      for (bool last = false; !last;) {
        Result<http::Chunk> chunk = co_await body->read(4096);
        if (!chunk) {
          asked.error = std::move(chunk.error());
          co_return;
        }
        asked.body += chunk->bytes;
        last = chunk->last;
      }
    }
  if (!outcome) asked.error = std::move(outcome.error());
}

// Asks when an event says so: the first of its tick.
struct Prompt final : event::Handler {
  Fd fd{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::function<void()> then;
  explicit Prompt(event::Loop& loop) { EXPECT_TRUE(loop.add(fd.get(), *this, EPOLLIN | EPOLLET)); }
  void give() const { EXPECT_EQ(::eventfd_write(fd.get(), 1), 0); }
  void on_event(std::uint32_t) override { then(); }
};

struct PoolTest : testing::Test {
  event::Loop loop;
  Fd listener;
  std::optional<Pool> pool;

  PoolTest() {
    listener = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    EXPECT_EQ(::bind(listener.get(), address, size), 0);
    EXPECT_EQ(::listen(listener.get(), 16), 0);
    EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
    pool.emplace(loop, *ServerAddress::parse(fmt::format("http://127.0.0.1:{}", ntohs(here.sin_port))),
                 TransportOptions{});
  }
  ~PoolTest() override {
    pool.reset();
    loop.run_once(0ms);
  }

  Accepted accept() const {
    pollfd one{listener.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&one, 1, 5'000), 1);
    return {Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))};
  }
  bool nobody_dialled() const {
    pollfd one{listener.get(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 0;
  }
  void start(Asked& asked) {
    asked.task = ask(*pool, asked);
    asked.task.start(&asked);
  }
  void run_until(const std::function<bool()>& so) {
    for (int i = 0; i < 2'000 && !so(); ++i) loop.run_once(5ms);
    ASSERT_TRUE(so());
  }
  // One request on a new connection, which then rests in the pool unless `answer` says otherwise.
  Accepted served(std::string_view answer = kAnswer) {
    Asked asked;
    start(asked);
    Accepted server = accept();
    run_until([&] {
      pollfd one{server.socket.get(), POLLIN, 0};
      return ::poll(&one, 1, 0) == 1;
    });
    server.read_request();
    server.say(answer);
    run_until([&] { return asked.done; });
    EXPECT_EQ(asked.body, "ok");
    EXPECT_FALSE(asked.reused);
    loop.run_once(0ms);
    return server;
  }
};

TEST_F(PoolTest, UsesAConnectionAgain) {
  const Accepted server = served();
  ASSERT_EQ(pool->idle_count(), 1U);

  Asked second;
  start(second);
  loop.run_once(0ms);  // requests leave when the tick ends
  server.read_request();
  server.say(kAnswer);
  run_until([&] { return second.done; });

  EXPECT_TRUE(second.reused);
  EXPECT_EQ(second.body, "ok");
  EXPECT_TRUE(nobody_dialled());
}

TEST_F(PoolTest, WhatANewConnectionBeginsWithIsNoAnswer) {
  Asked asked;
  start(asked);
  const Accepted server = accept();
  server.say_and_see_it_arrive(kForeign);

  run_until([&] { return asked.done; });

  ASSERT_TRUE(asked.error) << asked.body;
  EXPECT_EQ(asked.error->status, 502);
  EXPECT_NE(asked.error->detail.find("answered before it was asked"), std::string::npos);
}

TEST_F(PoolTest, WhatCameBeforeTheRequestIsNoAnswerAlsoInTheSameTick) {
  Asked asked;
  Prompt prompt(loop);
  loop.run_once(0ms);
  const Accepted server = served();
  prompt.then = [&] { start(asked); };
  prompt.give();  // before the bytes: its event is the first of the two
  server.say_and_see_it_arrive(kForeign);

  run_until([&] { return asked.done; });

  EXPECT_TRUE(asked.reused);
  ASSERT_TRUE(asked.error) << asked.body;
  EXPECT_EQ(asked.error->status, 502);
  EXPECT_FALSE(asked.error->retryable) << "the request has left";
  loop.run_once(0ms);
  EXPECT_EQ(pool->idle_count(), 0U);
}

TEST_F(PoolTest, AnEndThatCameBeforeTheRequestIsAStaleConnection) {
  Asked asked;
  Prompt prompt(loop);
  loop.run_once(0ms);
  std::optional<Accepted> server = served();
  prompt.then = [&] { start(asked); };
  prompt.give();
  ASSERT_EQ(::shutdown(server->socket.get(), SHUT_WR), 0);

  run_until([&] { return asked.done; });

  ASSERT_TRUE(asked.error);
  EXPECT_EQ(asked.error->detail.find("before it was asked"), std::string::npos) << asked.error->detail;
  const Accepted next = served();
  EXPECT_EQ(pool->idle_count(), 1U) << "nobody is distrusted for it";
}

TEST_F(PoolTest, AfterUnaskedBytesEachConnectionCarriesOneRequest) {
  const Accepted first = served();
  first.say(kForeign);
  run_until([&] { return pool->idle_count() == 0; });
  EXPECT_TRUE(first.is_closed());

  const Accepted second = served();
  EXPECT_EQ(pool->idle_count(), 0U);
  EXPECT_TRUE(second.is_closed());
}

TEST_F(PoolTest, BytesAfterAnAnswerCountAsUnasked) {
  const Accepted first = served(fmt::format("{}{}", kAnswer, kForeign));
  EXPECT_TRUE(first.is_closed());

  const Accepted second = served();
  EXPECT_TRUE(second.is_closed());
}

TEST_F(PoolTest, UnaskedBytesEndTheOtherConnectionsThatRest) {
  Asked one;
  Asked two;
  start(one);
  start(two);
  const Accepted first = accept();
  const Accepted second = accept();
  loop.run_once(0ms);
  loop.run_once(0ms);
  for (const Accepted* server : {&first, &second}) {
    server->read_request();
    server->say(kAnswer);
  }
  run_until([&] { return one.done && two.done; });
  ASSERT_EQ(pool->idle_count(), 2U);

  first.say("x");
  run_until([&] { return pool->idle_count() == 0; });

  EXPECT_TRUE(second.is_closed());
}

TEST_F(PoolTest, AServerThatIsTiredOfWaitingIsTrusted) {
  const Accepted first = served();
  first.say(kTired);
  run_until([&] { return pool->idle_count() == 0; });
  EXPECT_TRUE(first.is_closed());

  const Accepted second = served();
  EXPECT_EQ(pool->idle_count(), 1U);
  EXPECT_TRUE(second.is_open());
}

TEST_F(PoolTest, WhatNobodyAsksAnyMoreDoesNotPileUp) {
  Pools pools(loop, 1);
  const TransportOptions options;
  Pool& used = pools.pool(*ServerAddress::parse("http://127.0.0.1:1"), options);
  const Pool::Guest guest(used);

  for (int port = 2; port < 2'000; ++port)
    pools.pool(*ServerAddress::parse(fmt::format("http://127.0.0.1:{}", port)), options);

  EXPECT_LT(pools.size(), 100U);
  EXPECT_EQ(&pools.pool(*ServerAddress::parse("http://127.0.0.1:1"), options), &used);
}

}  // namespace
}  // namespace fairlead::upstream
