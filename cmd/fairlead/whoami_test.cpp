#include "cmd/fairlead/whoami.h"

#include "cmd/fairlead/websocket_echo.h"
#include "cmd/fairlead/whoami_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

namespace fairlead::cmd {
namespace {

using testing::HasSubstr;

std::string masked(unsigned first, std::string_view payload) {
  const std::array<char, 4> mask = {1, 2, 3, 4};
  std::string out{static_cast<char>(first), static_cast<char>(0x80 | payload.size())};
  out.append(mask.data(), mask.size());
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

TEST(WebSocketEcho, AcceptsAsInTheRfcsExample) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 §1.3
}

TEST(WebSocketEcho, SendsMessagesBackHoweverTheyArrive) {
  WebSocketEcho echo;
  std::string out;
  for (const char c : masked(0x81, "hello") + masked(0x01, "a") + masked(0x80, "b"))
    ASSERT_TRUE(echo.take({&c, 1}, out));

  EXPECT_EQ(out,
            "\x81\x05hello\x01\x01"
            "a\x80\x01"
            "b");
}

TEST(WebSocketEcho, SendsLongMessagesBack) {
  const std::string payload(300, 'x');
  std::string frame = masked(0x82, "");
  frame[1] = static_cast<char>(0x80 | 126);
  frame.insert(2, std::string("\x01\x2c", 2));
  for (std::size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>('x' ^ (i % 4 + 1));
  WebSocketEcho echo;
  std::string out;

  EXPECT_TRUE(echo.take(frame, out));

  EXPECT_EQ(out, std::string("\x82\x7e\x01\x2c", 4) + payload);
}

TEST(WebSocketEcho, AnswersPingAndClose) {
  WebSocketEcho echo;
  std::string out;

  EXPECT_TRUE(echo.take(masked(0x89, "hi"), out));
  EXPECT_FALSE(echo.take(masked(0x88, "\x03\xe8"), out));

  EXPECT_EQ(out, "\x8a\x02hi\x88\x02\x03\xe8");
}

TEST(WebSocketEcho, ClosesOnFramesWithoutMask) {
  WebSocketEcho echo;
  std::string out;

  EXPECT_FALSE(echo.take(std::string("\x81\x01x", 3), out));

  EXPECT_EQ(out, "\x88\x02\x03\xea");
}

TEST(WhoamiAnswers, CountsSizesInUnits) {
  EXPECT_EQ(data_size("size=1000&unit=B"), 1000U);
  EXPECT_EQ(data_size("size=2&unit=kb"), 2048U);
  EXPECT_EQ(data_size("size=1&unit=MB"), 1048576U);
  EXPECT_EQ(data_size(""), 1U);
  EXPECT_EQ(data_size("size=-5"), 0U);
  EXPECT_EQ(data_size("size=9223372036854775807&unit=tb"), 9223372036854775807U);
  std::string out;
  append_data(out, 0, 5, 5);
  EXPECT_EQ(out, "|ABC|");
}

TEST(WhoamiFacts, NamesTheAddressesOfOneInterfaceAfterAnother) {
  const std::vector<std::string> ips = WhoamiFacts::of_machine().ips;

  // The loopback interface is the first one.
  const auto is_loopback = [](const std::string& ip) { return ip == "::1" || ip.starts_with("127."); };
  ASSERT_THAT(ips, testing::Contains("127.0.0.1"));
  EXPECT_TRUE(std::ranges::is_partitioned(ips, is_loopback)) << testing::PrintToString(ips);
}

class Whoami : public testing::Test {
 protected:
  Whoami() {
    Fd listener = *net::open_listener({.host = "127.0.0.1", .port = 0}, false);
    port_ = net::bound_port(listener.get());
    thread_ = std::thread([this, fd = std::move(listener)]() mutable {
      WhoamiFacts facts = WhoamiFacts::of_machine();
      facts.name = "demo";
      const WhoamiServer server(loop_, std::move(fd), std::move(facts), false);
      loop_.run();
    });
  }
  ~Whoami() override {
    loop_.stop();
    thread_.join();
  }
  Fd connect() const {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage raw;
    const socklen_t size = net::Address{*net::Ip::parse("127.0.0.1"), port_}.to(raw);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&raw), size), 0);
    return socket;
  }
  // The whole answer to a request on a connection of its own.
  std::string ask(std::string_view first_line, std::string_view fields = "",
                  std::string_view body = "") const {
    const Fd socket = connect();
    std::string request =
        fmt::format("{} HTTP/1.1\r\nHost: someone\r\nConnection: close\r\n{}", first_line, fields);
    if (!body.empty()) request += fmt::format("Content-Length: {}\r\n", body.size());
    (request += "\r\n") += body;
    for (std::string_view left = request; !left.empty();) {
      const ssize_t sent = ::send(socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string out;
    std::array<char, 65536> block;
    for (ssize_t got; (got = ::recv(socket.get(), block.data(), block.size(), 0)) > 0;)
      out.append(block.data(), static_cast<std::size_t>(got));
    return out;
  }
  static int status_of(std::string_view answer) {
    return answer.size() < 12 ? 0 : std::stoi(std::string(answer.substr(9, 3)));
  }
  static std::string body_of(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "" : answer.substr(end + 4);
  }

  event::Loop loop_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(Whoami, TellsWhoItIsAndWhatItWasAsked) {
  const std::string text = body_of(ask("GET /x?y=1", "x-b: 2\r\nUser-Agent: me\r\nX-A: 1\r\n"));

  EXPECT_THAT(text, testing::StartsWith("Name: demo\nHostname: "));
  EXPECT_THAT(text, HasSubstr("IP: 127.0.0.1\n"));
  EXPECT_THAT(text, HasSubstr("RemoteAddr: 127.0.0.1:"));
  EXPECT_THAT(text, testing::EndsWith(
                        "GET /x?y=1 HTTP/1.1\r\nHost: someone\r\nUser-Agent: me\r\nConnection: close\r\n"
                        "X-A: 1\r\nX-B: 2\r\n\r\n"));
}

TEST_F(Whoami, PrintsABodyBehindItsHead) {
  EXPECT_THAT(body_of(ask("POST /", "", "hello")), testing::EndsWith("\r\n\r\nhello"));
}

TEST_F(Whoami, AnswersAsJson) {
  const auto json = nlohmann::json::parse(body_of(ask("GET /api", "X-A: 1\r\n")));

  EXPECT_EQ(json["name"], "demo");
  EXPECT_EQ(json["headers"]["X-A"][0], "1");
  EXPECT_EQ(json["method"], "GET");
}

TEST_F(Whoami, SendsAsMuchAsAsked) {
  const std::string data = body_of(ask("GET /data?size=300&unit=kb"));

  EXPECT_EQ(data.size(), 300U * 1024);
  EXPECT_TRUE(data.starts_with("|ABC") && data.ends_with("|"));
  EXPECT_EQ(status_of(ask("GET /data?size=0")), 200);
  EXPECT_EQ(body_of(ask("GET /bench")), "1");
}

TEST_F(Whoami, SetsItsHealth) {
  const std::array check = {std::string("--check"), std::to_string(port_)};

  EXPECT_EQ(status_of(ask("GET /health")), 200);
  EXPECT_EQ(whoami(check), 0);
  EXPECT_EQ(status_of(ask("POST /health", "", "503")), 200);
  EXPECT_EQ(status_of(ask("GET /health")), 503);
  EXPECT_EQ(whoami(check), 1);
  EXPECT_EQ(status_of(ask("POST /health", "", "well")), 400);
}

TEST_F(Whoami, TakesUploads) {
  EXPECT_EQ(body_of(ask("POST /upload", "", std::string(200'000, 'x'))), "received 200000 bytes\n");
}

TEST_F(Whoami, EchoesWebSocketMessages) {
  const Fd socket = connect();
  const std::string request =
      "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
      "13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  std::string got;
  const auto receive_until = [&](std::string_view end) {
    std::array<char, 4096> block;
    while (!got.ends_with(end)) {
      const ssize_t bytes = ::recv(socket.get(), block.data(), block.size(), 0);
      if (bytes <= 0) break;
      got.append(block.data(), static_cast<std::size_t>(bytes));
    }
  };

  ASSERT_EQ(::send(socket.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  receive_until("\r\n\r\n");
  EXPECT_THAT(got, testing::StartsWith("HTTP/1.1 101"));
  EXPECT_THAT(got, HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  const std::string frame = masked(0x81, "hello");
  ASSERT_EQ(::send(socket.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  receive_until("hello");

  EXPECT_TRUE(got.ends_with("\x81\x05hello"));
}

TEST_F(Whoami, EndsWithRequestsInFlight) {
  const Fd waiting = connect();
  const std::string request = "GET /?wait=100s HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(::send(waiting.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  ask("GET /bench");

  loop_.stop();
  thread_.join();

  char byte = 0;
  EXPECT_LE(::recv(waiting.get(), &byte, 1, 0), 0);
  thread_ = std::thread([] {});
}

TEST(WhoamiFlags, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(whoami(std::array{std::string("--prot"), std::string("80")}), 2);
  EXPECT_EQ(whoami(std::array{std::string("--port"), std::string("99999")}), 2);
  EXPECT_EQ(whoami(std::array{std::string("--port")}), 2);
}

}  // namespace
}  // namespace fairlead::cmd
