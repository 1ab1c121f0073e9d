#include "engine/net/activation.h"

#include "engine/net/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace fairlead::net {
namespace {

int listening() { return open_listener({"127.0.0.1", 0}, false)->release(); }
int datagram() { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

// Gives these descriptors consecutive numbers from 700 on, as systemd passes them from 3 on.
Activation passed(const std::vector<int>& sockets, const std::vector<std::string>& names) {
  int at = 700;
  for (const int socket : sockets) {
    ::dup2(socket, at++);
    ::close(socket);
  }
  return {700, names};
}

TEST(Activation, FindsTheSocketOfAnEntryPointByNameAndKind) {
  Activation activation = passed({listening(), datagram()}, {"web", "web"});

  const auto stream = activation.find("web", Activation::Kind::Stream);
  const auto dgram = activation.find("web", Activation::Kind::Datagram);

  ASSERT_TRUE(stream && *stream);
  EXPECT_NE(bound_port(stream->get()), 0);
  ASSERT_TRUE(dgram && *dgram);
  EXPECT_TRUE(activation.unclaimed().empty());
}

TEST(Activation, GivesTheSocketAgainAfterTheEntryPointWasClosed) {
  Activation activation = passed({listening()}, {"web"});
  const std::uint16_t port = bound_port(activation.find("web", Activation::Kind::Stream)->get());

  EXPECT_EQ(bound_port(activation.find("web", Activation::Kind::Stream)->get()), port);
}

TEST(Activation, HasNothingForOtherNames) {
  Activation activation = passed({listening()}, {"other"});

  const auto found = activation.find("web", Activation::Kind::Stream);

  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
  EXPECT_EQ(activation.unclaimed(), std::vector<std::string>{"other"});
}

TEST(Activation, RefusesSeveralSocketsOfOneName) {
  Activation activation = passed({listening(), listening()}, {"web", "web"});

  EXPECT_FALSE(activation.find("web", Activation::Kind::Stream));
}

TEST(Activation, RefusesASocketThatDoesNotListen) {
  Activation activation = passed({::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, {"web"});

  EXPECT_FALSE(activation.find("web", Activation::Kind::Stream));
}

TEST(Activation, IsForTheProcessThatIsNamedOnly) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_FDNAMES", "web", 1);

  EXPECT_TRUE(Activation::from_environment().unclaimed().empty());

  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
}

}  // namespace
}  // namespace fairlead::net
