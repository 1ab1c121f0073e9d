#include "engine/codec/h2/request_fields.h"

#include "engine/codec/h2/websocket.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fairlead::codec::h2 {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

Lines get(Lines more = {}) {
  Lines lines = {
      {":method", "GET"}, {":scheme", "https"}, {":path", "/a?b=c"}, {":authority", "app.example:8443"}};
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}

struct Parsed {
  Arena arena;
  http::RequestHead head{arena};
  Result<> result;

  explicit Parsed(const Lines& lines, bool ends = true, h1::Limits limits = {}) {
    RequestFields fields(head, limits);
    for (const auto& [name, value] : lines) {
      result = fields.add(name, value);
      if (!result) return;
    }
    result = fields.finish(ends);
  }
  int status() const { return result ? 0 : result.error().status; }
};

TEST(RequestFields, FillsTheHeadAsOverHttp1) {
  const Parsed parsed(get({{"accept", "*/*"}, {"x-own", "1"}}));

  ASSERT_TRUE(parsed.result) << parsed.result.error().detail;
  EXPECT_EQ(parsed.head.method, "GET");
  EXPECT_EQ(parsed.head.path, "/a");
  EXPECT_EQ(parsed.head.query, "b=c");
  EXPECT_EQ(parsed.head.authority, "app.example:8443");
  EXPECT_EQ(parsed.head.fields.get(http::Name::Host), "app.example:8443");
  EXPECT_EQ(parsed.head.fields.get("X-Own"), "1");
  EXPECT_EQ(parsed.head.version, http::Version::Http2);
  EXPECT_FALSE(parsed.head.has_body());
}

TEST(RequestFields, AnOpenStreamWithoutLengthIsABodyOfUnknownLength) {
  const Parsed parsed(get(), false);

  EXPECT_TRUE(parsed.head.chunked);
}

TEST(RequestFields, JoinsCookiesInThePlaceOfTheFirst) {
  const Parsed parsed(get({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}}));

  EXPECT_EQ(parsed.head.fields.get(http::Name::Cookie), "a=1; b=2");
  EXPECT_EQ(parsed.head.fields.size(), 3U);
}

TEST(RequestFields, RefusesWhatHttp1CouldReadDifferently) {
  for (const auto& [name, value] : Lines{{"x-a", "b\r\nx: y"},
                                         {"x-a", "b\n"},
                                         {"x-a", std::string("b\0c", 3)},
                                         {"x-a", " b"},
                                         {"X-A", "b"},
                                         {"x a", "b"},
                                         {"x:a", "b"},
                                         {"", "b"},
                                         {"connection", "x-real-ip"},
                                         {"transfer-encoding", "chunked"},
                                         {"upgrade", "h2c"},
                                         {"keep-alive", "1"},
                                         {"proxy-connection", "close"},
                                         {"te", "gzip"},
                                         {"content_length", "3"},
                                         {"host", "other"},
                                         {"content-length", "3"},
                                         {":path", "/"},
                                         {":status", "200"}}) {
    const Parsed parsed(get({{name, value}}));
    EXPECT_EQ(parsed.status(), 400) << name << ": " << value;
  }
}

TEST(RequestFields, NeverShowsAValueInALogLine) {
  const Parsed parsed(get({{"authorization", "Bearer secret\n"}}));

  ASSERT_FALSE(parsed.result);
  EXPECT_EQ(parsed.result.error().detail.find("secret"), std::string::npos);
}

TEST(RequestFields, BoundsBytesAndLines) {
  EXPECT_EQ(Parsed(get({{"x", std::string(2000, 'a')}}), true, {.max_head_bytes = 1024}).status(), 431);
  EXPECT_EQ(Parsed(get({{"a", "1"}, {"b", "2"}, {"c", "3"}}), true, {.max_fields = 2}).status(), 431);
  EXPECT_EQ(Parsed({{":path", "/" + std::string(100, 'a')}}, true, {.max_target = 50}).status(), 414);
}

TEST(RequestFields, MakesAnExtendedConnectLookLikeTheGetOfHttp1) {
  const Parsed parsed({{":method", "CONNECT"},
                       {":protocol", "websocket"},
                       {":scheme", "https"},
                       {":path", "/chat"},
                       {":authority", "app"},
                       {"sec-websocket-version", "13"},
                       {"sec-websocket-key", "from the client"}},
                      false);

  ASSERT_TRUE(parsed.result) << parsed.result.error().detail;
  EXPECT_EQ(parsed.head.method, "GET");
  EXPECT_EQ(parsed.head.upgrade, "websocket");
  EXPECT_EQ(parsed.head.fields.get("Connection"), "Upgrade");
  EXPECT_EQ(parsed.head.fields.get("Upgrade"), "websocket");
  EXPECT_FALSE(parsed.head.has_body());
  const std::string_view key = parsed.head.fields.get("Sec-WebSocket-Key");
  EXPECT_EQ(key.size(), 24U);
  EXPECT_TRUE(key.ends_with("=="));
}

TEST(RequestFields, OpensNoTunnelsForWhoeverAsks) {
  EXPECT_EQ(Parsed({{":method", "CONNECT"}, {":authority", "db:5432"}}, false).status(), 501);
  EXPECT_EQ(Parsed({{":method", "CONNECT"},
                    {":protocol", "connect-udp"},
                    {":scheme", "https"},
                    {":path", "/"},
                    {":authority", "app"}},
                   false)
                .status(),
            501);
}

TEST(RequestFields, TakesAnExpectationSeriouslyOnlyWithABody) {
  EXPECT_TRUE(Parsed(get({{"expect", "100-continue"}}), false).head.expects_continue);
  const Parsed without(get({{"expect", "100-continue"}}));
  EXPECT_FALSE(without.head.expects_continue);
  EXPECT_FALSE(without.head.fields.has(http::Name::Expect));
  EXPECT_EQ(Parsed(get({{"expect", "magic"}}), false).status(), 417);
}

TEST(TrailerFields, DropsWhatMustNotComeLate) {
  Arena arena;
  http::Fields fields(arena);
  TrailerFields trailers(fields);

  EXPECT_TRUE(trailers.add("x-sum", "1"));
  EXPECT_TRUE(trailers.add("host", "evil"));
  EXPECT_TRUE(trailers.add("x-forwarded-for", "1.2.3.4"));
  EXPECT_FALSE(trailers.add(":path", "/"));
  EXPECT_EQ(fields.size(), 1U);
}

// RFC 6455 §1.3.
TEST(WebSocketKey, IsAnsweredAsTheExampleOfTheRfc) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace fairlead::codec::h2
