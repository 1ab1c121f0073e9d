#include "engine/tcp/pipe.h"

#include "engine/net/tcp_transport.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

namespace fairlead::tcp {
namespace {

// Two sockets, the pipe between them, and the far ends in the hands of the test.
class PipeTest : public ::testing::Test, PipeUser {
 protected:
  void open(Duration termination_delay) {
    client_ = end(outer_client_);
    server_ = end(outer_server_);
    PipeUser& user = *this;
    pipe_ = std::make_unique<Pipe>(loop_, *client_, *server_, termination_delay, user);
    pipe_->start();
  }
  std::unique_ptr<net::Transport> end(Fd& outer) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    outer = Fd(ends[0]);
    return net::TcpTransport::adopt(loop_, Fd(ends[1]), {});
  }
  void run() {
    for (int i = 0; i < 4; ++i) loop_.run_once({});
  }
  void pass(Duration time) {
    for (Duration step{}; step < time; step += std::chrono::milliseconds(10)) {
      clock_.advance(std::chrono::milliseconds(10));
      loop_.run_once({});
    }
  }
  static std::size_t fill(const Fd& socket, std::size_t bytes) {
    const std::string block(64 * 1024, 'x');
    std::size_t sent = 0;
    while (sent < bytes) {
      const ssize_t put =
          ::send(socket.get(), block.data(), std::min(block.size(), bytes - sent), MSG_NOSIGNAL);
      if (put <= 0) break;
      sent += static_cast<std::size_t>(put);
    }
    return sent;
  }
  static std::string take(const Fd& socket) {
    std::string out;
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(socket.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return out;
      out.append(buffer, static_cast<std::size_t>(got));
    }
  }
  static bool at_end(const Fd& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, 0) == 0;
  }
  void pipe_ended() override { ++ended_; }

  ManualClock clock_;
  event::Loop loop_{clock_};
  Fd outer_client_;
  Fd outer_server_;
  std::unique_ptr<net::Transport> client_;
  std::unique_ptr<net::Transport> server_;
  std::unique_ptr<Pipe> pipe_;
  int ended_ = 0;
};

TEST_F(PipeTest, CarriesBytesBothWays) {
  open(Duration(-1));

  fill(outer_client_, 5);
  fill(outer_server_, 70'000);
  run();

  EXPECT_EQ(take(outer_server_).size(), 5u);
  EXPECT_EQ(take(outer_client_).size(), 70'000u);
  EXPECT_EQ(pipe_->from_client(), 5u);
  EXPECT_EQ(pipe_->from_server(), 70'000u);
  EXPECT_EQ(ended_, 0);
}

TEST_F(PipeTest, StopsReadingWhileTheOtherSideTakesNothing) {
  open(Duration(-1));
  std::size_t sent = 0;

  for (int i = 0; i < 1000; ++i) {
    sent += fill(outer_client_, 1024 * 1024);
    loop_.run_once({});
  }

  EXPECT_LT(sent, 8u * 1024 * 1024);
  std::size_t got = 0;
  for (int i = 0; i < 1000 && got < sent; ++i) {
    got += take(outer_server_).size();
    run();
  }
  EXPECT_EQ(got, sent) << "and goes on where it stopped";
}

TEST_F(PipeTest, TheEndOfOneDirectionLeavesTheOtherOpen) {
  open(Duration(-1));

  fill(outer_client_, 10);
  ::shutdown(outer_client_.get(), SHUT_WR);
  run();

  EXPECT_EQ(take(outer_server_).size(), 10u);
  EXPECT_TRUE(at_end(outer_server_));
  fill(outer_server_, 20);
  pass(std::chrono::seconds(60));
  EXPECT_EQ(take(outer_client_).size(), 20u);
  EXPECT_EQ(ended_, 0);
  ::shutdown(outer_server_.get(), SHUT_WR);
  run();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(pipe_->ended_by(), "client");
}

TEST_F(PipeTest, TheOtherDirectionIsCutAfterTheDelay) {
  open(std::chrono::milliseconds(500));
  ::shutdown(outer_server_.get(), SHUT_WR);
  run();

  pass(std::chrono::milliseconds(400));
  fill(outer_client_, 3);
  run();
  EXPECT_EQ(take(outer_server_).size(), 3u);
  EXPECT_EQ(ended_, 0);
  pass(std::chrono::milliseconds(200));

  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(pipe_->ended_by(), "server");
}

TEST_F(PipeTest, WithoutADelayTheOtherDirectionIsCutAtOnce) {
  open(Duration{});

  ::shutdown(outer_client_.get(), SHUT_WR);
  run();

  EXPECT_EQ(ended_, 1);
}

TEST_F(PipeTest, WhatWasReadBeforeTheDelayIsStillDelivered) {
  open(std::chrono::milliseconds(100));
  for (int i = 0; i < 50; ++i) {
    fill(outer_server_, 1024 * 1024);
    loop_.run_once({});
  }
  const std::uint64_t read = pipe_->from_server();
  ::shutdown(outer_client_.get(), SHUT_WR);
  run();
  pass(std::chrono::milliseconds(200));
  EXPECT_EQ(ended_, 0) << "the client has not taken it yet";

  std::size_t got = 0;
  for (int i = 0; i < 100; ++i) {
    got += take(outer_client_).size();
    run();
  }

  EXPECT_EQ(got, read);
  EXPECT_EQ(ended_, 1);
}

TEST_F(PipeTest, ASideThatIsGoneEndsBoth) {
  open(Duration(-1));
  fill(outer_server_, 10);

  outer_server_.reset();
  run();
  EXPECT_EQ(take(outer_client_).size(), 10u) << "its last words arrive";
  pass(std::chrono::seconds(2));

  EXPECT_EQ(ended_, 1);
}

TEST_F(PipeTest, SaysNothingMoreAfterItWasStopped) {
  open(Duration(-1));

  pipe_->stop();
  outer_client_.reset();
  outer_server_.reset();
  run();

  EXPECT_EQ(ended_, 0);
}

}  // namespace
}  // namespace fairlead::tcp
