#include "engine/base/curl_connection.h"

#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

namespace fairlead {
namespace {

// A server that accepts and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_.get(), any, size) != 0 || ::listen(socket_.get(), 16) != 0) std::abort();
    ::getsockname(socket_.get(), any, &size);
    port_ = ntohs(address.sin_port);
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }
  void leave() { socket_ = Fd(); }

 private:
  Fd socket_;
  int port_ = 0;
};

constexpr auto kLong = std::chrono::hours(1);

TEST(CurlConnection, SaysInWordsWhyThereIsNoConnection) {
  SilentServer server;
  CurlConnection connection;
  curl_easy_setopt(connection.easy(), CURLOPT_URL, server.url().c_str());
  server.leave();

  const auto ended = connection.run(kLong, [] { return false; });

  EXPECT_EQ(ended.code, CURLE_COULDNT_CONNECT);
  EXPECT_NE(ended.problem, "");
}

TEST(CurlConnection, ACallThatIsGivenUpEndsAtOnceAndLeavesRoomForAnother) {
  SilentServer server;
  CurlConnection connection;
  curl_easy_setopt(connection.easy(), CURLOPT_URL, server.url().c_str());
  for (int call = 0; call < 2; ++call) {
    std::atomic<bool> stopped = false;
    std::thread other([&] {
      stopped = true;
      connection.wake();
    });

    const auto ended = connection.run(kLong, [&] { return stopped.load(); });

    EXPECT_EQ(ended.code, CURLE_OK);
    EXPECT_EQ(ended.problem, "");
    other.join();
  }
}

}  // namespace
}  // namespace fairlead
