#include "engine/codec/h1/request_parser.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h1 {
namespace {

struct Parsed {
  explicit Parsed(std::string raw) : bytes(std::move(raw)) {
    const Result<> done = parse_request_head(bytes, {}, head, &facts);
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  }
  std::string bytes;
  Arena arena;
  http::RequestHead head{arena};
  RequestFacts facts;
};

std::string get(const std::string& lines, const std::string& version = "1.1") {
  return "GET / HTTP/" + version + "\r\nHost: a\r\n" + lines + "\r\n";
}

TEST(RequestParser, KnowsTheLengthOfTheBodyRfc9112Section63) {
  const Parsed none(get(""));
  const Parsed length(get("Content-Length: 12\r\n"));
  const Parsed chunked(get("Transfer-Encoding: chunked\r\n"));

  EXPECT_FALSE(none.head.has_body());
  EXPECT_FALSE(none.head.content_length);
  EXPECT_EQ(length.head.content_length, 12U);
  EXPECT_FALSE(length.head.chunked);
  EXPECT_TRUE(chunked.head.chunked);
  EXPECT_FALSE(chunked.head.content_length);
}

TEST(RequestParser, ARequestThatShouldHaveContentSaysThatItHasNoneRfc9110Section86) {
  EXPECT_EQ(Parsed("POST / HTTP/1.1\r\nHost: a\r\n\r\n").head.content_length, 0U);
  EXPECT_EQ(Parsed("PATCH / HTTP/1.0\r\nHost: a\r\n\r\n").head.content_length, 0U);
  EXPECT_FALSE(Parsed("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").head.content_length);
}

TEST(RequestParser, KeepsTheConnectionAsRfc9112Section93Says) {
  EXPECT_TRUE(Parsed(get("")).facts.keep_alive);
  EXPECT_FALSE(Parsed(get("Connection: close\r\n")).facts.keep_alive);
  EXPECT_FALSE(Parsed(get("Connection: x, CLOSE\r\n")).facts.keep_alive);
  EXPECT_FALSE(Parsed(get("Connection: x\r\nConnection: close\r\n")).facts.keep_alive);
  EXPECT_FALSE(Parsed(get("Connection: keep-alive, close\r\n")).facts.keep_alive);
  EXPECT_TRUE(Parsed(get("Connection: closed\r\n")).facts.keep_alive);
  EXPECT_FALSE(Parsed(get("", "1.0")).facts.keep_alive);
  EXPECT_TRUE(Parsed(get("Connection: Keep-Alive\r\n", "1.0")).facts.keep_alive);
  EXPECT_FALSE(Parsed(get("Connection: keep-alive, close\r\n", "1.0")).facts.keep_alive);
}

TEST(RequestParser, ExpectsContinueOnlyWhereABodyFollowsInHttp11Rfc9110Section1011) {
  const Parsed expects(get("Content-Length: 3\r\nExpect: 100-continue\r\n"));
  const Parsed without_body(get("Expect: 100-continue\r\n"));
  const Parsed old(get("Content-Length: 3\r\nExpect: 100-continue\r\n", "1.0"));

  EXPECT_TRUE(expects.head.expects_continue);
  EXPECT_TRUE(expects.head.fields.has(http::Name::Expect));
  EXPECT_FALSE(without_body.head.expects_continue);
  EXPECT_FALSE(without_body.head.fields.has(http::Name::Expect));
  EXPECT_FALSE(old.head.expects_continue);
  EXPECT_FALSE(old.head.fields.has(http::Name::Expect)) << "the origin is spoken to in HTTP/1.1";
}

TEST(RequestParser, AcceptsAnUpgradeToOneProtocolRfc9110Section78) {
  EXPECT_EQ(Parsed(get("Connection: Upgrade\r\nUpgrade: websocket\r\n")).head.upgrade, "websocket");
  EXPECT_EQ(Parsed(get("connection: keep-alive, upgrade\r\nupgrade: WebSocket\r\n")).head.upgrade,
            "WebSocket");
  EXPECT_EQ(Parsed(get("Connection: upgrade\r\nUpgrade: foo/2\r\n")).head.upgrade, "foo/2");
  EXPECT_EQ(Parsed(get("Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n")).head.upgrade, "x");
}

TEST(RequestParser, LeavesEveryOtherUpgradeAnOrdinaryRequestRfc9110Section78) {
  for (const char* lines : {
           "Upgrade: websocket\r\n",
           "Connection: keep-alive\r\nUpgrade: websocket\r\n",
           "Connection: upgrade\r\n",
           "Connection: upgrade\r\nUpgrade:\r\n",
           "Connection: upgrade\r\nUpgrade: h2c\r\n",
           "Connection: upgrade\r\nUpgrade: H2C\r\n",
           "Connection: upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nUpgrade: "
           "h2c\r\n",
           "Connection: upgrade\r\nUpgrade: h2c-14\r\n",
           "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
           "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
           "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n",
           "Connection: upgrade\r\nUpgrade: web socket\r\n",
           "Connection: upgrade\r\nUpgrade: websocket/\r\n",
           "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n",
           "Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
       })
    EXPECT_EQ(Parsed(get(lines)).head.upgrade, "") << lines;
  EXPECT_EQ(Parsed(get("Connection: upgrade\r\nUpgrade: websocket\r\n", "1.0")).head.upgrade, "");
}

TEST(RequestParser, FillsAClearedHeadAgain) {
  Parsed parsed(get("Content-Length: 5\r\nConnection: close\r\n"));
  const std::string second = "HEAD /b HTTP/1.0\r\n\r\n";
  RequestFacts facts;

  parsed.head.clear();
  ASSERT_TRUE(parse_request_head(second, {}, parsed.head, &facts));

  EXPECT_EQ(parsed.head.method, "HEAD");
  EXPECT_EQ(parsed.head.path, "/b");
  EXPECT_EQ(parsed.head.authority, "");
  EXPECT_EQ(parsed.head.version, http::Version::Http10);
  EXPECT_TRUE(parsed.head.fields.empty());
  EXPECT_FALSE(parsed.head.has_body());
}

TEST(RequestParser, NeverReadsBehindTheBytesItWasGiven) {
  const std::string whole = get("Accept: */*\r\nConnection: keep-alive\r\nX-Y: z\r\n");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A buffer of its own, so that AddressSanitizer sees one byte too many.
    const std::vector<char> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Arena arena;
    http::RequestHead head(arena);
    EXPECT_FALSE(parse_request_head({part.data(), part.size()}, {}, head)) << size;
  }
}

TEST(RequestParser, ObeysSmallerLimits) {
  Arena arena;
  http::RequestHead head(arena);
  const std::string bytes = "GET /abcdef HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";

  EXPECT_EQ(parse_request_head(bytes, {.max_head_bytes = bytes.size() - 1}, head).error().status, 431);
  head.clear();
  EXPECT_EQ(parse_request_head(bytes, {.max_fields = 1}, head).error().status, 431);
  head.clear();
  EXPECT_EQ(parse_request_head(bytes, {.max_target = 6}, head).error().status, 414);
  head.clear();
  EXPECT_TRUE(
      parse_request_head(bytes, {.max_head_bytes = bytes.size(), .max_fields = 2, .max_target = 7}, head));
}

}  // namespace
}  // namespace fairlead::codec::h1
