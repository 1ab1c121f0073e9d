#include "engine/net/tcp_transport.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

namespace fairlead::net {
namespace {

struct User final : TransportUser {
  void on_readable() override { ++readable; }
  void on_writable() override { ++writable; }
  void on_peer_finished() override { ++finished; }
  void on_broken(int) override { ++broken; }
  int readable = 0, writable = 0, finished = 0, broken = 0;
};

// One accepted transport and its peer.
class Accepted : public testing::Test {
 protected:
  void take(Fd socket) {
    transport_ = TcpTransport::adopt(loop_, std::move(socket), {}, TcpTransport::Side::Accepted);
    transport_->set_user(&user_);
  }
  void say(std::string_view bytes) {
    EXPECT_EQ(::send(peer_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  std::string read(std::size_t size = 64) {
    std::vector<char> into(size);
    last_ = transport_->read(into);
    return {into.data(), last_.bytes};
  }

  event::Loop loop_;
  Fd peer_;
  User user_;
  std::unique_ptr<TcpTransport> transport_;
  IoResult last_;
};

class TcpTransportTest : public Accepted {
 protected:
  TcpTransportTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    peer_ = Fd(ends[0]);
    take(Fd(ends[1]));
  }

  std::string peek(std::size_t size = 64) {
    std::vector<char> into(size);
    return {into.data(), transport_->peek(into).bytes};
  }
};

TEST_F(TcpTransportTest, WhatIsPeekedIsReadAgain) {
  say("hello");
  EXPECT_EQ(peek(), "hello");
  EXPECT_EQ(peek(), "hello");
  say(", world");
  EXPECT_EQ(peek(), "hello, world");
  EXPECT_EQ(read(5), "hello");
  EXPECT_FALSE(last_.drained);
  EXPECT_EQ(peek(), ", world");
  EXPECT_EQ(read(), ", world");
  EXPECT_TRUE(last_.drained);
  read();
  EXPECT_EQ(last_.status, IoStatus::WouldBlock);
}

// A child that another thread starts has it for a moment.
TEST_F(TcpTransportTest, AClosedOneHearsNothingMoreThoughItsSocketHasACopy) {
  const Fd copy(::dup(transport_->plain_fd()));
  transport_.reset();
  say("late");
  loop_.run_once(std::chrono::milliseconds(0));
  EXPECT_EQ(user_.readable, 0);
}

TEST_F(TcpTransportTest, APeekThatFillsItsBufferLeavesTheRestToBeRead) {
  say("0123456789");
  EXPECT_EQ(peek(4), "0123");
  EXPECT_EQ(read(), "0123");
  EXPECT_FALSE(last_.drained);
  EXPECT_EQ(read(), "456789");
}

TEST_F(TcpTransportTest, TheEndIsSeenBehindWhatWasPeeked) {
  say("bye");
  EXPECT_EQ(peek(), "bye");
  peer_.reset();
  loop_.run_once(std::chrono::milliseconds(0));
  EXPECT_EQ(read(), "bye");
  EXPECT_FALSE(last_.drained) << "no further event would tell the end";
  read();
  EXPECT_EQ(last_.status, IoStatus::End);
}

TEST_F(TcpTransportTest, AnAcceptedSocketIsHeardOfAsWritableOnlyAfterItWasFull) {
  loop_.run_once(std::chrono::milliseconds(0));
  EXPECT_EQ(user_.writable, 0);
  const std::string block(64 * 1024, 'x');
  const iovec part{const_cast<char*>(block.data()), block.size()};
  while (transport_->write({&part, 1}).bytes == block.size()) {
  }
  loop_.run_once(std::chrono::milliseconds(0));
  EXPECT_EQ(user_.writable, 0);
  std::array<char, 64 * 1024> sink;
  while (::recv(peer_.get(), sink.data(), sink.size(), MSG_DONTWAIT) > 0) {
  }
  loop_.run_once(std::chrono::seconds(5));
  EXPECT_GE(user_.writable, 1);
}

// Two ends of a TCP connection: those of a socketpair know no reset.
class TcpResetTest : public Accepted {
 protected:
  TcpResetTest() {
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), raw, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), raw, &size), 0);
    peer_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(peer_.get(), raw, size), 0);
    take(Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
  }

  void say_and_reset(std::string_view bytes) {
    say(bytes);
    const linger at_once{1, 0};
    ::setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peer_.reset();
  }
};

TEST_F(TcpResetTest, WhatCameBeforeAResetIsReadAndThenTheReset) {
  say_and_reset("bye");
  loop_.run_once(std::chrono::seconds(5));
  EXPECT_EQ(user_.broken, 1);
  EXPECT_EQ(read(), "bye");
  EXPECT_FALSE(last_.drained) << "no further event would tell the end";
  read();
  EXPECT_EQ(last_.status, IoStatus::Failed) << "not an orderly end";
  EXPECT_EQ(last_.error, ECONNRESET);
}

TEST_F(TcpResetTest, AResetThatAWriteMetIsNoOrderlyEndForTheReader) {
  say_and_reset("bye");
  char byte = 'x';
  const iovec part{&byte, 1};
  EXPECT_EQ(transport_->write({&part, 1}).status, IoStatus::Failed);
  loop_.run_once(std::chrono::seconds(5));
  EXPECT_EQ(read(), "bye");
  read();
  EXPECT_EQ(last_.status, IoStatus::Failed);
}

TEST_F(TcpResetTest, AResetBeforeThereIsAUserIsRemembered) {
  transport_->set_user(nullptr);
  say_and_reset("bye");
  loop_.run_once(std::chrono::seconds(5));
  transport_->set_user(&user_);
  EXPECT_EQ(read(), "bye");
  EXPECT_FALSE(last_.drained);
  read();
  EXPECT_EQ(last_.status, IoStatus::Failed);
}

}  // namespace
}  // namespace fairlead::net
