#include "engine/codec/h1/writer.h"

#include "engine/codec/h1/request_parser.h"
#include "engine/codec/h1/response_parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace fairlead::codec::h1 {
namespace {

struct Request {
  Request() {
    head.method = "GET";
    head.path = "/";
  }
  // The bytes, or nothing when the head was refused.
  std::optional<std::string> write(const Framing& framing = {}, std::string_view host = "a") const {
    std::string out(request_head_size(head, host, framing), '\0');
    const char* end = write_request_head(out.data(), head, host, framing);
    if (!end) return std::nullopt;
    EXPECT_LE(end, out.data() + out.size());
    return out.substr(0, static_cast<std::size_t>(end - out.data()));
  }
  Arena arena;
  http::RequestHead head{arena};
};

struct Response {
  std::optional<std::string> write(const Framing& framing = {}) const {
    std::string out(response_head_size(head, framing), '\0');
    const char* end = write_response_head(out.data(), head, framing);
    if (!end) return std::nullopt;
    EXPECT_LE(end, out.data() + out.size());
    return out.substr(0, static_cast<std::size_t>(end - out.data()));
  }
  Arena arena;
  http::ResponseHead head{arena};
};

TEST(RequestWriter, WritesOriginFormHostAndFieldsRfc9112Section3) {
  Request request;
  request.head.path = "/a%2Fb";
  request.head.query = "c=d";
  request.head.has_query = true;
  request.head.fields.add("Accept", "*/*");
  request.head.fields.add("x-empty", "");

  EXPECT_EQ(request.write({}, "origin:81"),
            "GET /a%2Fb?c=d HTTP/1.1\r\nHost: origin:81\r\nAccept: */*\r\nx-empty: \r\n\r\n");
}

TEST(RequestWriter, WritesAnEmptyQueryAndAnAsterisk) {
  Request request;
  request.head.has_query = true;
  EXPECT_EQ(request.write(), "GET /? HTTP/1.1\r\nHost: a\r\n\r\n");

  Request options;
  options.head.method = "OPTIONS";
  options.head.path = "*";
  EXPECT_EQ(options.write(), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(RequestWriter, SaysHowTheBodyEndsRfc9112Section6) {
  const Request request;
  EXPECT_EQ(request.write({.body = BodyFraming::Length, .length = 18446744073709551615U}),
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n");
  EXPECT_EQ(request.write({.body = BodyFraming::Chunked}),
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(RequestWriter, AsksForAnUpgradeRfc9110Section78) {
  EXPECT_EQ(Request().write({.upgrade = "websocket"}),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(Request().write({.close = true}), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

TEST(RequestWriter, NeverRepeatsTheFramingOfTheOtherHop) {
  Request request;
  for (const char* name : {"Host", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
                           "Upgrade", "Content-Length", "TRANSFER-ENCODING"})
    request.head.fields.add(name, "5");

  EXPECT_EQ(request.write(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(RequestWriter, RefusesWhatCouldEndALineOrAWordEarly) {
  for (const std::string_view unfit :
       {std::string_view("a\rb"), std::string_view("a\nb"), std::string_view("a\0b", 3),
        std::string_view("a\x7f"), std::string_view("a\x01")}) {
    Request in_value;
    in_value.head.fields.add("X", unfit);
    EXPECT_FALSE(in_value.write()) << quoted(unfit);

    Request in_name;
    in_name.head.fields.add(unfit, "x");
    EXPECT_FALSE(in_name.write()) << quoted(unfit);

    Request in_path;
    in_path.head.path = "/";
    in_path.head.path += unfit;
    EXPECT_FALSE(in_path.write()) << quoted(unfit);

    Request in_query;
    in_query.head.has_query = true;
    in_query.head.query = unfit;
    EXPECT_FALSE(in_query.write()) << quoted(unfit);

    Request in_method;
    in_method.head.method = unfit;
    EXPECT_FALSE(in_method.write()) << quoted(unfit);

    EXPECT_FALSE(Request().write({}, unfit)) << quoted(unfit);
    EXPECT_FALSE(Request().write({.upgrade = unfit})) << quoted(unfit);
  }
}

TEST(RequestWriter, RefusesNamesThatAreNoTokensAndPathsThatAreNone) {
  for (const char* name : {"", "a b", "a:b", "\xc3\xa4", "a_long_enough_name_with_a_space_in it"}) {
    Request request;
    request.head.fields.add(name, "x");
    EXPECT_FALSE(request.write()) << name;
  }
  for (const char* path : {"", "a", "http://a/", "/a b", "/a#b", "**"}) {
    Request request;
    request.head.path = path;
    EXPECT_FALSE(request.write()) << path;
  }
}

TEST(ResponseWriter, WritesTheStatusLineRfc9112Section4) {
  Response response;
  response.head.status = 404;
  EXPECT_EQ(response.write(), "HTTP/1.1 404 Not Found\r\n\r\n");

  response.head.reason = "Nope";
  EXPECT_EQ(response.write({.http10 = true}), "HTTP/1.0 404 Nope\r\n\r\n");

  response.head.status = 599;
  response.head.reason = {};
  EXPECT_EQ(response.write(), "HTTP/1.1 599 \r\n\r\n");
}

TEST(ResponseWriter, AddsADateOnlyWhereThereIsNoneRfc9110Section661) {
  const Framing framing{.body = BodyFraming::Length, .length = 3, .date = "Tue, 15 Nov 1994 08:12:31 GMT"};
  Response without;
  EXPECT_EQ(without.write(framing),
            "HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nContent-Length: 3\r\n\r\n");

  Response with;
  with.head.fields.add("date", "yesterday");
  EXPECT_EQ(with.write(framing), "HTTP/1.1 200 OK\r\ndate: yesterday\r\nContent-Length: 3\r\n\r\n");
}

TEST(ResponseWriter, SpeaksOfTheConnectionRfc9112Section9) {
  const Response response;
  EXPECT_EQ(response.write({.body = BodyFraming::UntilClose, .close = true}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response.write({.body = BodyFraming::Length, .keep_alive = true, .http10 = true}),
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseWriter, RefusesWhatCouldEndALineEarly) {
  Response value;
  value.head.fields.add("Location", "/a\r\nSet-Cookie: x=y");
  EXPECT_FALSE(value.write());

  Response reason;
  reason.head.reason = "a\r\nb";
  EXPECT_FALSE(reason.write());

  Response status;
  status.head.status = 20;
  EXPECT_FALSE(status.write());
}

// A request as the parser reads it, whose lines the writer may copy as they came.
struct Received : Request {
  explicit Received(std::string_view fields) {
    const std::string_view bytes = arena.join("GET / HTTP/1.1\r\nHost: a\r\n", fields, "\r\n");
    head.clear();
    EXPECT_TRUE(parse_request_head(bytes, {}, head));
  }
  std::string fields() const {
    constexpr std::string_view kBefore = "GET / HTTP/1.1\r\nHost: a\r\n";
    const std::string all = write().value_or(std::string(kBefore) + "refused");
    EXPECT_TRUE(all.starts_with(kBefore));
    return all.substr(kBefore.size(), all.size() - kBefore.size() - 2);
  }
};

TEST(ReceivedLines, AreWrittenAsTheyCame) {
  EXPECT_EQ(Received("A: 1\r\nb-c: 2 3\r\nEmpty: \r\n").fields(), "A: 1\r\nb-c: 2 3\r\nEmpty: \r\n");
  EXPECT_EQ(Received("").fields(), "");
}

TEST(ReceivedLines, LoseOtherWhiteSpaceRfc9112Section5) {
  EXPECT_EQ(Received("A:1\r\nB:   2\r\nC:\t3\r\nD: 4 \t\r\nE:\r\nF: 6\r\n").fields(),
            "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: \r\nF: 6\r\n");
}

TEST(ReceivedLines, MayBeChangedBetweenOthers) {
  Received request("A: 1\r\nB: 2\r\nC: 3\r\nConnection: x\r\nD: 4\r\nE: 5\r\n");
  request.head.fields.remove("A");
  request.head.fields.set("C", "new");
  request.head.fields.add("F", "6");

  EXPECT_EQ(request.fields(), "B: 2\r\nC: new\r\nD: 4\r\nE: 5\r\nF: 6\r\n");
}

TEST(ReceivedLines, AreReadAgainOnceAPartWasReplaced) {
  Received request("Abc: 123\r\nDef: 456\r\nGhi: 789\r\n");
  auto line = request.head.fields.begin() + 1;  // behind Host
  line[0].value = "other";
  line[1].name = "Other";
  line[2].value = line[2].value.substr(0, 1);  // still where the value was

  EXPECT_EQ(request.fields(), "Abc: other\r\nOther: 456\r\nGhi: 7\r\n");

  line[0].value = "a\r\nInjected: 1";
  EXPECT_EQ(request.write(), std::nullopt);
}

TEST(RequestWriter, WritesWhatTheParserReads) {
  Request request;
  request.head.path = "/x";
  request.head.fields.add("A-Name_with.all-kinds", "value \xc3\xa4 \t end");
  const auto bytes = request.write({.body = BodyFraming::Length, .length = 7}, "h.example");
  ASSERT_TRUE(bytes);
  Arena arena;
  http::RequestHead again(arena);

  ASSERT_TRUE(parse_request_head(*bytes, {}, again));

  EXPECT_EQ(again.path, "/x");
  EXPECT_EQ(again.authority, "h.example");
  EXPECT_EQ(again.content_length, 7U);
  EXPECT_EQ(again.fields.get("A-Name_with.all-kinds"), "value \xc3\xa4 \t end");
}

}  // namespace
}  // namespace fairlead::codec::h1
